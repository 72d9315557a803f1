"""The TSO's activation: follow the need down the definitive MOL, keep the DSOs' limits, replace what they cut.

    area reading ─▶ ACE ─▶ set-points of aFRR; need, averaged ─▶ orders of mFRR (control.py)
    DSO's limit  ─▶ cap on the resource ─▶ passed on to the participant ─▶ replaced in the same control cycle
    measurement  ─▶ known activation

The orders are looked at once a control cycle, so that everything heard since the last one – a limit, a
refusal, a participant that does not answer – is replaced in the first cycle after it was heard.
"""

from ....protocols.envelope import Topic
from ....protocols.information.activation import (
    Activated,
    ActivationEnded,
    LimitRequest,
    Measurement,
    MeasurementSubscription,
    OfferModified,
)
from ....protocols.messages import Failure, Refuse
from ....protocols.stages import activation as stage
from ....protocols.tables import Protocol
from ....protocols.templates import CANCEL_EXPIRED
from ...actions import Action, Note, Observe, Open, Wake
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...events import Event, Heard, Rejected, RoundClosed, Silence, Started, Woken
from ...market.regulation import Controller
from ...profiles import TsoProfile
from .. import control, measurements
from ..afrr import requests, talk
from ..reserve import watch as reserve_watch
from ..state import TsoState
from . import limits, orders, quality

BEGIN, OVER = "activation/begin", "activation/over/"
ORDER_PROTOCOLS = (
    stage.ACTIVATION,
    stage.SCHEDULED_ACTIVATION,
    stage.DSO_ACTIVATION,
    stage.DSO_SCHEDULED_ACTIVATION,
    *stage.VIA_DSO,
)


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    """React to what concerns activation."""
    of_afrr = talk.react(profile, state, event, now_us)
    return of_afrr if of_afrr is not None else _react(profile, state, event, now_us)


def _react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    match event:
        case Started():
            ends = tuple(Wake(OVER + period.id, period.end_us - 1) for period in profile.calendar.periods)
            begin = Wake(BEGIN, profile.calendar.first.start_us - profile.patience.follow_us)
            return state, (begin, *requests.timers(profile), *ends)
        case Woken(timer) if timer == BEGIN:
            return _begin(profile, state)
        case Woken(timer):
            return _over(profile, state, profile.calendar.period(timer.removeprefix(OVER)))
        case RoundClosed(round_id):
            return limits.followed(state, round_id)
        case Heard():
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected():
            return _unanswered(profile, state, event, now_us)
        case _:
            return state, ()


def sampled(profile: TsoProfile, state: TsoState, reading: object, now_us: int) -> Reaction[TsoState]:
    """A control cycle."""
    return control.cycle(profile, reserve_watch.looked(profile, state, reading, now_us), reading, now_us)


def _over(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> Reaction[TsoState]:
    """A period ends; after the last there is nothing to order any more, so no demand is followed."""
    if period == profile.calendar.last:
        state = state.with_activation(target_mw=0.0).with_regulation(controller=Controller())
    return quality.summary(profile, state, period)


def _begin(profile: TsoProfile, state: TsoState) -> Reaction[TsoState]:
    """Shortly before the first delivery: subscribe to measurements, and observe the area."""
    calendar = profile.calendar
    actions: list[Action] = [Observe("area", profile.control_us, calendar.end_us - 1)]
    ask = MeasurementSubscription(per_point=True, start=calendar.first.start_us, end=calendar.end_us)
    for name in sorted(state.prequalification.qualified):
        by_dso = name in profile.dsos
        protocol = stage.MEASUREMENTS_OF_DSO if by_dso else stage.MEASUREMENTS
        topic = Topic(profile.name, stage.STAGE, "delivery", "measurements", name)
        actions.append(Open(protocol, topic, ask, calendar.first.start_us))
    return state, tuple(actions)


def _hear(profile: TsoProfile, state: TsoState, event: Heard, now_us: int) -> Reaction[TsoState]:
    match event.content:
        case Measurement() as measurement:
            return measurements.heard(profile, state, event, measurement, now_us)
        case LimitRequest() as request:
            return limits.requested(profile, state, event, request, now_us)
        case OfferModified() as modified:
            return limits.confirmed(state, event, modified)
        case Activated():
            return orders.confirmed(state, event.conversation), ()
        case ActivationEnded(reason="superseded") if orders.in_force(state, event.conversation):
            return orders.failed(profile, state, event, "superseded by nothing that was ordered", now_us)
        case ActivationEnded():
            return orders.ended(state, event.conversation), ()
        case Refuse(reason=reason) | Failure(reason=reason) if _is_order(event.conversation.protocol):
            return _not_followed(profile, state, event, reason, now_us)
        case _:
            return state, ()


def _not_followed(
    profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected, reason: str, now_us: int
) -> Reaction[TsoState]:
    """An order is refused, has failed, or is not answered."""
    of_afrr = talk.unfollowed(state, event, reason)
    return of_afrr if of_afrr is not None else orders.failed(profile, state, event, reason, now_us)


def _is_order(protocol: Protocol) -> bool:
    return protocol in ORDER_PROTOCOLS


def _unanswered(profile: TsoProfile, state: TsoState, event: Silence | Rejected, now_us: int) -> Reaction[TsoState]:
    conversation = event.conversation
    reason = "no answer in time" if isinstance(event, Silence) else "not understood"
    if not _is_order(conversation.protocol):
        if conversation.protocol is stage.LIMIT:
            state = limits.dropped(state, conversation.id)
        evidence = {"name": "no answer", "conversation_id": conversation.id, "reason": reason}
        return state, (Note(stage.STAGE, None, evidence),)
    if isinstance(event, Silence) and event.waited_in == "agreed":
        return state, ()
    state, actions = _not_followed(profile, state, event, reason, now_us)
    again = conversation.state == CANCEL_EXPIRED and now_us < profile.calendar.period(conversation.topic.period).end_us
    if isinstance(event, Silence) and (again or conversation.state == "expired"):
        actions = (*actions, *orders.cancelled(profile, (conversation.id,), reason, now_us))
    return state, actions
