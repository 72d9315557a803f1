"""Bidding that exploits the rules, to see what a scheme makes possible (market power and congestion).

    Withholding        offers less than it could, dearer         P. Twomey et al., CEPR WP 0504 (2005), 2
    Padding            offers more than it wants to sell behind a bottleneck, because a cap is shared by what is offered
    IncreaseDecrease   bids low where it will be limited and paid for that, high where its rivals will be
                       L. Hirth, I. Schlecht, Market-based redispatch in zonal electricity markets (2019), 3

Who is behind a bottleneck may be said (`behind`); else it is learned: a limit to be kept now, or an award in part.
"""

from dataclasses import dataclass

from .bidding import Bid, BiddingView, Plan, fitted, within


@dataclass(frozen=True)
class Withholding:
    """Offers only a share of what is planned, at a markup on its cost."""

    share: float = 0.7
    markup_eur_per_mwh: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for a share that is none."""
        _require("share", self.share, self.share > 0 and self.share <= 1, "above 0 and at most 1")

    def bids(self, view: BiddingView) -> tuple[Bid, ...]:
        """Part of the plans, at a worse price for the TSO."""
        plans = tuple(plan._replace(quantity_mw=round(self.share * plan.quantity_mw, 6)) for plan in view.plans)
        found = within(view._replace(plans=plans))
        return tuple(fitted(plan, mw, _worse(view, plan, self.markup_eur_per_mwh)) for plan, mw in found)


@dataclass(frozen=True)
class Padding:
    """Behind a bottleneck it offers `factor` times what it plans, as far as it is qualified, cheaper by a discount."""

    factor: float = 1.5
    discount_eur_per_mwh: float = 0.0
    behind: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a factor that pads nothing."""
        _require("factor", self.factor, self.factor >= 1, "at least 1")

    def bids(self, view: BiddingView) -> tuple[Bid, ...]:
        """The plans, padded where a cap is expected to cut them."""
        padded = tuple(self._padded(view, plan) for plan in view.plans)
        return tuple(fitted(plan, mw, plan.cost_eur_per_mwh) for plan, mw in within(view._replace(plans=padded)))

    def _padded(self, view: BiddingView, plan: Plan) -> Plan:
        if not bottled(view, plan, self.behind):
            return plan
        price = _worse(view, plan, -self.discount_eur_per_mwh)
        quantity_mw = min(round(self.factor * plan.quantity_mw, 6), max(plan.usable_mw, plan.quantity_mw))
        return plan._replace(quantity_mw=quantity_mw, cost_eur_per_mwh=price)


@dataclass(frozen=True)
class IncreaseDecrease:
    """Below cost behind a bottleneck, so as to be taken and paid for the limit; above cost where rivals are limited."""

    below_eur_per_mwh: float = 10.0
    above_eur_per_mwh: float = 10.0
    behind: tuple[str, ...] = ()

    def bids(self, view: BiddingView) -> tuple[Bid, ...]:
        """The plans at prices that bet on the limit."""
        return tuple(fitted(plan, mw, _worse(view, plan, self._markup(view, plan))) for plan, mw in within(view))

    def _markup(self, view: BiddingView, plan: Plan) -> float:
        return -self.below_eur_per_mwh if bottled(view, plan, self.behind) else self.above_eur_per_mwh


def bottled(view: BiddingView, plan: Plan, behind: tuple[str, ...]) -> bool:
    """Whether a plan's resource is behind a bottleneck, as said or as learned."""
    if behind:
        return plan.resource in behind
    in_part = any(0 < past.awarded_mw < past.offered_mw - 1e-6 for past in view.past if past.resource == plan.resource)
    return in_part or (plan.capped_mw is not None and plan.capped_mw < plan.quantity_mw - 1e-6)


def _worse(view: BiddingView, plan: Plan, by_eur_per_mwh: float) -> float:
    """A price that is worse for the TSO by so much: up it pays more, down it is paid less."""
    return round(plan.cost_eur_per_mwh + (by_eur_per_mwh if view.direction == "up" else -by_eur_per_mwh), 6)


def _require(name: str, value: float, fits: bool, rule: str) -> None:
    if not fits:
        raise ValueError(f"{name} is {value:g}, but it must be {rule}")
