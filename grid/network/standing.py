"""Where participants may stand in a network: every bus that has supply, but those of its sources."""

from __future__ import annotations

from functools import lru_cache

from ..description.grid import GridDescription
from ..engine import quiet
from ..errors import NetworkError
from .slack import slack_generators
from .source import load


def standing_buses(description: GridDescription) -> tuple[int, ...]:
    """Return the indices of the buses in service that have supply and no source, in the order of the network.

    Raises NetworkError for a network that cannot be read, or that has no such bus.
    """
    return _standing(description.network, description.simbench, description.file)


@lru_cache(maxsize=32)
def _standing(network: str | None, simbench: str | None, file: str | None) -> tuple[int, ...]:
    from pandapower.topology import unsupplied_buses

    net = load(GridDescription(network=network, simbench=simbench, file=file))
    with quiet():
        without = set(unsupplied_buses(net)) | set(net.ext_grid.bus) | set(net.gen.bus[slack_generators(net)])
    found = tuple(int(bus) for bus in net.bus.index[net.bus.in_service] if bus not in without)
    if not found:
        name = network or simbench or file
        raise NetworkError(f"network {name} has no bus with supply but those of its sources: nobody can stand there")
    return found
