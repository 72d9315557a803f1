"""Where units and pools of market parties are connected to the distribution grid.

Each connection point becomes a constant-power generator of its own in the network, so that its injection is seen apart
from the network's own loads. Powers are injections: + is into the grid; a consuming baseline is negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import NetworkError, near_names


@dataclass(frozen=True, slots=True)
class ConnectionPoint:
    """A named connection of a market party's unit or pool at one bus, with the injection it has when not activated."""

    name: str
    bus: str | int
    kind: Literal["generator", "load", "storage"] = "generator"
    baseline_mw: float = 0.0
    baseline_mvar: float = 0.0


def bus_index(bus: str | int, names: Sequence[tuple[int, str]]) -> int:
    """Return the index of a bus given by index or by name; a number is an index, if there is one.

    `names`: (index, name) of every bus, "" if it has none. Raises NetworkError for an unknown or ambiguous bus, listing
    near names.
    """
    is_number = isinstance(bus, int) or bus.strip().isdigit()
    if is_number and int(bus) in {index for index, _ in names}:
        return int(bus)
    found = [index for index, name in names if name and name == str(bus)]
    if len(found) > 1:
        raise NetworkError(f'bus name "{bus}" is ambiguous: buses {", ".join(map(str, found))}; give the index')
    if not found and is_number:
        raise NetworkError(f"bus {bus} is not in the network{near_names(bus, [index for index, _ in names])}")
    if not found:
        raise NetworkError(f'bus "{bus}" is not in the network{near_names(bus, [name for _, name in names if name])}')
    return found[0]
