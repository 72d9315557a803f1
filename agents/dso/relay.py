"""Orders by way of the DSO: it passes them on to the participants in its grid, clipped by its limits.

    TSO ── Activate ─▶ DSO ── Activate, at most the limit in force ─▶ BSP
        ◀─ Activated ──    ◀─ Activated ──────────────────────────
        ── Cancel ──▶      ── Cancel ──▶            every answer goes back the same way

Two conversations, linked by `caused_by`. What the DSO does not know, or has limited to nothing, it refuses; when the
participant does not answer it says so to the TSO, and cancels what may be running there. What puts an offer of aFRR
under control is passed on as it is: limits lower the set-points that follow (set_points.py).
"""

from ...protocols.conversation import Conversation
from ...protocols.envelope import Topic
from ...protocols.information.activation import Activate, Activated, ActivateWhen, ActivationEnded
from ...protocols.messages import Cancel, Cancelled, CancelTooLate, Failure, Message, Refuse
from ...protocols.stages import activation as stage
from ...protocols.templates import CANCEL_EXPIRED
from ..actions import Note, Open, Say
from ..agent import Reaction
from ..changes import replace
from ..events import Heard, Rejected, Silence
from ..profiles import DsoProfile
from .state import DsoState, limit_key

ON = {
    stage.ACTIVATION_VIA_DSO.name: stage.ACTIVATION_PASSED_ON,
    stage.SCHEDULED_ACTIVATION_VIA_DSO.name: stage.SCHEDULED_ACTIVATION_PASSED_ON,
}
PROTOCOLS = frozenset({*ON, *(protocol.name for protocol in ON.values())})
LEAST_MW = 1e-3
ANSWERS = (Activated, ActivationEnded, Refuse, Failure, Cancelled, CancelTooLate)


def hear(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """Pass on what was heard, in either direction."""
    match event.content:
        case Activate() | ActivateWhen() as order:
            return _ordered(profile, state, event, order, now_us)
        case Cancel():
            return _cancelled(profile, state, event.conversation.id, now_us)
        case content if isinstance(content, ANSWERS):
            return _answered(state, event, content)
        case _:
            return state, ()


def _ordered(
    profile: DsoProfile, state: DsoState, event: Heard, order: Activate | ActivateWhen, now_us: int
) -> Reaction[DsoState]:
    conversation_id, offer = event.conversation.id, state.accepted.get(order.offer_id)
    known = offer is not None and offer.resource in state.connected
    if offer is None or not known or not profile.calendar.has(event.topic.period):
        return state, (Say(conversation_id, Refuse(reason=f"{order.offer_id} is no accepted offer in this grid")),)
    limit = state.limits.get(limit_key(offer)) if order.kind == "activate" else None
    moved_mw = sum(mw for _, mw in state.moved.get(offer.offer_id, ()))
    most_mw = order.power_mw if limit is None else round(limit.max_mw + moved_mw, 6)
    power_mw = min(order.power_mw, most_mw)
    if power_mw < LEAST_MW:
        reason = f"{offer.resource} is limited to {most_mw:g} MW"
        return state, (Say(conversation_id, Refuse(reason=reason)),)
    supersedes = state.passed_on.get(order.supersedes) if order.supersedes else None
    content = order.model_copy(update={"power_mw": power_mw, "supersedes": supersedes})
    topic = Topic(profile.name, stage.STAGE, event.topic.period, event.topic.subject, offer.participant)
    cause, reply_by_us = event.envelope.id, event.envelope.reply_by_us
    if reply_by_us is None:
        reply_by_us = now_us + profile.patience.answer_us
    opening = Open(ON[event.conversation.protocol.name], topic, content, reply_by_us, cause)
    state = replace(
        state,
        passed_on=state.passed_on.set(conversation_id, topic.conversation_id),
        came_from=state.came_from.set(topic.conversation_id, conversation_id),
    )
    clipped = {"name": "order clipped", "offer_id": order.offer_id, "ordered_mw": order.power_mw, "power_mw": power_mw}
    note = (Note(stage.STAGE, None, clipped),) if power_mw < order.power_mw else ()
    return state, (opening, *note)


def _cancelled(profile: DsoProfile, state: DsoState, conversation_id: str, now_us: int) -> Reaction[DsoState]:
    """The TSO cancels: cancel at the participant, or say that there is nothing left to cancel."""
    passed_on = state.passed_on.get(conversation_id)
    if passed_on is None or passed_on not in state.came_from:
        return state, (Say(conversation_id, CancelTooLate(reason="the order was over")),)
    if passed_on in state.unheard:
        return state, (Say(conversation_id, CancelTooLate(reason="the order has failed")),)
    if passed_on in state.cancelling:
        return state, ()
    until_us = now_us + profile.patience.answer_us // 2
    cancel = Say(passed_on, Cancel(reason="cancelled by the TSO"), until_us)
    return replace(state, cancelling=state.cancelling | {passed_on}), (cancel,)


def _answered(state: DsoState, event: Heard, content: Message) -> Reaction[DsoState]:
    """The participant answers: the TSO hears it, unless it waits for the answer to a cancel and this is none."""
    own = event.conversation.id
    asked = state.came_from.get(own)
    over = isinstance(content, Cancelled | CancelTooLate)
    if own in state.unheard and over:
        return _over(state, own), ()
    if asked is None or (own in state.cancelling and not over):
        return state, ()
    reply_by_us = event.envelope.reply_by_us if isinstance(content, Activated) else None
    if not isinstance(content, Activated):
        state = _over(state, own)
    return state, (Say(asked, content, reply_by_us, event.envelope.id),)


def _over(state: DsoState, own: str) -> DsoState:
    came_from = state.came_from.delete(own)
    return replace(state, came_from=came_from, cancelling=state.cancelling - {own}, unheard=state.unheard - {own})


def unanswered(profile: DsoProfile, state: DsoState, event: Silence | Rejected, now_us: int) -> Reaction[DsoState]:
    """A participant that does not answer is cancelled; the TSO hears that its order was not followed."""
    conversation, own = event.conversation, event.conversation.id
    asked = state.came_from.get(own)
    if conversation.protocol.name in ON or asked is None:
        return state, ()
    if isinstance(event, Rejected) and own in state.unheard:
        return _over(state, own), ()
    if isinstance(event, Rejected):
        return _over(state, own), (Say(asked, Failure(reason=f"{conversation.peer} has not understood the order")),)
    if conversation.state == CANCEL_EXPIRED:
        return _again(profile, state, conversation, now_us)
    if event.waited_in != "asked":
        return _over(state, own), (Say(asked, Failure(reason=f"{conversation.peer} has not reported the end")),)
    told = Say(asked, Failure(reason=f"{conversation.peer} does not answer"))
    stop = Say(own, Cancel(reason="no answer in time"), now_us + profile.patience.answer_us)
    return replace(state, cancelling=state.cancelling | {own}, unheard=state.unheard | {own}), (told, stop)


def _again(profile: DsoProfile, state: DsoState, conversation: Conversation, now_us: int) -> Reaction[DsoState]:
    """A cancel that was not answered is said again until the period is over; then the TSO is told, if it waits."""
    own = conversation.id
    if now_us < profile.calendar.period(conversation.topic.period).end_us:
        return state, (Say(own, Cancel(reason="no answer in time"), now_us + profile.patience.answer_us),)
    told = Say(state.came_from[own], CancelTooLate(reason=f"{conversation.peer} does not answer"))
    return _over(state, own), () if own in state.unheard else (told,)
