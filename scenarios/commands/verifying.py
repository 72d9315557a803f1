"""`gridpact verify`: what is explored exhaustively, two at a time, and how it is told.

    protocols   every table between two desks: each order of delivery, silence at any time, messages lost or doubled
    afrr        set-points and what puts offers under their control
    fcr         containment reserve: its tests, its tender, its keeping, its statements
    blind …     every stage of a scheme with its agents; `three`: with a third BSP
    scenario-2-dso   a DSO that operates units of its grid itself
    chained     all stages in one run
    soak        the same with more; via-dso: orders by way of the DSO; both only if they are named

What is found is told as a message sequence, and as a diagram if wanted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from ...agents.verification.stages import TASKS, Task
from ...protocols.tables import Protocol as Table
from ...protocols.verification.search import explore
from ...protocols.verification.story import Report
from ...protocols.verification.two_party import TwoParty
from ...protocols.vocabulary import Vocabulary
from ..errors import ScenarioError, of_plugins, right_names

Say = Callable[[str], None]
TABLES, UNASKED = "protocols", ("soak", "via-dso")


class Work(Protocol):
    """One exploration."""

    @property
    def name(self) -> str:
        """What it is called."""

    def run(self) -> Report:
        """Explore it."""


@dataclass(frozen=True)
class Between:
    """One protocol between two desks."""

    protocol: Table
    faults: int

    @property
    def name(self) -> str:
        """The protocol's name."""
        return self.protocol.name

    def run(self) -> Report:
        """Explore it."""
        return explore(TwoParty(self.protocol, faults=self.faults))


def works(vocabulary: Vocabulary, faults: int = 1) -> Mapping[str, tuple[Work, ...]]:
    """Everything that can be explored, by group."""
    found: dict[str, tuple[Work, ...]] = {TABLES: tuple(Between(p, faults) for p in vocabulary.protocols.values())}
    for name, tasks in TASKS.items():
        found[name] = tuple(task.with_faults(faults) for task in tasks())
    return found


def chosen(vocabulary: Vocabulary, names: Sequence[str], faults: int = 1) -> list[Work]:
    """What is named – a group, a protocol, one exploration – or all but `UNASKED`; ScenarioError if unknown."""
    by_group = works(vocabulary, faults)
    named = {**{work.name: (work,) for group in by_group.values() for work in group}, **by_group}
    for name in names:
        if name not in named:
            hint = f"{of_plugins(name)}; {right_names(name, named, (*by_group, 'and each protocol by its name'))}"
            raise ScenarioError(f"{name}: there is nothing of this name to verify; {hint}")
    return [work for name in names or [one for one in by_group if one not in UNASKED] for work in named[name]]


def verify(asked: Iterable[Work], say: Say = lambda _: None) -> list[Report]:
    """Explore, protocols here and agents in two processes; what came of each, and within which bounds."""
    asked = list(asked)
    tasks = [work for work in asked if isinstance(work, Task)]
    with ProcessPoolExecutor(max(1, min(2, os.cpu_count() or 1, len(tasks)))) as processes:
        explored = processes.map(_timed, tasks)
        reports = []
        for work in asked:
            report, seconds = next(explored) if isinstance(work, Task) else _timed(work)
            say(f"{report.line()}  {seconds:.1f} s\n    within: {'; '.join(report.bounds)}")
            reports.append(report)
    return reports


def _timed(work: Work) -> tuple[Report, float]:
    began = time.perf_counter()
    return work.run(), time.perf_counter() - began


def told(reports: Sequence[Report], began: float, *, diagrams: bool) -> Iterable[str]:
    """What was found, as sequences and if wanted as diagrams; then the sum."""
    for report in reports:
        for finding in report.findings:
            yield f"COUNTEREXAMPLE {report.name}"
            yield from finding.lines()
            if diagrams:
                yield finding.diagram()
    states, transitions = sum(r.states for r in reports), sum(r.transitions for r in reports)
    lasted_s = time.perf_counter() - began
    yield f"{len(reports)} explorations, {states:,} states, {transitions:,} transitions in {lasted_s:.1f} s"
    failed = sum(not report.passed for report in reports)
    yield f"verify failed: {failed} explorations" if failed else "verify passed: every rule holds in all of them"
