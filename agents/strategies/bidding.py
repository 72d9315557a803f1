"""What a BSP or an aggregator offers, and at which price.

    CallForOffers ─▶ BiddingView: its plans, what is usable, how earlier periods went ─▶ Bidding.bids ─▶ Bid, …

Asked twice for each call: when it comes, whether there is anything to offer at all, and when offers are due. A bid
binds: what is accepted must be delivered. What the TSO does not accept as conforming, it excludes with the reason.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ...protocols.information.quantities import Direction, Product
from ..market.merit_order import floor_to_step


class Plan(NamedTuple):
    """What a participant would sell truthfully of one resource, as its scenario says.

    `usable_mw`: what the resource is qualified for and has available now, before any bid. `capped_mw`: the DSO's limit
    that it has to keep now, None if there is none. `cost_eur_per_mwh` is what up energy costs it; for down, what it
    would pay at most.
    """

    resource: str
    quantity_mw: float
    min_quantity_mw: float
    divisible: bool
    cost_eur_per_mwh: float
    usable_mw: float
    capped_mw: float | None = None


class Past(NamedTuple):
    """How one of its own offers of the same product and direction went: MW offered, awarded, and the price."""

    period: str
    resource: str
    offered_mw: float
    awarded_mw: float
    price_eur_per_mwh: float


class BiddingView(NamedTuple):
    """What a participant knows when it decides.

    `least_mw` and `step_mw` are the market's smallest bid and its step; `past` holds what has become of its offers in
    the last periods, oldest first.
    """

    participant: str
    period: str
    product: Product
    direction: Direction
    least_mw: float
    step_mw: float
    plans: tuple[Plan, ...]
    past: tuple[Past, ...] = ()


class Bid(NamedTuple):
    """One offer to be made: MW of a resource at a price (up: the TSO pays it; down: the participant pays it)."""

    resource: str
    quantity_mw: float
    price_eur_per_mwh: float
    min_quantity_mw: float
    divisible: bool = True


class Bidding(Protocol):
    """Decides what is offered in one product and direction of a market time unit."""

    def bids(self, view: BiddingView) -> tuple[Bid, ...]:
        """The offers to be made, none for nothing; pure."""


@dataclass(frozen=True)
class Truthful:
    """Offers all that is planned, qualified and available, at cost."""

    def bids(self, view: BiddingView) -> tuple[Bid, ...]:
        """The plans, as far as their resources go."""
        return tuple(fitted(plan, quantity_mw, plan.cost_eur_per_mwh) for plan, quantity_mw in within(view))


def within(view: BiddingView) -> list[tuple[Plan, float]]:
    """Plans with the MW that can be offered of them, one resource's bids together within what is usable of it.

    A plan of which less is left than its own or the market's smallest bid is left out.
    """
    found: list[tuple[Plan, float]] = []
    for plan in view.plans:
        bid_mw = sum(quantity_mw for other, quantity_mw in found if other.resource == plan.resource)
        most_mw = min(plan.quantity_mw, round(plan.usable_mw - bid_mw, 6))
        quantity_mw = floor_to_step(most_mw, view.step_mw) if plan.divisible else plan.quantity_mw
        if most_mw >= quantity_mw >= max(plan.min_quantity_mw, view.least_mw):
            found.append((plan, quantity_mw))
    return found


def fitted(plan: Plan, quantity_mw: float, price_eur_per_mwh: float) -> Bid:
    """A bid of a plan; its smallest part is at most the whole."""
    least_mw = min(plan.min_quantity_mw, quantity_mw)
    return Bid(plan.resource, quantity_mw, price_eur_per_mwh, least_mw, plan.divisible)
