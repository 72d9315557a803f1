"""The files that a scenario names: networks, series, disturbances, plugins – all of them, for whoever copies it.

Scenario ─▶ NamedFile (where it is named, where it stands, what a copy is called) ─▶ run directory, public folder,
                                                                                      digests
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .schema import Scenario

Steps = tuple[str | int, ...]
RECORDED = "area.recorded.csv"


class NamedFile(NamedTuple):
    """A file, the path of its name in the scenario (a plugin has none: it is found by its name), and that of a copy."""

    steps: Steps
    source: Path
    copy: str


def files_of(scenario: Scenario) -> tuple[NamedFile, ...]:
    """Every file that a scenario names, in a fixed order; plugins that are installed modules are none."""
    return (*_of_grids(scenario), *_of_area(scenario), *_of_plugins(scenario))


def _of_grids(scenario: Scenario) -> Iterator[NamedFile]:
    for name in scenario.grids:
        grid = scenario.located_grid(name)
        if grid.file is not None:
            yield NamedFile(("grids", name, "file"), Path(grid.file), f"networks/{name}.source.json")
        for field, source in grid.series.named_files.items() if grid.series is not None else ():
            yield NamedFile(("grids", name, "series", field), Path(source), _series_copy(name, field, source))


def _series_copy(grid: str, field: str, source: str) -> str:
    return f"networks/{grid}.{field}{Path(source).suffix}"


def _of_area(scenario: Scenario) -> Iterator[NamedFile]:
    recorded = scenario.located_area().recorded
    if recorded is not None:
        yield NamedFile(("area", "recorded", "file"), Path(recorded.file), RECORDED)


def _of_plugins(scenario: Scenario) -> Iterator[NamedFile]:
    if not scenario.plugins:
        return
    from ..extension.plugins import FOLDER, load_plugins

    for plugin in load_plugins(scenario.plugins, scenario.folders):
        if plugin.file is not None:
            yield NamedFile((), plugin.file, f"{FOLDER}/{plugin.file.name}")


def with_files(scenario: Scenario, names: Mapping[Steps, str]) -> Scenario:
    """The same scenario with other names for files, by their steps; plugins keep theirs."""
    for steps, name in names.items():
        scenario = _replaced(scenario, steps, name) if steps else scenario
    return scenario


def _replaced(part: Any, steps: Steps, value: object) -> Any:
    """A frozen part, or a mapping of parts, with another value at a path."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(part, Mapping):
        return {**part, first: _replaced(part[first], rest, value)}
    return part.model_copy(update={first: _replaced(getattr(part, str(first)), rest, value)})


def is_named(values: Mapping[str, Any], file: NamedFile) -> bool:
    """Whether plain values, from which something may have been taken out, still name a file; plugins they do."""
    place: Any = values
    for step in file.steps:
        place = place.get(step) if isinstance(place, Mapping) else None
    return place is not None
