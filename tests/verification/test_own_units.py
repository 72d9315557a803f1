"""A DSO that operates units of its grid itself: its limits on them hold, and one that forgets them is caught."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gridpact.agents.agent import Reaction
from gridpact.agents.dso.state import DsoState
from gridpact.agents.verification.stages import TASKS
from gridpact.protocols.verification.story import Report

Explore = Callable[..., Report]
LIMITED = next(task for task in TASKS["scenario-2-dso"]() if task.name == "scenario-2-dso limits")


def forgets_its_caps(agent: Any, react: Any, state: DsoState, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    book = replace(after.demand.book, caps=type(after.demand.book.caps)())
    return after.with_demand(book=book), actions


def test_limits_of_what_the_dso_operates_itself_hold(report_of: Explore) -> None:
    report = report_of(LIMITED)
    assert report.passed, [line for finding in report.findings for line in finding.lines()]


def test_a_dso_that_does_not_keep_what_it_told_the_tso_is_caught(report_of: Explore) -> None:
    assert report_of(LIMITED, "dso", forgets_its_caps).findings
