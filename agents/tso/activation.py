"""The TSO's activation: follow the need down the definitive MOL, keep the DSOs' limits, replace what they cut.

    area reading ─▶ need = −ACE + what is activated, averaged ─▶ target ─▶ orders (control.py)
    DSO's limit  ─▶ cap on the resource ─▶ passed on to the participant ─▶ replaced in the same control cycle
    measurement  ─▶ known activation

The orders are looked at once a control cycle, so that everything heard since the last one – a limit, a
refusal, a participant that does not answer – is replaced in the first cycle after it was heard.
"""

from ...protocols.envelope import Topic
from ...protocols.information.activation import (
    Activated,
    ActivationEnded,
    LimitFollowed,
    LimitRequest,
    Measurement,
    MeasurementSubscription,
    OfferModified,
)
from ...protocols.messages import Cancel, CancelTooLate, Failure, Refuse
from ...protocols.stages import activation as stage
from ...protocols.tables import Protocol
from ..actions import Action, Note, Observe, Open, Say, Wake
from ..agent import Reaction
from ..events import Event, Heard, Rejected, RoundClosed, Sampled, Silence, Started, Woken
from ..profiles import TsoProfile
from . import control, limits, quality
from .state import Known, TsoState

BEGIN, OVER = "activation/begin", "activation/over/"
ORDER_PROTOCOLS = (
    stage.ACTIVATION,
    stage.SCHEDULED_ACTIVATION,
    stage.DSO_ACTIVATION,
    stage.DSO_SCHEDULED_ACTIVATION,
)


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    """React to what concerns activation."""
    match event:
        case Started():
            ends = tuple(Wake(OVER + period.id, period.end_us - 1) for period in profile.calendar.periods)
            return state, (Wake(BEGIN, profile.calendar.first.start_us - profile.patience.follow_us), *ends)
        case Woken(timer) if timer == BEGIN:
            return _begin(profile, state)
        case Woken(timer):
            return quality.summary(profile, state, profile.calendar.period(timer.removeprefix(OVER)))
        case Sampled(reading=reading):
            return control.cycle(profile, state, reading, now_us)
        case RoundClosed(round_id):
            return limits.followed(state, round_id)
        case Heard():
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected():
            return _unanswered(profile, state, event)
        case _:
            return state, ()


def _begin(profile: TsoProfile, state: TsoState) -> Reaction[TsoState]:
    """Shortly before the first delivery: subscribe to measurements, and observe the area."""
    calendar = profile.calendar
    actions: list[Action] = [Observe("area", profile.control_us, calendar.end_us)]
    ask = MeasurementSubscription(per_point=True, start=calendar.first.start_us, end=calendar.end_us)
    for name in sorted(state.prequalification.qualified):
        by_dso = name in profile.dso_of_grid.values()
        protocol = stage.MEASUREMENTS_OF_DSO if by_dso else stage.MEASUREMENTS
        topic = Topic(profile.name, stage.STAGE, "delivery", "measurements", name)
        actions.append(Open(protocol, topic, ask, calendar.first.start_us))
    return state, tuple(actions)


def _hear(profile: TsoProfile, state: TsoState, event: Heard, now_us: int) -> Reaction[TsoState]:
    match event.content:
        case Measurement() as measurement:
            return _measured(profile, state, event, measurement)
        case LimitRequest() as request:
            return limits.requested(profile, state, event, request, now_us)
        case OfferModified() as modified:
            return limits.confirmed(state, event, modified), ()
        case Refuse(reason=reason) | Failure(reason=reason) if _is_order(event.conversation.protocol):
            return _failed(state, event, reason)
        case Activated() | ActivationEnded() | CancelTooLate() | LimitFollowed():
            return state, ()
        case _:
            return state, ()


def _is_order(protocol: Protocol) -> bool:
    return protocol in ORDER_PROTOCOLS


def _measured(profile: TsoProfile, state: TsoState, event: Heard, measurement: Measurement) -> Reaction[TsoState]:
    activation = state.activation
    name = event.conversation.peer
    known = activation.known.set(name, Known(measurement.activated_mw, measurement.measured_at))
    state = state.with_activation(known=known)
    if name in activation.subscribed:
        return state, ()
    state = state.with_activation(subscribed=activation.subscribed | {name})
    step = None if name in profile.dso_of_grid.values() else "7.4"
    return state, (Note(stage.STAGE, step, {"name": "first measurement received", "participant": name}),)


def _failed(state: TsoState, event: Heard | Silence | Rejected, reason: str) -> Reaction[TsoState]:
    """An order is not followed: take the offer as unavailable, so that the next cycle replaces it."""
    conversation_id = event.conversation.id
    lost = [offer_id for offer_id, order in state.activation.orders.items() if order.conversation_id == conversation_id]
    orders, failed = state.activation.orders, state.activation.failed
    for offer_id in sorted(lost):
        orders, failed = orders.delete(offer_id), failed | {offer_id}
    state = state.with_activation(orders=orders, failed=failed, changed=bool(lost) or state.activation.changed)
    evidence = {"name": "order not followed", "conversation_id": conversation_id, "reason": reason, "offer_ids": lost}
    return state, (Note(stage.STAGE, "7.5", evidence),)


def _unanswered(profile: TsoProfile, state: TsoState, event: Silence | Rejected) -> Reaction[TsoState]:
    protocol = event.conversation.protocol
    reason = "no answer in time" if isinstance(event, Silence) else "not understood"
    if not _is_order(protocol):
        evidence = {"name": "no answer", "conversation_id": event.conversation.id, "reason": reason}
        return state, (Note(stage.STAGE, None, evidence),)
    if isinstance(event, Silence) and event.waited_in == "agreed":
        return state, ()
    state, actions = _failed(state, event, reason)
    if isinstance(event, Silence) and event.conversation.state == "expired":
        actions = (*actions, Say(event.conversation.id, Cancel(reason="no answer in time")))
    return state, actions
