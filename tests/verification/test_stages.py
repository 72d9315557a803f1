"""Stages of the schemes hold, their reports say within which bounds, and what is cut off is not called complete."""

from collections.abc import Callable

import pytest

from gridpact.agents.verification.stages import (
    AWARDS,
    BESIDE_DSO,
    CALLS,
    LIMITS,
    NEW_ORDERS,
    OFFERS,
    ORDERS,
    PREQUALIFICATION,
    RESPONSE,
    SELECTION,
    SETTLEMENT,
    STAGES,
    SUBSCRIPTIONS,
    TASKS,
    Stage,
    Task,
)
from gridpact.protocols.verification.search import explore
from gridpact.protocols.verification.story import Report

Explore = Callable[..., Report]
SMALL = [
    *(Task("scenario-1-dso", stage) for stage in (CALLS, OFFERS, SUBSCRIPTIONS, SETTLEMENT)),
    *(Task("scenario-1-dso", stage, 0) for stage in (PREQUALIFICATION, SELECTION, AWARDS, ORDERS, LIMITS)),
    *(Task("scenario-1-dso", stage, 1, "dso") for stage in (PREQUALIFICATION, SELECTION, ORDERS, LIMITS)),
    Task("scenario-1-dso", ORDERS, 1, "bsp"),
    Task("scenario-1-dso", LIMITS, 0, "at any time"),
    Task("scenario-2", RESPONSE),
    Task("scenario-2", CALLS),
    Task("blind", ORDERS),
    Task("scenario-2-dso", NEW_ORDERS, 0, parts=BESIDE_DSO),
]


@pytest.mark.parametrize("task", SMALL, ids=lambda task: task.name)
def test_a_stage_holds(task: Task, report_of: Explore) -> None:
    report = report_of(task)
    assert report.passed, [line for finding in report.findings for line in finding.lines()]
    assert report.ends > 0


def test_every_stage_is_explored_with_each_party_silent_and_with_a_loss() -> None:
    for scheme, stages in STAGES.items():
        tasks = list(TASKS[scheme]())
        for stage in stages:
            own = [task for task in tasks if task.stage is stage]
            silent = {task.silent for task in own}
            others = {"aggregator"} if scheme != "scenario-2-dso" else set()
            others |= {"dso"} if scheme != "blind" else set()
            assert silent == {"nobody", "bsp", "at any time"} | others
            assert {task.faults for task in own if task.silent != "at any time"} == {1}


def test_contract_net_and_activation_are_explored_with_three_bsps() -> None:
    names = [task.stage.name for task in TASKS["three"]() if len(task.parts) == 3]
    assert names == ["calls", "offers", "selection", "schedules", "orders", "limits"]


def test_what_is_cut_off_is_not_called_complete() -> None:
    report = explore(Task("scenario-1-dso", SELECTION).world(), max_states=100)
    assert not report.complete
    assert not report.passed
    assert "CUT" in report.line()


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (Task("blind", CALLS), ("4 agents", "1995 to 2299 s", "at most 1 message lost or doubled", "nobody silent")),
        (Task("blind", CALLS, 0, "bsp"), ("4 agents", "1995 to 2299 s", "no message lost or doubled", "bsp silent")),
        (Task("blind", AWARDS, 0), ("4 agents", "at most 1 messages late at a time", "a need of 2 MW")),
        (Task("blind", NEW_ORDERS, 0), ("a need of 0 or 1 MW", "of capacity 1, of lists 1, of monitoring 1")),
    ],
)
def test_a_report_says_its_bounds(task: Task, told: tuple[str, ...]) -> None:
    bounds = "; ".join(explore(task.world()).bounds)
    assert all(text in bounds for text in told)


def test_the_same_is_explored_every_time(report_of: Explore) -> None:
    stage: Stage = OFFERS
    first, second = (report_of(Task("scenario-1-dso", stage, 0)) for _ in range(2))
    assert (first.states, first.transitions, first.ends) == (second.states, second.transitions, second.ends)
