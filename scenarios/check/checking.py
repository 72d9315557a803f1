"""`gridpact check`: every mistake with its line, what was filled in, what is odd, and that the rest is fine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from ..errors import ScenarioError
from ..reading.loading import load_scenario
from .oddities import hints


def checked(name: str, changes: Mapping[str, str], *, networks: bool) -> Iterator[str]:
    """Lines to print; raises ScenarioError for the first mistake, after the others have gone to standard error."""
    try:
        scenario = load_scenario(name, changes)
        notes: Mapping[str, tuple[str, ...]] = {}
        found = tuple(hints(scenario))
        if networks:
            from .networks import check_networks

            notes, of_grids = check_networks(scenario)
            found += of_grids
    except ScenarioError as error:
        for complaint in error.complaints[1:]:
            sys.stderr.write(f"gridpact: {complaint}\n")
        raise
    yield from (f"grids.{grid}: {note}" for grid, told in notes.items() for note in told)
    yield from (hint.told(scenario.places) for hint in found)
    participants = f"{len(scenario.participants)} participants in {len(scenario.grids)} grids"
    warned = f", {len(found)} warning{'s' if len(found) > 1 else ''}" if found else ""
    periods = f"{len(scenario.time.periods)} periods{warned}"
    yield f"{name}: fine: {scenario.name}, {scenario.scheme}, {participants}, {periods}"
