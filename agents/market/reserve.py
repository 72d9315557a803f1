"""The market for containment reserve: which offers are awarded, and the books of what was kept.

payer                payee            what
TSO                  participant      capacity: MW·h kept × price
neutrality account   TSO              the same, so that every account is known and all sum to zero
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from ...protocols.information.reserve import ReserveLine, ReserveOffer
from .merit_order import floor_to_step
from .settlement import Payment


class Award(NamedTuple):
    """An offer of reserve, and how much of it is to be kept (0: not needed)."""

    offer: ReserveOffer
    awarded_mw: float


def cheapest(offers: Sequence[ReserveOffer], need_mw: float, step_mw: float) -> tuple[Award, ...]:
    """Every offer in the order of price, `submitted_at`, id, with what the need takes of it; the last in part."""
    left_mw, found = need_mw, []
    for offer in sorted(offers, key=lambda o: (o.price_eur_per_mw_h, o.submitted_at, o.offer_id)):
        part_mw = offer.quantity_mw if offer.quantity_mw <= left_mw + 1e-6 else floor_to_step(left_mw, step_mw)
        taken_mw = part_mw if part_mw >= max(offer.min_quantity_mw, 1e-6) else 0.0
        left_mw = round(left_mw - taken_mw, 6)
        found.append(Award(offer, taken_mw))
    return tuple(found)


def capacity_books(period: str, tso: str, statements: Sequence[tuple[str, ReserveLine]]) -> tuple[Payment, ...]:
    """Every payment of a period of reserve; `statements` are (participant, line)."""
    paid = tuple(
        Payment(
            period,
            "capacity",
            tso,
            participant,
            line.amount_eur,
            line.offer_id,
            "FCR",
            settled_on="kept",
            capacity_mw_h=line.capacity_mw_h,
            price_eur_per_mw_h=line.price_eur_per_mw_h,
        )
        for participant, line in statements
    )
    recovered = sum((payment.amount_eur for payment in paid), Decimal(0))
    return (*paid, Payment(period, "neutrality", f"{tso}:neutrality", tso, recovered, product="FCR"))
