"""Containment reserve holds in every turn of events, and who keeps it otherwise than awarded is caught."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.agent import Reaction
from gridpact.agents.events import Heard
from gridpact.agents.verification.agreement import KEPT, UNKNOWN_RESERVE
from gridpact.agents.verification.stages import FCR_STAGES, Stage, Task
from gridpact.protocols.information.reserve import ReserveAward, ReserveNotice
from gridpact.protocols.verification.story import Report

React = Callable[[Any, Any, int], Reaction[Any]]
Explore = Callable[..., Report]
BY_NAME: dict[str, Stage] = {stage.name: stage for stage in FCR_STAGES}


def task(stage: str, faults: int = 0, silent: str = "nobody") -> Task:
    return Task("scenario-1-dso", BY_NAME[stage], faults, silent, product="FCR")


SMALL = [task("tender"), task("reserve-offers", 1), task("reserve", 1), task("kept", 1), task("settlement", 1)]


@pytest.mark.parametrize("small", SMALL, ids=lambda small: small.name)
def test_a_stage_of_reserve_holds(small: Task, report_of: Explore) -> None:
    report = report_of(small)
    assert report.passed, [line for finding in report.findings for line in finding.lines()]
    assert report.ends > 0


def keeps_more_than_awarded(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    state, actions = react(state, event, now_us)
    if isinstance(event, Heard) and isinstance(event.content, ReserveAward):
        awarded = state.reserve.awarded
        for key, awards in sorted(awarded.items()):
            more = tuple(award.model_copy(update={"quantity_mw": 2 * award.quantity_mw}) for award in awards)
            awarded = awarded.set(key, more)
        state = replace(state, reserve=replace(state.reserve, awarded=awarded))
    return state, actions


def forgets_what_it_confirms(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    noticed = isinstance(event, Heard) and isinstance(event.content, ReserveNotice)
    return (replace(after, reserves=state.reserves) if noticed else after), actions


@pytest.mark.parametrize(
    ("name", "oddity", "rule"),
    [("bsp", keeps_more_than_awarded, KEPT), ("dso", forgets_what_it_confirms, UNKNOWN_RESERVE)],
    ids=["keeps more than awarded", "forgets what it confirms"],
)
def test_an_agent_that_(name: str, oddity: Any, rule: str, report_of: Explore) -> None:
    report = report_of(task("reserve"), name, oddity)
    assert rule in {finding.wrong.rule for finding in report.findings}
