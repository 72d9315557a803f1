"""`gridpact verify`: explore every two-party protocol exhaustively, and say within which bounds.

Each protocol is explored between two desks – the very ones that run – in every order of delivery, with silence
at any time and at most a number of messages lost or doubled. What is found is told as a message sequence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from ..protocols.tables import Protocol
from ..protocols.verification.search import explore
from ..protocols.verification.story import Report
from ..protocols.verification.two_party import TwoParty
from ..protocols.vocabulary import Vocabulary
from .errors import ScenarioError

Say = Callable[[str], None]


def chosen(vocabulary: Vocabulary, names: Sequence[str]) -> list[Protocol]:
    """The protocols asked for, all if none is named; ScenarioError for an unknown name."""
    for name in names:
        if name not in vocabulary.protocols:
            known = ", ".join(vocabulary.protocols)
            raise ScenarioError(f"{name}: there is no such protocol; known are: {known}")
    return [vocabulary.protocols[name] for name in names or vocabulary.protocols]


def verify(protocols: Iterable[Protocol], *, faults: int = 1, say: Say = lambda _: None) -> list[Report]:
    """Explore protocols with up to `faults` messages lost or doubled; a line for each as it is done."""
    reports = []
    for protocol in protocols:
        reports.append(explore(TwoParty(protocol, faults=faults)))
        say(reports[-1].line())
    return reports


def told(reports: Sequence[Report], began: float, *, diagrams: bool) -> Iterable[str]:
    """What was found, as sequences and if wanted as diagrams; then the bounds and the sum."""
    for report in reports:
        for finding in report.findings:
            yield f"COUNTEREXAMPLE {report.name}"
            yield from finding.lines()
            if diagrams:
                yield finding.diagram()
    bounds = dict.fromkeys(bound for report in reports for bound in report.bounds)
    states, transitions = sum(r.states for r in reports), sum(r.transitions for r in reports)
    yield f"bounds: {'; '.join(bounds)}"
    lasted_s = time.perf_counter() - began
    yield f"{len(reports)} protocols, {states:,} states, {transitions:,} transitions in {lasted_s:.1f} s"
    failed = sum(not report.passed for report in reports)
    yield f"verify failed: {failed} protocols" if failed else "verify passed: every rule holds in all of them"
