"""A participant delivers: orders and limits become set-points of its resources, measurements go to who listens.

Activate ─▶ Activated, set-point     LimitOrder ─▶ set-point lowered, OfferModified
reading ─▶ Measurement to TSO and DSO (their subscriptions), counted into the order book
"""

from dataclasses import replace

from ...protocols.information.activation import (
    Activate,
    Activated,
    ActivateWhen,
    ActivationEnded,
    LimitOrder,
    Measurement,
    MeasurementSubscription,
    OfferModified,
)
from ...protocols.messages import Agree, Cancel, Cancelled, CancelTooLate, Message, Refuse
from ...protocols.stages import activation as stage
from ..actions import Action, Actuate, Note, Observe, Publish, Say, Wake
from ..agent import Reaction
from ..events import Event, Heard, Sampled, Woken
from ..profiles import BspProfile
from .reading import ParticipantReading
from .state import BspState

MEASURE, START, END = "activation/measure", "activation/start/", "activation/end/"
METER = "meter"


def react(profile: BspProfile, state: BspState, event: Event, now_us: int) -> Reaction[BspState]:
    """React to what concerns activation."""
    match event:
        case Woken(timer) if timer == MEASURE:
            return state, (Observe(METER, profile.measurement_us, profile.calendar.end_us),)
        case Woken(timer) if timer.startswith(START):
            return applied(state, now_us)
        case Woken(timer):
            return _over(state, timer.removeprefix(END), now_us)
        case Sampled(reading=reading):
            return _measured(profile, state, reading, now_us)
        case Heard():
            return _hear(profile, state, event, now_us)
        case _:
            return state, ()


def _hear(profile: BspProfile, state: BspState, event: Heard, now_us: int) -> Reaction[BspState]:
    conversation_id = event.conversation.id
    match event.content:
        case MeasurementSubscription() as wish:
            return _subscribed(state, conversation_id, wish, now_us)
        case Activate() | ActivateWhen() as order:
            return _ordered(profile, state, conversation_id, order, now_us)
        case Cancel() if event.conversation.protocol.fipa == "fipa-subscribe":
            listeners = tuple(listener for listener in state.listeners if listener != conversation_id)
            return replace(state, listeners=listeners), (Say(conversation_id, Cancelled()),)
        case Cancel():
            return _cancelled(state, conversation_id, now_us)
        case LimitOrder() as limit:
            return _limited(state, conversation_id, limit, now_us)
        case _:
            return state, ()


def _subscribed(
    state: BspState, conversation_id: str, wish: MeasurementSubscription, now_us: int
) -> Reaction[BspState]:
    begin = () if state.listeners else (Wake(MEASURE, max(now_us, wish.start)),)
    listening = replace(state, listeners=(*state.listeners, conversation_id))
    return listening, (Say(conversation_id, Agree()), *begin)


def _ordered(
    profile: BspProfile, state: BspState, conversation_id: str, order: Activate | ActivateWhen, now_us: int
) -> Reaction[BspState]:
    """Take an order, or refuse it with the reason; one that supersedes another ends that one."""
    fault = state.book.fault(order, now_us)
    if fault is not None:
        return state, (Say(conversation_id, Refuse(reason=fault)),)
    book = state.book
    ending: tuple[Action, ...] = ()
    if order.supersedes in book.tasks:
        superseded = str(order.supersedes)
        book = book.ended(superseded)
        ended = ActivationEnded(offer_id=order.offer_id, reason="superseded")
        ending = (Say(superseded, ended),)
    scheduled = order.start > now_us
    status = Activated(offer_id=order.offer_id, product=order.product, status="scheduled" if scheduled else "activated")
    confirm = Say(conversation_id, status, order.end + profile.patience.answer_us)
    timers: tuple[Action, ...] = (Wake(END + conversation_id, order.end),)
    if scheduled:
        timers = (Wake(START + conversation_id, order.start), *timers)
    state = replace(state, book=book.taken(conversation_id, order))
    evidence = {
        "name": "order taken",
        "offer_id": order.offer_id,
        "power_mw": order.power_mw,
        "resource": book.offers[order.offer_id].resource,
    }
    state, moves = applied(state, now_us)
    return state, (*ending, confirm, *timers, Note(stage.STAGE, "7.2", evidence), *moves)


def applied(state: BspState, now_us: int) -> Reaction[BspState]:
    """Bring the resources' set-points in line with the order book."""
    wanted = state.book.set_points(now_us)
    moves = tuple(Actuate(r, mw) for r, mw in sorted(wanted.items()) if state.set_points.get(r, 0.0) != mw)
    return replace(state, set_points=state.set_points.update(wanted)), moves


def _over(state: BspState, conversation_id: str, now_us: int) -> Reaction[BspState]:
    """An order's time has come to its end."""
    task = state.book.tasks.get(conversation_id)
    if task is None:
        return state, ()
    state, moves = applied(replace(state, book=state.book.ended(conversation_id)), now_us)
    ended = ActivationEnded(offer_id=task.offer_id, reason="delivered")
    return state, (Say(conversation_id, ended), *moves)


def _cancelled(state: BspState, conversation_id: str, now_us: int) -> Reaction[BspState]:
    """The TSO cancels: stop, or say that it was over already."""
    answer: Message = CancelTooLate(reason="the order was over")
    if conversation_id in state.book.tasks:
        answer = Cancelled()
    state, moves = applied(replace(state, book=state.book.ended(conversation_id)), now_us)
    return state, (Say(conversation_id, answer), *moves)


def _limited(state: BspState, conversation_id: str, order: LimitOrder, now_us: int) -> Reaction[BspState]:
    """A limit: lower the output first, then confirm with a related revision of the offer."""
    limit = order.limit
    book = state.book.capped(limit.resource, limit.direction, limit.max_mw)
    state, moves = applied(replace(state, book=book), now_us)
    offer = book.offers.get(limit.offer_id)
    lowered = offer is not None and limit.max_mw < offer.quantity_mw
    revision = offer.revised(limit.max_mw, "changes_required") if offer is not None and lowered else offer
    power_mw = abs(state.set_points.get(limit.resource, 0.0))
    evidence = {
        "name": "offer modified",
        "offer_id": limit.offer_id,
        "revision": revision.offer_id if revision else None,
        "max_mw": limit.max_mw,
        "power_mw": power_mw,
    }
    answer = OfferModified(offer=revision, confirmed_mw=min(power_mw, limit.max_mw))
    return state, (*moves, Note(stage.STAGE, "7.9", evidence), Say(conversation_id, answer))


def _measured(profile: BspProfile, state: BspState, reading: object, now_us: int) -> Reaction[BspState]:
    """Publish a reading to all listeners, and count it."""
    assert isinstance(reading, ParticipantReading)
    measurement = Measurement(
        participant=profile.name,
        measured_at=reading.at_us,
        p_mw=reading.p_mw,
        q_mvar=reading.q_mvar,
        activated_mw=reading.activated_mw,
        baseline_mw=reading.baseline_mw,
        set_point_mw=round(sum(state.set_points.values()), 6),
        points=reading.points,
    )
    book = state.book.metered(reading.activated_mw, profile.measurement_us, now_us)
    counted = replace(state, book=book, measured_mw=reading.activated_mw)
    return counted, (Publish(state.listeners, measurement),)
