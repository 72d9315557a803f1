"""A participant follows the TSO's set-points: it subscribes once it has an offer of aFRR accepted, and applies each.

SetPointSubscription, to the TSO or to the DSO that passes them on
                     ─▶ Agree ─▶ SetPoint ─▶ shared over the offers under control ─▶ resources move
                                         └─▶ named by the next measurement, which acknowledges it
no set-point for the hold time ─▶ back to the baseline
"""

from collections.abc import Sequence

from ...protocols.envelope import Topic
from ...protocols.flow import Row
from ...protocols.information.activation import SetPoint, SetPointSubscription
from ...protocols.information.offering import Offer
from ...protocols.information.quantities import Product
from ...protocols.stages import activation as stage
from ..actions import Action, Note, Open
from ..agent import Reaction
from ..changes import replace
from ..events import Heard, Rejected, Silence
from ..profiles import BspProfile
from .applying import applied
from .state import BspState

PRODUCT: Product = "aFRR"
MAX_ATTEMPTS = 3


def listening(profile: BspProfile, state: BspState, offers: tuple[Offer, ...], now_us: int) -> Reaction[BspState]:
    """Subscribe to set-points if one of these accepted offers needs them and no subscription is asked for."""
    if state.subscriptions or not any(offer.product == PRODUCT for offer in offers):
        return state, ()
    return _subscribe(profile, state, now_us)


def _subscribe(profile: BspProfile, state: BspState, now_us: int) -> Reaction[BspState]:
    calendar, number = profile.calendar, len(state.subscriptions) + 1
    ask = SetPointSubscription(product=PRODUCT, start=calendar.first.start_us, end=calendar.end_us)
    subject = "set-points" if number == 1 else f"set-points.{number}"
    protocol = stage.SET_POINTS_PASSED_ON if profile.relay else stage.SET_POINTS
    topic = Topic(profile.name, stage.STAGE, "delivery", subject, profile.relay or profile.tso)
    opening: tuple[Action, ...] = (Open(protocol, topic, ask, now_us + profile.patience.answer_us),)
    return replace(state, subscriptions=(*state.subscriptions, topic.conversation_id)), opening


def unheard(profile: BspProfile, state: BspState, event: Silence | Rejected, now_us: int) -> Reaction[BspState]:
    """The TSO does not answer: ask again, a few times; if it has not understood, that would not help."""
    if isinstance(event, Rejected) or len(state.subscriptions) >= MAX_ATTEMPTS:
        return state, ()
    return _subscribe(profile, state, now_us)


def followed(state: BspState, event: Heard, set_point: SetPoint, now_us: int) -> Reaction[BspState]:
    """A set-point has come."""
    book = state.book.wanted(set_point.power_mw)
    heard = replace(state, book=book, acknowledged=event.envelope.id, set_point_us=now_us, misses=False)
    notes = (Note(stage.STAGE, None, {"name": "set-points no longer missing"}),) if state.misses else ()
    heard, moves = (heard, ()) if book is state.book else applied(heard, now_us)
    return heard, (*notes, *moves)


def repeats(state: BspState, content: object) -> bool:
    """Whether what is said is a set-point that asks for what is followed already."""
    return isinstance(content, SetPoint) and not state.misses and content.power_mw == state.book.wanted_mw


def acknowledging(state: BspState, message_id: str | None, received_us: int) -> BspState:
    """Set-points that change nothing have come, the last of them with this id at this time."""
    return replace(state, acknowledged=message_id, set_point_us=received_us)


def overheard(state: BspState, rows: Sequence[Row]) -> tuple[BspState, int]:
    """Set-points that say what is followed already; returns how many were taken, up to one that asks for a change."""
    taken = 0
    for row in rows:
        if not repeats(state, row.content):
            break
        taken += 1
    if not taken:
        return state, 0
    last = rows[taken - 1]
    assert last.received_us is not None
    return acknowledging(state, last.id, last.received_us), taken


def missed(profile: BspProfile, state: BspState, now_us: int) -> Reaction[BspState]:
    """No set-point has come for too long: the last one has been held, now the resources go back to their baseline.

    That is by their own ramps; the next set-point that comes is followed again.
    """
    wanted_mw = state.book.wanted_mw
    if not wanted_mw or now_us - state.set_point_us <= profile.hold_set_point_us:
        return state, ()
    evidence = {"name": "set-points missing, back to baseline", "held_mw": wanted_mw}
    state, moves = applied(replace(state, book=state.book.wanted(0.0), misses=True), now_us)
    return state, (Note(stage.STAGE, None, evidence), *moves)
