"""A DSO's limit on containment reserve: what it leaves is still kept, what it takes is bought again for the time left.

    LimitRequest on an awarded resource ─▶ cap, passed on as any other (limits.py) ─▶ less reserve is held
        next control cycle ─▶ called for again among all who are qualified ─▶ awarded, or short with the reason
        one call at a time: what is missing beyond it waits until its awards are in force

Reserve is a symmetric product, so a limit in one direction takes it in both. A limit that is lifted gives the reserve
back; what was bought in its place stays bought.
"""

from collections.abc import Iterable, Mapping

from ....protocols.information.activation import LimitRequest
from ....protocols.information.offering import Offer
from ....protocols.information.quantities import US_PER_S
from ....protocols.stages import reserve as stage
from ...actions import Note, Wake
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...market.reserve import Award
from ...profiles import TsoProfile
from ..state import TsoState, cap_key
from .tender import Tender

CALL = "reserve/call/"
ANSWER_US, BEGIN_US = 60 * US_PER_S, 60 * US_PER_S
LEAST_MW = 1e-6


def limitable(state: TsoState, request: LimitRequest, grids: Iterable[str]) -> dict[str, Offer]:
    """The awards in these grids that a request is about, as offers in the direction that it limits, by id."""
    inside = set(grids)
    awards = {a.offer.offer_id: a for _, own in sorted(state.reserve.awards.items()) for a in own}
    found = {}
    for limit in request.limits:
        award = awards.get(limit.offer_id)
        if award is not None and award.offer.grid in inside and award.offer.resource == limit.resource:
            found[limit.offer_id] = _as_offer(award, limit.direction == "up")
    return found


def _as_offer(award: Award, up: bool) -> Offer:
    offer = award.offer
    return Offer(
        offer_id=offer.offer_id,
        participant=offer.participant,
        session=offer.session,
        product="FCR",
        direction="up" if up else "down",
        quantity_mw=award.awarded_mw,
        price_eur_per_mwh=0.0,
        delivery_start=offer.delivery_start,
        delivery_end=offer.delivery_end,
        grid=offer.grid,
        resource=offer.resource,
        submitted_at=offer.submitted_at,
    )


def room_mw(state: TsoState, participant: str, resource: str) -> float:
    """The most that limits leave of a resource in both directions."""
    caps = state.activation.caps
    return min(caps.get(cap_key(participant, resource, way), float("inf")) for way in ("up", "down"))


def held(state: TsoState, awards: Iterable[Award]) -> Mapping[str, float]:
    """MW that can be kept of each of these awards, by offer; a limit binds the resource that they share."""
    left: dict[tuple[str, str], float] = {}
    found = {}
    for offer, awarded_mw in awards:
        key = offer.participant, offer.resource
        room = left.setdefault(key, room_mw(state, *key))
        found[offer.offer_id] = min(awarded_mw, room)
        left[key] = room - found[offer.offer_id]
    return found


def missed(profile: TsoProfile, state: TsoState, now_us: int) -> Reaction[TsoState]:
    """What limits take of the awards in force, beyond what has been called for again, is called for now."""
    rules = profile.reserve
    if rules is None or not state.activation.caps:
        return state, ()
    period = next((one for one in rules.periods if one.start_us <= now_us < one.end_us), None)
    if period is None:
        return state, ()
    awards, called = state.reserve.awards.get(period.id, ()), _called(state, period)
    if any(now_us < tender.start_us for tender in called):
        return state, ()
    keeps = held(state, awards)
    lost_mw = sum(award.awarded_mw - keeps[award.offer.offer_id] for award in awards)
    missing_mw = round(lost_mw - sum(tender.need_mw for tender in called), 6)
    if missing_mw < LEAST_MW:
        return state, ()
    start_us = now_us + ANSWER_US + BEGIN_US
    tender = Tender(period.id, missing_mw, now_us + ANSWER_US, start_us, period.end_us, number=len(called) + 2)
    state = state.with_reserve(again=state.reserve.again.set(tender.key, tender))
    limited = {a.offer.offer_id: keeps[a.offer.offer_id] for a in awards if keeps[a.offer.offer_id] < a.awarded_mw}
    evidence = {"name": "reserve limited", "period": period.id, "missing_mw": missing_mw, "kept_mw": limited}
    if start_us >= period.end_us:
        evidence["reason"] = "not bought again: the period is over before it could begin"
        return state, (Note(stage.STAGE, None, evidence),)
    return state, (Note(stage.STAGE, None, evidence), Wake(CALL + tender.key, now_us))


def _called(state: TsoState, period: MarketTimeUnit) -> list[Tender]:
    return [tender for _, tender in sorted(state.reserve.again.items()) if tender.period == period.id]
