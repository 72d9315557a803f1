"""What needs pandapower: building a scenario's grids to see whether they work, and writing a network to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..description.schema import Scenario
from ..errors import RecordError
from ..operation.plants import connection_points, refuse_lost, resources, window
from ..reading.blame import grid_blamed
from .linting import hints_of_grids
from .oddities import Hint


def check_networks(scenario: Scenario) -> tuple[dict[str, tuple[str, ...]], tuple[Hint, ...]]:
    """Build every grid as a run would, with the units and pools on it; ScenarioError says what does not fit.

    Returns per grid what was filled in or repaired and why it may be slow, and what is odd about grids and offers.
    """
    from ...grid.plant.plant import GridPlant
    from ...grid.studies.studies import GridStudies

    studies, span = {}, window(scenario)
    points = connection_points(scenario, resources(scenario))
    for name in scenario.grids:
        given = scenario.located_grid(name)
        with grid_blamed(scenario, name):
            studies[name] = GridStudies(name, given, points[name], span.midnight_us, window=span)
            plant = GridPlant(name, given, points[name], span.midnight_us, window=span)
            refuse_lost(plant, scenario.time.start_us)
    return {name: own.notes for name, own in studies.items()}, tuple(hints_of_grids(scenario, studies))


def write_network(net: Any, out: Path) -> None:
    """Write a pandapower network as JSON; RecordError if it cannot be written."""
    from ...grid.moments.snapshot import network_json

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(network_json(net), "utf-8")
    except OSError as error:
        raise RecordError(f"{out}: cannot be written: {error.strerror}") from None
