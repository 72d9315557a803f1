"""A limit at the participant: the output is lowered first, other units step in where they can, then it is confirmed.

LimitOrder ─▶ cap on the unit ─▶ what it takes is moved to other units of the portfolio, as far as they are free
           ─▶ set-points, reserve kept ─▶ OfferModified, a related revision of the offer
validity over ─▶ the cap is dropped; nothing rises until it is ordered anew
"""

from ...protocols.information.activation import LimitOrder, MovedPower, OfferModified
from ...protocols.information.offering import Offer
from ...protocols.messages import Refuse
from ...protocols.stages import activation as stage
from ..actions import Note, Say, Wake
from ..agent import Reaction
from ..changes import replace
from ..delivery import OrderBook
from ..profiles import BspProfile
from .applying import applied
from .reserve import turned
from .state import BspState

LAPSE = "activation/lapse/"


def limited(
    profile: BspProfile, state: BspState, conversation_id: str, order: LimitOrder, now_us: int
) -> Reaction[BspState]:
    """A limit: lower the output first, then confirm with a related revision of the offer."""
    limit = order.limit
    if not profile.owns(limit.resource):
        return state, (Say(conversation_id, Refuse(reason=f"{limit.resource} is no resource of ours")),)
    known = state.book.lapsed(now_us)
    book = known.capped(limit.resource, limit.direction, limit.max_mw, until_us=limit.valid_until, now_us=now_us)
    offer = book.offers.get(limit.offer_id)
    if offer is not None and offer.resource == limit.resource:
        book = book.moving(offer.offer_id, _moved(profile, book, offer, order))
    state, moves = applied(replace(state, book=book), now_us)
    state, turns = turned(state, now_us)
    answer, evidence = _answer(state, offer, order)
    lapses = Wake(f"{LAPSE}{limit.resource}|{limit.direction}", limit.valid_until)
    return state, (*moves, *turns, Note(stage.STAGE, "7.9", evidence), Say(conversation_id, answer), lapses)


def _moved(profile: BspProfile, book: OrderBook, offer: Offer, order: LimitOrder) -> tuple[tuple[str, float], ...]:
    """(resource, MW): what a limit takes of an offer, on other units named by the TSO that are ours and free."""
    left_mw, shares = offer.quantity_mw - order.limit.max_mw, []
    for unit in order.other_units:
        if left_mw > 0 and profile.owns(unit.resource):
            own = next(resource for resource in profile.resources if resource.id == unit.resource)
            most_mw = own.max_up_mw if offer.direction == "up" else own.max_down_mw
            free_mw = max(0.0, most_mw - book.committed_mw(unit.resource, offer))
            share_mw = round(min(left_mw, unit.max_mw, free_mw), 6)
            if share_mw > 0:
                shares.append((unit.resource, share_mw))
                left_mw -= share_mw
    return tuple(shares)


def _answer(state: BspState, offer: Offer | None, order: LimitOrder) -> tuple[OfferModified, dict[str, object]]:
    limit, book = order.limit, state.book
    lowered = offer is not None and limit.max_mw < offer.quantity_mw
    revision = offer.revised(limit.max_mw, "changes_required") if offer is not None and lowered else offer
    power_mw = abs(state.set_points.get(limit.resource, 0.0)) + state.reserve.armed.get(limit.resource, 0.0)
    shares = book.moved.get(limit.offer_id, ())
    moved = tuple(
        MovedPower(resource=r, max_mw=mw, power_mw=min(mw, abs(state.set_points.get(r, 0.0)))) for r, mw in shares
    )
    evidence: dict[str, object] = {
        "name": "offer modified",
        "offer_id": limit.offer_id,
        "revision": revision.offer_id if revision else None,
        "max_mw": limit.max_mw,
        "power_mw": power_mw,
    }
    if moved:
        evidence["moved"] = [one.model_dump(mode="json") for one in moved]
    return OfferModified(offer=revision, confirmed_mw=min(power_mw, limit.max_mw), moved=moved), evidence


def lapsed(state: BspState, key: str, now_us: int) -> Reaction[BspState]:
    """A limit's validity is over and it has not been renewed: it binds no more."""
    note = Note(stage.STAGE, None, {"name": "limit lapsed", "limited": key})
    state, moves = applied(replace(state, book=state.book.lapsed(now_us)), now_us)
    state, turns = turned(state, now_us)
    return state, (note, *moves, *turns)
