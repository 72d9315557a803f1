"""A participant delivers: orders and limits become set-points of its resources, measurements go to who listens.

Activate ─▶ Activated, set-point     LimitOrder ─▶ set-point lowered, OfferModified
reading ─▶ Measurement to TSO and DSO (their subscriptions), counted into the order book
"""

from ...protocols.information.activation import (
    Activate,
    ActivateWhen,
    LimitOrder,
    MeasurementSubscription,
    SetPoint,
)
from ...protocols.messages import Agree, Cancel, Cancelled, Refuse
from ...protocols.stages import activation as stage
from ..actions import Note, Observe, Publish, Say, Wake
from ..agent import Reaction
from ..changes import replace
from ..energy import caught_up
from ..events import Event, Heard, Rejected, Silence, Woken
from ..ordering import END, START, Booked, cancel, over, take
from ..profiles import BspProfile
from . import limiting, outage
from .applying import applied
from .following import followed, missed, unheard
from .reading import ParticipantReading
from .standing import passed, standing_at
from .state import BspState

MEASURE = "activation/measure"
METER = "meter"
SET_POINTS = (stage.SET_POINTS, stage.SET_POINTS_PASSED_ON)


def react(profile: BspProfile, state: BspState, event: Event, now_us: int) -> Reaction[BspState]:
    """React to what concerns activation."""
    match event:
        case Woken(timer):
            return _woken(profile, state, timer, now_us)
        case Heard():
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected() if event.conversation.protocol in SET_POINTS:
            return unheard(profile, state, event, now_us)
        case Rejected():
            return _rejected(state, event.conversation.id, now_us)
        case _:
            return state, ()


def _woken(profile: BspProfile, state: BspState, timer: str, now_us: int) -> Reaction[BspState]:
    if timer == MEASURE:
        return state, (Observe(METER, profile.measurement_us, profile.calendar.end_us),)
    if timer.startswith(START):
        return applied(state, now_us)
    if timer.startswith(limiting.LAPSE):
        return limiting.lapsed(state, timer.removeprefix(limiting.LAPSE), now_us)
    return _booked(state, over(state.book, timer.removeprefix(END)), now_us)


def _rejected(state: BspState, conversation_id: str, now_us: int) -> Reaction[BspState]:
    """The peer has not understood us, which ends the branch: nothing is delivered or published in it any more."""
    state = _silenced(state, conversation_id)
    return applied(replace(state, book=state.book.ended(conversation_id)), now_us)


def _silenced(state: BspState, conversation_id: str) -> BspState:
    return replace(state, listeners=tuple(one for one in state.listeners if one != conversation_id))


def _hear(profile: BspProfile, state: BspState, event: Heard, now_us: int) -> Reaction[BspState]:
    conversation_id = event.conversation.id
    match event.content:
        case SetPoint() as set_point:
            return followed(state, event, set_point, now_us)
        case MeasurementSubscription() as wish:
            return _subscribed(profile, state, event, wish, now_us)
        case Activate() | ActivateWhen() as order:
            return _ordered(profile, state, event, order, now_us)
        case Cancel() if event.conversation.protocol.fipa == "fipa-subscribe":
            return _silenced(state, conversation_id), (Say(conversation_id, Cancelled()),)
        case Cancel():
            return _booked(state, cancel(state.book, conversation_id), now_us)
        case LimitOrder() as limit:
            return limiting.limited(profile, state, conversation_id, limit, now_us)
        case _:
            return state, ()


def _subscribed(
    profile: BspProfile, state: BspState, event: Heard, wish: MeasurementSubscription, now_us: int
) -> Reaction[BspState]:
    conversation_id = event.conversation.id
    if event.topic.initiator not in (profile.tso, profile.dso):
        return state, (Say(conversation_id, Refuse(reason="measurements are for the TSO and the DSO of the grid")),)
    begin = () if state.metering else (Wake(MEASURE, max(now_us, wish.start)),)
    listening = replace(state, listeners=(*state.listeners, conversation_id), metering=True)
    return listening, (Say(conversation_id, Agree()), *begin)


def _ordered(
    profile: BspProfile, state: BspState, event: Heard, order: Activate | ActivateWhen, now_us: int
) -> Reaction[BspState]:
    """Take an order, or refuse it with the reason; one that supersedes another ends that one."""
    conversation_id, orders = event.conversation.id, profile.relay or profile.tso
    if event.topic.initiator != orders:
        return state, (Say(conversation_id, Refuse(reason=f"orders come from {orders}")),)
    offer = state.book.offers.get(order.offer_id)
    if offer is not None and offer.resource in state.lost:
        return state, (Say(conversation_id, Refuse(reason=outage.reason(offer.resource))),)
    book, said = take(
        state.book.lapsed(now_us), conversation_id, order, now_us=now_us, answer_us=profile.patience.answer_us
    )
    if conversation_id not in book.tasks:
        return state, said
    evidence = {
        "name": "order taken",
        "offer_id": order.offer_id,
        "power_mw": order.power_mw,
        "resource": book.offers[order.offer_id].resource,
    }
    state, moves = applied(replace(state, book=book), now_us)
    return state, (*said, Note(stage.STAGE, "7.2", evidence), *moves)


def _booked(state: BspState, booked: Booked, now_us: int) -> Reaction[BspState]:
    """An order has ended: say so, and follow the book."""
    book, said = booked
    state, moves = applied(replace(state, book=book), now_us)
    return state, (*said, *moves)


def measured(profile: BspProfile, state: BspState, reading: object, now_us: int) -> Reaction[BspState]:
    """Publish a reading to all listeners, and count it."""
    assert isinstance(reading, ParticipantReading)
    state, failures = outage.seen(state, reading.resources)
    if state.book.wanted_mw:
        state, returns = missed(profile, state, now_us)
        failures += returns
    book = caught_up(state.book, reading.activated_mw, profile.measurement_us, reading.at_us)
    state = state if book is state.book else replace(state, book=book)
    standing = standing_at(profile, state, reading)
    said = Publish(state.listeners, standing.measurement, state.acknowledged)
    return passed(profile, state, standing, 1, reading.at_us), (*failures, said, *standing.moves)
