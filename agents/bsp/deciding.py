"""What a participant's bidding strategy decides about a call, checked before it is offered.

plans, qualification, availability, caps, earlier awards ─▶ BiddingView ─▶ strategy ─▶ bids that the agent can stand for
"""

import math
import re

from ...protocols.information.offering import CallForOffers, Offer
from ..calendar import MarketTimeUnit
from ..profiles import BidPlan, BspProfile
from ..strategies import Bid, BiddingView, Past, Plan, StrategyError
from .state import BspState

REVISION = re.compile(r"\.r\d+$")
PERIODS_BACK = 4


def decided(profile: BspProfile, state: BspState, call: CallForOffers, period: str, now_us: int) -> tuple[Bid, ...]:
    """What is offered in answer to a call; StrategyError for a bid that nobody could make."""
    view = BiddingView(
        participant=profile.name,
        period=period,
        product=call.product,
        direction=call.direction,
        least_mw=call.min_quantity_mw,
        step_mw=call.quantity_step_mw,
        plans=tuple(
            _plan(state, plan, now_us)
            for plan in profile.bids
            if (plan.product, plan.direction) == (call.product, call.direction)
        ),
        past=_past(profile, state, call, period, now_us),
    )
    bids = tuple(profile.bidding.bids(view)) if view.plans else ()
    for bid in bids:
        _check(profile, bid)
    return bids


def _plan(state: BspState, plan: BidPlan, now_us: int) -> Plan:
    key = f"{plan.resource}|{plan.direction}"
    capped_mw = state.book.caps.get(key) if state.book.cap_ends.get(key, 0) > now_us else None
    return Plan(
        plan.resource,
        plan.quantity_mw,
        plan.min_quantity_mw,
        plan.divisible,
        plan.price_eur_per_mwh,
        _usable_mw(state, plan),
        capped_mw,
    )


def _usable_mw(state: BspState, plan: BidPlan) -> float:
    """What a resource is qualified for and has available in a plan's direction."""
    qualified_mw = state.qualified.get(f"{plan.resource}|{plan.direction}", 0.0)
    available = state.available.get(plan.resource, (qualified_mw, qualified_mw))
    return min(qualified_mw, available[0 if plan.direction == "up" else 1])


def _past(profile: BspProfile, state: BspState, call: CallForOffers, period: str, now_us: int) -> tuple[Past, ...]:
    """Its own offers of the same kind in the last periods, with what was awarded; open ones are left out."""
    if not state.offered:
        return ()
    periods = profile.calendar.periods
    place = next(number for number, each in enumerate(periods) if each.id == period)
    found: list[Past] = []
    for earlier in periods[max(0, place - PERIODS_BACK) : place]:
        outcomes = [_outcome(state, offer) for offer in state.offered.get(_conversation(profile, call, earlier), ())]
        lapsed = now_us >= earlier.gate_closure_us + 2 * profile.patience.validation_us
        found += outcomes if lapsed or any(one.awarded_mw for one in outcomes) else []
    return tuple(found)


def _conversation(profile: BspProfile, call: CallForOffers, period: MarketTimeUnit) -> str:
    return f"{profile.tso}/offering/{period.id}/{call.product}-{call.direction}/{profile.name}"


def _outcome(state: BspState, offer: Offer) -> Past:
    accepted = [state.book.offers.get(f"{offer.offer_id}{revision}") for revision in ("", ".r1", ".r2")]
    awarded_mw = max((taken.quantity_mw for taken in accepted if taken is not None), default=0.0)
    return Past(offer.session, offer.resource, offer.quantity_mw, awarded_mw, offer.price_eur_per_mwh)


def _check(profile: BspProfile, bid: Bid) -> None:
    who = f"bidding strategy {type(profile.bidding).__name__} of {profile.name}"
    if not profile.owns(bid.resource):
        raise StrategyError(f"{who}: it bids with {bid.resource}, which is no resource of {profile.name}")
    sized = 0 <= bid.min_quantity_mw <= bid.quantity_mw and 0 < bid.quantity_mw < math.inf
    if not (sized and math.isfinite(bid.price_eur_per_mwh)):
        raise StrategyError(f"{who}: a bid has a finite price and 0 <= min_quantity_mw <= quantity_mw > 0, not {bid}")
