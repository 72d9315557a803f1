"""A DSO that operates units of its grid itself: its limits on them hold, and one that forgets them is caught."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gridpact.agents.agent import Reaction
from gridpact.agents.dso.state import DsoState
from gridpact.agents.events import Heard
from gridpact.agents.verification.agreement import ORDERED
from gridpact.agents.verification.stages import BESIDE_DSO, NEW_ORDERS, TASKS, Task
from gridpact.protocols.messages import Cancel
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


def goes_on_after_a_cancel(agent: Any, react: Any, state: DsoState, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    cancelled = isinstance(event, Heard) and isinstance(event.content, Cancel)
    direct = cancelled and event.conversation.protocol.name == "dso-activation"
    return (after.with_demand(book=state.demand.book) if direct else after), actions


def test_a_dso_that_goes_on_with_an_order_that_is_cancelled_in_its_period_is_caught(report_of: Explore) -> None:
    report = report_of(Task("scenario-2-dso", NEW_ORDERS, 0, parts=BESIDE_DSO), "dso", goes_on_after_a_cancel)
    assert ORDERED in [finding.wrong.rule for finding in report.findings]
