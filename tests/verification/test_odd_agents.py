"""Agents that misbehave are caught, each for its own reason, with the message sequence that shows it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.actions import Action, Actuate, Open, PublishEach, Say
from gridpact.agents.agent import Reaction
from gridpact.agents.events import Computed, Heard, Sampled, Silence, Woken
from gridpact.agents.tso import Tso
from gridpact.agents.tso.offering.acceptance import select_offers
from gridpact.agents.verification.actor import BUG, FAILS
from gridpact.agents.verification.agreement import BOUND, KNOWN, LIMITED, ORDERED, QUALIFIED
from gridpact.agents.verification.conduct import APPLIED_ABOVE, NOT_IN_MOL, SENT_ABOVE, UNVALIDATED
from gridpact.agents.verification.stages import (
    AFRR_LIMITS,
    AWARDS,
    LIMITS,
    OFFERS,
    ORDERS,
    PREQUALIFICATION,
    SELECTION,
    SETTLEMENT,
    Stage,
    Task,
)
from gridpact.protocols.envelope import Topic
from gridpact.protocols.information.activation import (
    Activate,
    ActivateWhen,
    FollowedLimit,
    LimitFollowed,
    LimitOrder,
    LimitRequest,
)
from gridpact.protocols.information.capacity import Application, TestOrder
from gridpact.protocols.information.offering import (
    Acceptance,
    AcceptanceNotice,
    DeliveryRecord,
    MeritOrderVerdict,
    Offers,
    Rejection,
    Withdrawal,
)
from gridpact.protocols.information.settlement import MeteredQuery, StatementAccepted
from gridpact.protocols.messages import Cancel
from gridpact.protocols.stages import offering, settlement
from gridpact.protocols.verification.search import STUCK
from gridpact.protocols.verification.story import Report

React = Callable[[Any, Any, int], Reaction[Any]]
Oddity = Callable[[Any, React, Any, Any, int], Reaction[Any]]
Explore = Callable[..., Report]


def heard(event: Any, content: type, *, late: bool | None = None) -> bool:
    return isinstance(event, Heard) and isinstance(event.content, content) and late in {None, event.late}


def with_content(event: Heard, **changes: Any) -> Heard:
    content = event.content.model_copy(update=changes)
    return event._replace(envelope=event.envelope._replace(content=content))


def without(actions: tuple[Action, ...], *kinds: type) -> tuple[Action, ...]:
    """Actions without those that say one of these contents, or are of one of these kinds."""
    return tuple(a for a in actions if not isinstance(getattr(a, "content", a), kinds))


def accepts_without_asking(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    state, actions = react(state, event, now_us)
    asked = [a for a in actions if isinstance(a, Open) and a.protocol is offering.MOL_VALIDATION]
    for opening in asked:
        key = f"{opening.topic.period}/{opening.topic.subject.removeprefix('mol-')}"
        state, more = select_offers(agent.profile, state, key)
        actions = (*(a for a in actions if a is not opening), *more)
    return state, actions


def reads_every_verdict_as_ok(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    if heard(event, MeritOrderVerdict):
        whole = tuple(v.model_copy(update={"verdict": "ok", "max_mw": 1.0}) for v in event.content.verdicts)
        event = with_content(event, verdicts=whole)
    return react(state, event, now_us)


def takes_silence_for_consent(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    lenient = replace(agent.profile, coordination=replace(agent.profile.coordination, silent_dso="accept"))
    return Tso(lenient).react(state, event, now_us)


def with_orders(change: Callable[[Any], dict[str, Any]]) -> Oddity:
    """A TSO whose orders carry something else."""

    def oddity(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
        state, actions = react(state, event, now_us)
        return state, tuple(
            a._replace(content=a.content.model_copy(update=change(a.content)))
            if isinstance(a, Open) and isinstance(a.content, Activate | ActivateWhen)
            else a
            for a in actions
        )

    return oddity


def forgets_limits_at_each_cycle(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    if isinstance(event, Sampled):
        state = state.with_activation(caps=type(state.activation.caps)(), changed=True)
    return react(state, event, now_us)


def confirms_limits_without_passing_them_on(
    agent: Any, react: React, state: Any, event: Any, now_us: int
) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    if not heard(event, LimitRequest):
        return after, actions
    done = tuple(FollowedLimit(offer_id=one.offer_id, confirmed_mw=one.max_mw) for one in event.content.limits)
    return after, (*without(actions, LimitOrder), Say(event.conversation.id, LimitFollowed(followed=done)))


def keeps_its_output_under_a_limit(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return after, without(actions, Actuate) if heard(event, LimitOrder) else actions


def forgets_the_limit_it_confirmed(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return (
        replace(after, book=replace(after.book, caps=state.book.caps)) if heard(event, LimitOrder) else after
    ), actions


def takes_a_late_award(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return replace(after, book=after.book.awarded(event.content.offers)) if heard(
        event, Acceptance, late=True
    ) else after, actions


def never_answers_late_offers(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    return (state, ()) if heard(event, Offers, late=True) else react(state, event, now_us)


def binds_itself_by_its_own_offer(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    for action in actions:
        if isinstance(action, Say) and isinstance(action.content, Offers):
            after = replace(after, book=after.book.awarded(action.content.offers))
    return after, actions


def cancels_but_goes_on_counting(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    cancels = any(isinstance(getattr(a, "content", None), Cancel) for a in actions)
    return after.with_activation(orders=state.activation.orders) if cancels else after, actions


def goes_on_after_a_cancel(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return (replace(after, book=state.book), without(actions, Actuate)) if heard(event, Cancel) else (after, actions)


def never_cancels_again(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    lost = isinstance(event, Silence) and event.waited_in == "cancelling"
    return after, without(actions, Cancel) if lost else actions


def drops_orders_that_it_does_not_cancel(
    agent: Any, react: React, state: Any, event: Any, now_us: int
) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return after, without(actions, Cancel)


def forgets_to_end_what_is_superseded(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    if heard(event, Activate) and len(after.book.tasks) == 1 and state.book.tasks:
        return replace(after, book=state.book), without(actions, Actuate)
    return after, actions


def says_its_record_twice(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    twice = [a for a in actions if isinstance(getattr(a, "content", None), DeliveryRecord | StatementAccepted)]
    return after, (*actions, *twice)


def ignores_the_order_of_a_test(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    return (state, ()) if heard(event, TestOrder) else react(state, event, now_us)


def forgets_that_it_has_been_asked(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    return (state, ()) if isinstance(event, Computed) and event.key.startswith("list/") else react(state, event, now_us)


def takes_itself_for_qualified(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    applies = any(isinstance(getattr(a, "content", None), Application) for a in actions)
    return replace(after, qualified=after.qualified.set("bsp 1|up", 1.0)) if applies else after, actions


def forgets_what_was_accepted(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return replace(after, accepted=state.accepted) if heard(event, AcceptanceNotice) else after, actions


def cannot_bear_silence(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    if isinstance(event, Silence):
        raise KeyError(event.conversation.id)
    return react(state, event, now_us)


def asks_without_a_deadline(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    return after, tuple(a._replace(reply_by_us=None) if isinstance(a, Open) else a for a in actions)


def speaks_for_the_tso(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    if not isinstance(event, Woken):
        return after, actions
    topic = Topic(agent.name, settlement.STAGE, "Q1", "metered", "dso")
    query = MeteredQuery(start=0, end=1, participants=(agent.name,))
    return after, (*actions, Open(settlement.METERED_ENERGY, topic, query, now_us + 1))


def withdraws_without_an_award(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    after, actions = react(state, event, now_us)
    late = heard(event, Rejection)
    return after, (*actions, Say(event.conversation.id, Withdrawal(reason="no"))) if late else actions


# who misbehaves, how, in which stage, and the rule that says so
ODD: dict[str, tuple[str, Oddity, Stage, str, str]] = {
    "accepts before the DSO has validated": ("tso", accepts_without_asking, SELECTION, UNVALIDATED, "no verdict on it"),
    "accepts more than validated": ("tso", reads_every_verdict_as_ok, SELECTION, UNVALIDATED, "1 MW accepted of 0"),
    "takes silence for consent": ("tso", takes_silence_for_consent, SELECTION, UNVALIDATED, "no verdict on it"),
    "orders what was not accepted": (
        "tso",
        with_orders(lambda order: {"offer_id": f"{order.offer_id}.x"}),
        AWARDS,
        NOT_IN_MOL,
        "0 MW accepted",
    ),
    "orders more than accepted": (
        "tso",
        with_orders(lambda order: {"power_mw": 2 * order.power_mw}),
        AWARDS,
        NOT_IN_MOL,
        "2 MW of",
    ),
    "forgets a limit when it orders again": ("tso", forgets_limits_at_each_cycle, LIMITS, SENT_ABOVE, "the limit is 0"),
    "does not pass a limit on": ("tso", confirms_limits_without_passing_them_on, LIMITS, LIMITED, "in force at bsp"),
    "keeps its output under a limit": ("bsp", keeps_its_output_under_a_limit, LIMITS, APPLIED_ABOVE, "bsp 1 at 1 MW"),
    "forgets the limit it confirmed": ("bsp", forgets_the_limit_it_confirmed, LIMITS, LIMITED, "in force at bsp"),
    "takes an award after its offer lapsed": ("bsp", takes_a_late_award, SELECTION, BOUND, "bsp is bound by"),
    "is bound by an offer alone": ("bsp", binds_itself_by_its_own_offer, OFFERS, BOUND, "bsp is bound by"),
    "never answers late offers": ("tso", never_answers_late_offers, OFFERS, STUCK, "tso in 'late'"),
    "cancels and goes on counting": ("tso", cancels_but_goes_on_counting, ORDERS, ORDERED, "nothing at bsp"),
    "goes on after a cancel": ("bsp", goes_on_after_a_cancel, ORDERS, ORDERED, "nothing at the TSO"),
    "never cancels again": ("tso", never_cancels_again, ORDERS, ORDERED, "nothing at the TSO"),
    "drops orders without a cancel": (
        "tso",
        drops_orders_that_it_does_not_cancel,
        ORDERS,
        ORDERED,
        "nothing at the TSO",
    ),
    "confirms a change that it does not make": (
        "bsp",
        forgets_to_end_what_is_superseded,
        replace(ORDERS, surroundings=replace(ORDERS.surroundings, needs_mw=(1.0, 0.5))),
        ORDERED,
        "0.5 MW",
    ),
    "says its answer twice": ("bsp", says_its_record_twice, SETTLEMENT, BUG, "delivery-record/1 in 'done'"),
    "ignores a test": ("bsp", ignores_the_order_of_a_test, PREQUALIFICATION, STUCK, "bsp in 'asked'"),
    "never gives its verdict": ("dso", forgets_that_it_has_been_asked, SELECTION, STUCK, "dso in 'asked'"),
    "takes itself for qualified": ("bsp", takes_itself_for_qualified, PREQUALIFICATION, QUALIFIED, "bsp 1|up 1 MW"),
    "forgets what was accepted": ("dso", forgets_what_was_accepted, SELECTION, KNOWN, "unknown to dso"),
    "fails": ("tso", cannot_bear_silence, OFFERS, FAILS, "tso: KeyError"),
    "asks without a deadline": ("tso", asks_without_a_deadline, SELECTION, BUG, "without reply-by"),
    "speaks in another's role": ("bsp", speaks_for_the_tso, OFFERS, BUG, "may not take the role TSO"),
    "withdraws what was not accepted": (
        "bsp",
        withdraws_without_an_award,
        SELECTION,
        BUG,
        "withdrawal/1 in 'rejected'",
    ),
}
NEED_A_LOSS = {"never cancels again"}


def asks_for_more_by_set_points(agent: Any, react: React, state: Any, event: Any, now_us: int) -> Reaction[Any]:
    state, actions = react(state, event, now_us)
    return state, tuple(
        a._replace(contents=tuple(_more(content) for content in a.contents)) if isinstance(a, PublishEach) else a
        for a in actions
    )


def _more(content: Any) -> Any:
    return content.model_copy(update={"power_mw": 2.0 * content.power_mw + 1.0})


@pytest.mark.parametrize(
    ("name", "oddity", "rule"),
    [
        ("tso", forgets_limits_at_each_cycle, SENT_ABOVE),
        ("tso", asks_for_more_by_set_points, NOT_IN_MOL),
        ("bsp", keeps_its_output_under_a_limit, APPLIED_ABOVE),
    ],
)
def test_an_agent_that_misbehaves_with_set_points_is_caught(
    name: str, oddity: Oddity, rule: str, report_of: Explore
) -> None:
    report = report_of(Task("scenario-1-dso", AFRR_LIMITS, faults=0, product="aFRR"), name, oddity)
    assert rule in [finding.wrong.rule for finding in report.findings]


@pytest.mark.parametrize("what", ODD)
def test_an_agent_that_misbehaves_is_caught_for_what_it_does(what: str, report_of: Explore) -> None:
    name, oddity, stage, rule, text = ODD[what]
    report = report_of(Task("scenario-1-dso", stage, faults=int(what in NEED_A_LOSS)), name, oddity)
    found = {finding.wrong.rule: finding for finding in report.findings}
    assert rule in found, sorted(found)
    assert text in found[rule].wrong.text
    assert found[rule].moments
