"""Runs a sweep: checks what is asked, has what is not done performed, keeps each result, makes the table."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..description.schema import Scenario
from ..errors import ScenarioError
from ..reading.loading import changed_scenario, changed_texts, scenario_yaml
from ..swarm import undrawn
from ..version import VERSION
from .folder import RUNS, Result, SweepFolder
from .points import Axes, Point, points_of
from .table import table, write_table
from .tasks import task_text

if TYPE_CHECKING:
    import pandas as pd


class Workers(Protocol):
    """Whoever performs tasks."""

    def results(self, tasks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(key, result) of each task, as they are done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is: points in all, done, of these failed; `last` is the one just done (None at the start)."""

    points: int
    done: int
    failed: int
    last: Point | None = None


Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Request:
    """A sweep that has been checked: every value is one that the scenario can take."""

    base: Scenario
    axes: Axes
    out: Path
    keep: bool = False
    retry: bool = False


def sweep(
    scenario: str | Path | Scenario,
    settings: Mapping[str, Sequence[object]] | None = None,
    *,
    seeds: Iterable[int] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    keep: bool = False,
    retry: bool = False,
) -> pd.DataFrame:
    """Run every combination of settings and seeds; the KPIs as a DataFrame, a row each, failed ones with their error.

    `settings`: values by dotted path. `out`: the sweep's folder (default sweeps/NAME), in which an interrupted sweep
    goes on. `workers`: local processes (default: one a processor); `scheduler`: the address of a Dask scheduler
    instead. `keep` keeps the run directories; `retry` runs again what had failed. Raises ScenarioError for settings
    that the scenario cannot take, RecordError when `out` holds something else.
    """
    base = changed_scenario(scenario, {})
    axes = {path: tuple(json.dumps(value) for value in values) for path, values in (settings or {}).items()}
    if seeds is not None:
        axes["seed"] = tuple(str(seed) for seed in seeds)
    folder = Path(out) if out is not None else Path("sweeps") / base.name
    return perform_all(
        Request(base, axes, folder, keep, retry), chosen_workers(workers, scheduler), lambda progress: None
    )


def load_sweep(path: str | Path) -> pd.DataFrame:
    """The table of a sweep's folder, of the points done so far; RecordError if it is none."""
    folder = SweepFolder(Path(path))
    plan = folder.plan()
    return _table(folder, points_of(plan["axes"]), plan["base"])


def perform_all(request: Request, workers: AbstractContextManager[Workers], watch: Watch) -> pd.DataFrame:
    """Perform what is not done yet, and make the table, even when it is interrupted."""
    _check(request)
    base, points, folder = digest_of(request.base), points_of(request.axes), SweepFolder(request.out)
    folder.begin(name=request.base.name, base=base, axes=request.axes, scenario_yaml=scenario_yaml(request.base))
    by_key = {point.key(base): point for point in points}
    done = {key: result for key in by_key if (result := folder.result(key)) and not _again(request, result)}
    failed = sum("error" in result for result in done.values())
    tasks = _Tasks(request, {key: point for key, point in by_key.items() if key not in done})
    watch(Progress(len(points), len(done), failed))
    try:
        with workers as crew:
            for count, (key, text) in enumerate(crew.results(tasks) if tasks else (), start=len(done) + 1):
                failed += "error" in folder.keep(key, dict(by_key[key].settings), text)
                watch(Progress(len(points), count, failed, by_key[key]))
    finally:
        frame = _table(folder, points, base)
        write_table(folder, frame)
    return frame


def chosen_workers(workers: int | None, scheduler: str | None) -> AbstractContextManager[Workers]:
    """Local processes, or a cluster if one is named."""
    from .cluster import Cluster
    from .processes import Processes

    if scheduler is not None and workers is not None:
        raise ScenarioError("--workers are local processes and --scheduler is a cluster: use one of the two")
    if scheduler is not None:
        return Cluster(scheduler)
    count = workers if workers is not None else _processors()
    if count < 1:
        raise ScenarioError(f"--workers {count}: a sweep needs at least 1")
    return Processes(count)


def _again(request: Request, result: Result) -> bool:
    return request.retry and "error" in result


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Tasks(Mapping[str, str]):
    """The task of each point by its key, written when it is wanted: a large scenario is not kept a thousand times."""

    def __init__(self, request: Request, points: Mapping[str, Point]) -> None:
        self._request = request
        self._points = points

    def __getitem__(self, key: str) -> str:
        kept = (self._request.out / RUNS / key).resolve() if self._request.keep else None
        return task_text(self._request.base, dict(self._points[key].settings), kept)

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


def _table(folder: SweepFolder, points: Iterable[Point], base: str) -> pd.DataFrame:
    found = ((point, folder.result(point.key(base))) for point in points)
    return table((point, result) for point, result in found if result is not None)


def _check(request: Request) -> None:
    """Every value on its own, so that a slip of the pen is told at once and not as hundreds of failed runs.

    A value that only some combinations can take is not wrong: there it is a row with its error.
    """
    for path, values in request.axes.items():
        if not values:
            raise ScenarioError(f"{path} has no values, so there is nothing to sweep")
        if len(set(values)) < len(values):
            raise ScenarioError(f"{path}: a value is given twice in {', '.join(values)}")
    first = {path: values[0] for path, values in request.axes.items()}
    for path, values in request.axes.items():
        for value in values if path != "seed" else (values[0], values[-1]):
            if _fault(request.base, {path: value}) is not None:
                fault = _fault(request.base, {**first, path: value})
                if fault is not None:
                    raise fault


def _fault(base: Scenario, settings: Mapping[str, str]) -> ScenarioError | None:
    try:
        changed_texts(base, settings)
    except ScenarioError as error:
        return error
    return None


def digest_of(base: Scenario) -> str:
    """What tells one scenario, with its files, and version from another."""
    try:
        contents = [sha256(file.source.read_bytes()).hexdigest() for file in base.files()]
    except OSError as error:
        raise ScenarioError(f"{error.filename}: cannot be read: {error.strerror}") from None
    return sha256(json.dumps([VERSION, undrawn(base), contents], sort_keys=True).encode()).hexdigest()[:24]
