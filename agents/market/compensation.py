"""What a participant is owed for energy that a DSO's limit has taken from its accepted offer.

    none     nothing: the limit is part of the connection agreement
    margin   the agreed share of the bid price, which stands for the profit that is lost
    full     what delivery would have brought in: the bid price up, and down a price below zero (else nothing is lost)

Neither the system operation guideline nor the paper fixes it. The DSO whose limit it was pays, and the withheld energy
is counted at each control cycle (left rectangle, W·µs), at most what the offer would have been asked for.
"""

from decimal import Decimal
from typing import Literal

from ...protocols.information.offering import Offer
from .settlement import Payment, amount, megawatt_hours

Policy = Literal["none", "margin", "full"]


def owed_eur(offer: Offer, withheld_watt_us: int, policy: Policy, margin: float) -> Decimal:
    """EUR for the energy withheld of an offer; `margin`: share of the bid price, 0 to 1."""
    price = offer.price_eur_per_mwh
    if policy == "full":
        return amount(withheld_watt_us, max(0.0, price if offer.direction == "up" else -price))
    return amount(withheld_watt_us, abs(price) * margin) if policy == "margin" else Decimal("0.00")


def payment(period: str, dso: str, offer: Offer, withheld_watt_us: int, owed: Decimal) -> Payment:
    """The DSO pays the participant."""
    return Payment(
        period,
        "limit_compensation",
        dso,
        offer.participant,
        owed,
        offer.offer_id,
        offer.product,
        offer.direction,
        "withheld",
        megawatt_hours(withheld_watt_us),
        offer.price_eur_per_mwh,
    )
