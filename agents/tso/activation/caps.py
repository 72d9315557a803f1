"""The accepted offers, and what limits, failures and poor service leave of them; for orders and for set-points."""

from collections.abc import Mapping

from ....protocols.information.offering import Offer
from ....protocols.information.quantities import Product
from ...calendar import MarketTimeUnit
from ...changes import Span, derived_now
from ...market.merit_order import Position
from ...profiles import TsoProfile
from ..state import TsoState, cap_key
from . import portfolio


def offers_at(profile: TsoProfile, state: TsoState, now_us: int) -> dict[str, Offer]:
    """The accepted offers of the period that is being delivered, by id."""
    period = profile.calendar.at(now_us)
    if period is None:
        return {}
    definitive = state.offering.definitive

    def made() -> Span:
        lists = [definitive.get(f"{period.id}/{need.subject}", ()) for need in profile.needs]
        offers = {position.offer.offer_id: position.offer for positions in lists for position in positions}
        return Span(period.start_us, period.end_us, offers)

    found: dict[str, Offer] = derived_now(state.offering, "~present", (definitive,), now_us, made)
    return found


def accepted(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, product: Product) -> list[Offer]:
    """The accepted offers of a product in a period: need by need, each in merit order."""
    lists = [state.offering.definitive.get(f"{period.id}/{need.subject}", ()) for need in profile.needs_of(product)]
    return [position.offer for positions in lists for position in positions]


def caps(state: TsoState, positions: tuple[Position, ...]) -> Mapping[str, float]:
    """The most that may be ordered of each offer that a limit binds, that delivers less, or that has failed.

    A limit binds a resource, so it is shared in merit order by the offers that use the resource.
    """
    activation = state.activation
    left = dict(activation.caps.items())
    most: dict[str, float] = {}
    for position in positions:
        offer = position.offer
        key = cap_key(offer.participant, offer.resource, offer.direction)
        deliverable_mw = 0.0 if offer.offer_id in activation.failed else activation.derated.get(offer.offer_id)
        if deliverable_mw is None and key not in left:
            continue
        wanted_mw = min(position.accepted_mw, position.accepted_mw if deliverable_mw is None else deliverable_mw)
        most[offer.offer_id] = portfolio.most_mw(state, offer, wanted_mw, left)
    return most
