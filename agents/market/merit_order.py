"""The merit order list (MOL): which offers count, in which order, and how far a need walks down it.

    offers ─ conformity ─▶ merit order ─ DSO verdicts ─▶ definitive MOL ─ select(need) ─▶ accepted
                                                                         ─ dispatch(demand, caps) ─▶ orders

Up offers are taken cheapest first. For down offers the price is what the participant pays the TSO, so the
highest is taken first. Ties: by `submitted_at`, then by offer id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...protocols.information.offering import Offer, OfferVerdict

WATT_MW = 1e-6
NO_STEP_MW = 1e-9


class Position(NamedTuple):
    """One offer's place in a merit order list, and the MW of it that were accepted."""

    rank: int
    offer: Offer
    accepted_mw: float = 0.0


class Rules(NamedTuple):
    """What an offer must conform to."""

    min_bid_mw: float
    bid_step_mw: float
    price_limit_eur_per_mwh: float


def nonconformity(offer: Offer, rules: Rules, qualified_mw: float) -> str | None:
    """Why an offer does not count, or None if it conforms."""
    if offer.quantity_mw < rules.min_bid_mw - WATT_MW:
        return f"quantity {offer.quantity_mw:g} MW is below the smallest bid of {rules.min_bid_mw:g} MW"
    if offer.divisible and not _is_multiple(offer.quantity_mw, rules.bid_step_mw):
        return f"quantity {offer.quantity_mw:g} MW is no multiple of {rules.bid_step_mw:g} MW"
    if offer.quantity_mw > qualified_mw + WATT_MW:
        return f"quantity {offer.quantity_mw:g} MW exceeds the qualified {qualified_mw:g} MW"
    if abs(offer.price_eur_per_mwh) > rules.price_limit_eur_per_mwh:
        return f"price {offer.price_eur_per_mwh:g} EUR/MWh is beyond ±{rules.price_limit_eur_per_mwh:g}"
    return None


def _is_multiple(quantity_mw: float, step_mw: float) -> bool:
    return step_mw <= 0 or abs(quantity_mw / step_mw - round(quantity_mw / step_mw)) < 1e-6


def floor_to_step(quantity_mw: float, step_mw: float) -> float:
    """The largest multiple of a step that is not above a quantity (to 1 W); what is next to nothing is no step."""
    return round(int(quantity_mw / step_mw + 1e-6) * step_mw, 6) if step_mw > NO_STEP_MW else quantity_mw


def merit_order(offers: Iterable[Offer]) -> tuple[Position, ...]:
    """Offers of one product, direction and period in the order in which they are taken."""
    ordered = sorted(offers, key=merit)
    return tuple(Position(rank, offer) for rank, offer in enumerate(ordered, start=1))


def by_participant(positions: Iterable[Position]) -> dict[str, list[Position]]:
    """Each participant's own part of a list, in its order."""
    found: dict[str, list[Position]] = {}
    for position in positions:
        found.setdefault(position.offer.participant, []).append(position)
    return found


def by_grid(positions: Iterable[Position]) -> dict[str, list[Position]]:
    """The part of a list that lies in each grid, in its order."""
    found: dict[str, list[Position]] = {}
    for position in positions:
        found.setdefault(position.offer.grid, []).append(position)
    return found


def merit(offer: Offer) -> tuple[float, int, str]:
    """What an offer is sorted by: price from the TSO's side, then `submitted_at`, then offer id."""
    price = offer.price_eur_per_mwh if offer.direction == "up" else -offer.price_eur_per_mwh
    return price, offer.submitted_at, offer.offer_id


def apply_verdicts(
    positions: Sequence[Position], verdicts: Mapping[str, OfferVerdict], step_mw: float
) -> tuple[Position, ...]:
    """The definitive MOL: limited offers become related revisions, excluded ones leave; ranks stay.

    An offer without a verdict stands as it is (it is not in a validating DSO's grid).
    """
    kept = []
    for position in positions:
        verdict = verdicts.get(position.offer.offer_id)
        offer = position.offer if verdict is None else _limited(position.offer, verdict, step_mw)
        if offer is not None:
            kept.append(position._replace(offer=offer))
    return tuple(kept)


def _limited(offer: Offer, verdict: OfferVerdict, step_mw: float) -> Offer | None:
    if verdict.max_mw >= offer.quantity_mw - WATT_MW:
        return offer.with_status("technically_validated")
    allowed_mw = floor_to_step(verdict.max_mw, step_mw)
    if not offer.divisible or allowed_mw < max(offer.min_quantity_mw, WATT_MW):
        return None
    return offer.revised(allowed_mw, "technically_validated")


def select(positions: Sequence[Position], need_mw: float, step_mw: float) -> tuple[Position, ...]:
    """Walk down the MOL until the need is met; the last divisible offer is taken in part.

    Taken in part, an offer becomes a related revision. An indivisible offer that does not fit is passed over.
    """
    left_mw, selected = need_mw, []
    for position in positions:
        offer = position.offer
        taken_mw = _fitting(offer, left_mw, step_mw)
        if taken_mw <= 0:
            continue
        whole = taken_mw >= offer.quantity_mw - WATT_MW
        accepted = offer.with_status("selected") if whole else offer.revised(taken_mw, "selected")
        selected.append(Position(position.rank, accepted, taken_mw))
        left_mw = round(left_mw - taken_mw, 6)
    return tuple(selected)


def _fitting(offer: Offer, left_mw: float, step_mw: float) -> float:
    """How much of an offer fits into what is left of a need."""
    if offer.quantity_mw <= left_mw + WATT_MW:
        return offer.quantity_mw
    if not offer.divisible:
        return 0.0
    part_mw = floor_to_step(left_mw, step_mw)
    return part_mw if part_mw >= max(offer.min_quantity_mw, WATT_MW) else 0.0


def dispatch(positions: Sequence[Position], demand_mw: float, caps_mw: Mapping[str, float]) -> dict[str, float]:
    """MW to order of each accepted offer so that together they meet a demand, cheapest first, caps kept.

    `caps_mw` holds the most that may be ordered of an offer (absent: all that was accepted). Indivisible
    offers are ordered whole or not at all; one is ordered whole if at least half of it is wanted. Returns
    every offer with its MW, zero included, to 1 kW (the resolution of set-points).
    """
    orders: dict[str, float] = {}
    left_mw = demand_mw
    for position in positions:
        offer = position.offer
        most_mw = min(position.accepted_mw, caps_mw.get(offer.offer_id, position.accepted_mw))
        orders[offer.offer_id] = _ordered(offer, most_mw, left_mw)
        left_mw -= orders[offer.offer_id]
    return orders


def _ordered(offer: Offer, most_mw: float, left_mw: float) -> float:
    if not offer.divisible:
        fits = most_mw >= offer.quantity_mw - WATT_MW and left_mw >= offer.quantity_mw / 2
        return offer.quantity_mw if fits else 0.0
    wanted_mw = round(max(0.0, min(most_mw, left_mw)), 3)
    return min(wanted_mw, most_mw) if wanted_mw >= max(offer.min_quantity_mw, 1e-3) else 0.0
