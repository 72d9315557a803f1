"""Where in the scenario's files a grid's mistake stands that only building the grid brings to light.

GridError ─▶ its kind, what its text names ─▶ a key of grids.<name> ─▶ file and line ─▶ ScenarioError
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ...grid.errors import GridError, NetworkError, ProfileError
from ..description.schema import Scenario
from ..errors import ScenarioError

_SOURCES = ("file", "network", "simbench")
_NAMED = {"metered": "metered", "profile": "profiles", '"': "profiles", "no element": "profiles"}


@contextmanager
def grid_blamed(scenario: Scenario, name: str) -> Iterator[None]:
    """Turn a GridError from within into a ScenarioError that says file, line and key."""
    try:
        yield
    except GridError as error:
        keys = [key for key in _keys(scenario, name, error) if key in scenario.grids[name].model_fields_set]
        path = ("grids", name, *keys[:1])
        place = _place(scenario.places, path)
        text = str(error).removeprefix(f"{path[-1]}: ")
        raise ScenarioError(f"{f'{place}: ' if place else ''}{'.'.join(path)}: {text}") from None


def _keys(scenario: Scenario, name: str, error: GridError) -> Iterator[str]:
    """The keys that may be to blame, the likeliest first."""
    text, series = str(error), scenario.located_grid(name).series
    if isinstance(error, ProfileError):
        files = (series.source, series.forecast) if series is not None else ()
        if text.startswith("series") or any(file is not None and text.startswith(file) for file in files):
            yield "series"
        yield from (key for word, key in _NAMED.items() if text.startswith(word))
    if isinstance(error, NetworkError):
        yield from ("load_scaling", "profiles", "series") if text.startswith("there is no power flow") else ()
        yield from _SOURCES


def _place(places: Mapping[tuple[str | int, ...], str], path: tuple[str, ...]) -> str | None:
    """Where a path stands, or the nearest thing around it."""
    ways = (path[:length] for length in range(len(path), 0, -1))
    return next((places[way] for way in ways if way in places), None)
