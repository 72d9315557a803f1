"""Signals by way of the DSO: the stages hold, and a DSO that raises what it passes on is caught."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gridpact.agents.actions import Publish
from gridpact.agents.agent import Reaction
from gridpact.agents.verification.conduct import RAISED, SENT_ABOVE
from gridpact.agents.verification.stages import AFRR_LIMITS, LIMITS, Task
from gridpact.protocols.information.activation import SetPoint
from gridpact.protocols.verification.story import Report

Explore = Callable[..., Report]
BY_DSO = Task("via-dso", replace(AFRR_LIMITS, settle_s=86_400), 0, product="aFRR")


def raises(agent: Any, react: Any, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    return changed(react(state, event, now_us), lambda power_mw: power_mw + 0.1)


def forgets_its_limits(agent: Any, react: Any, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    return react(replace(state, limits=type(state.limits)()), event, now_us)


def changed(reaction: Reaction[Any], change: Callable[[float], float]) -> Reaction[Any]:
    state, actions = reaction
    said = tuple(
        one._replace(content=SetPoint(product="aFRR", power_mw=change(one.content.power_mw)))
        if isinstance(one, Publish) and isinstance(one.content, SetPoint)
        else one
        for one in actions
    )
    return state, said


def test_orders_and_set_points_by_way_of_the_dso_keep_its_limits(report_of: Explore) -> None:
    for task in (BY_DSO, Task("via-dso", LIMITS, 0)):
        report = report_of(task)
        assert report.passed, [line for finding in report.findings for line in finding.lines()]


def test_a_dso_that_raises_a_set_point_is_caught(report_of: Explore) -> None:
    assert RAISED in [finding.wrong.rule for finding in report_of(BY_DSO, "dso", raises).findings]


def test_a_dso_that_passes_on_more_than_its_limit_is_caught(report_of: Explore) -> None:
    assert SENT_ABOVE in [finding.wrong.rule for finding in report_of(BY_DSO, "dso", forgets_its_limits).findings]
