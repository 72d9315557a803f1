"""What needs pandapower: building a scenario's grids to see whether they work, and writing a network to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .blame import grid_blamed
from .errors import RecordError
from .participants import Provider
from .plants import window
from .schema import Scenario


def check_networks(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Build every grid as a run would, with the units and pools on it; ScenarioError says what does not fit.

    Returns per grid what was filled in or repaired, and why it may be slow.
    """
    from ..grid.plant import GridPlant
    from ..grid.points import ConnectionPoint
    from ..grid.studies import GridStudies

    notes = {}
    for name in scenario.grids:
        buses = [bus for who in scenario.providers.values() if who.grid == name for bus in _buses(who)]
        points = [ConnectionPoint(f"{number}", bus) for number, bus in enumerate(buses)]
        span = window(scenario)
        given = scenario.located_grid(name)
        with grid_blamed(scenario, name):
            notes[name] = GridStudies(name, given, points, span.midnight_us, window=span).notes
            GridPlant(name, given, points, span.midnight_us, window=span)
    return notes


def _buses(provider: Provider) -> list[int | str]:
    if provider.kind == "aggregator":
        return list(provider.pool.buses)
    return [unit.bus for unit in provider.units if unit.bus is not None]


def write_network(net: Any, out: Path) -> None:
    """Write a pandapower network as JSON; RecordError if it cannot be written."""
    from ..grid.snapshot import network_json

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(network_json(net), "utf-8")
    except OSError as error:
        raise RecordError(f"{out}: cannot be written: {error.strerror}") from None
