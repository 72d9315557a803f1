"""`gridpact verify`: what is explored, two at a time, and how it is told.

    names ─▶ protocols between two desks, stages of schemes with their agents, all stages chained ─▶ reports ─▶ text

A name is that of a protocol, of a scheme (all its stages), of one exploration, or of a group: `protocols`, `three`,
`chained`, `soak` (chained with a fault, which takes long and is not explored unless it is named).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from ..agents.verification.stages import TASKS, Task
from ..protocols.stages import PROTOCOLS
from ..protocols.tables import Protocol as Table
from ..protocols.verification.search import explore
from ..protocols.verification.story import Report
from ..protocols.verification.two_party import TwoParty
from .errors import ScenarioError, right_names

Progress = Callable[[str, int, int], None]
Print = Callable[[str], None]
UNNAMED = "soak"


class Work(Protocol):
    """One exploration, to be run in any process."""

    @property
    def name(self) -> str:
        """What it is called."""

    def run(self) -> Report:
        """Explore it."""


@dataclass(frozen=True)
class TableTask:
    """One protocol between two desks, found by name where it is run, or given."""

    name: str
    faults: int = 1
    table: Table | None = None

    def run(self) -> Report:
        """Explore it."""
        table = self.table or next(protocol for protocol in PROTOCOLS if protocol.name == self.name)
        return explore(TwoParty(table, self.faults))


def verify(
    names: Sequence[str] | None = None,
    *,
    faults: int = 1,
    progress: Progress | None = None,
    tables: Sequence[Table] = (),
) -> list[tuple[Report, float]]:
    """Explore what is named (None: everything but `soak`) and further `tables`; reports with seconds, in their order.

    Raises ScenarioError for a name that is nothing to explore.
    """
    chosen = _chosen(names, faults)
    here = [_timed(TableTask(table.name, faults, table)) for table in tables]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as processes:
        found = []
        for done, result in enumerate(processes.map(_timed, chosen), start=1):
            found.append(result)
            if progress is not None:
                progress(result[0].name, done, len(chosen))
    return [*here, *found]


def _timed(work: Work) -> tuple[Report, float]:
    began = time.perf_counter()
    return work.run(), time.perf_counter() - began


def groups(faults: int = 1) -> Mapping[str, tuple[Work, ...]]:
    """Everything that can be explored, by group."""
    tables: dict[str, tuple[Work, ...]] = {"protocols": tuple(TableTask(one.name, faults) for one in PROTOCOLS)}
    return tables | {name: tuple(_with(task, name, faults) for task in tasks()) for name, tasks in TASKS.items()}


def _with(task: Task, group: str, faults: int) -> Task:
    return task if group in {"chained", UNNAMED} else task.with_faults(faults)


def _chosen(names: Sequence[str] | None, faults: int) -> list[Work]:
    known = groups(faults)
    if not names:
        return [work for name, works in known.items() if name != UNNAMED for work in works]
    single = {work.name: (work,) for works in known.values() for work in works}
    wrong = [name for name in names if name not in known and name not in single]
    if wrong:
        raise ScenarioError(f"{wrong[0]}: nothing to verify has this name; {right_names(wrong[0], [*known, *single])}")
    return [work for name in names for work in known.get(name) or single[name]]


def told(results: Iterable[tuple[Report, float]], *, diagrams: bool = True) -> Iterator[str]:
    """The reports as lines: bounds, states, transitions; counterexamples as sequence and Mermaid diagram; the sum."""
    reports = []
    for report, seconds in results:
        reports.append(report)
        yield f"{report.line()}  {seconds:.1f} s"
        yield f"    {'; '.join(report.bounds)}"
        for finding in report.findings:
            yield from (f"    {line}" for line in finding.lines())
            if diagrams:
                yield from ("", "```mermaid", *finding.diagram().splitlines(), "```", "")
    states, transitions = sum(r.states for r in reports), sum(r.transitions for r in reports)
    failed = [report for report in reports if not report.passed]
    result = f"{len(failed)} FAIL" if failed else "all hold"
    yield f"{len(reports)} explorations, {states:,} states, {transitions:,} transitions: {result}"


def verify_command_body(
    names: Sequence[str], *, faults: int = 1, echo: Print, progress: Progress | None = None, diagrams: bool = True
) -> int:
    """The command: verify, print, and the exit code: 0 if all holds, 1 if not."""
    results = verify(names or None, faults=faults, progress=progress)
    for line in told(results, diagrams=diagrams):
        echo(line)
    return 0 if all(report.passed for report, _ in results) else 1
