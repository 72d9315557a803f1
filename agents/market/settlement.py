"""Settlement of balancing energy: integer energy, exact money, and books that balance.

Energy is added up as integer watt × microsecond over the set-points (or meter readings) in force at each
tick: the left rectangle rule. Money is Decimal, rounded half up to the cent once per offer and quarter-hour.

    payer              payee            what
    TSO                participant      up energy, pay-as-bid          (negative amount: the other way round)
    participant        TSO              down energy: the participant pays its price
    participant        TSO              penalty for aFRR that was asked for and not delivered
    responsible party  TSO              its imbalance at the imbalance price
    DSO                participant      what its limits have withheld, where that is compensated (`compensation.py`)
    TSO ⇄ neutrality account            what is left, so that every account is known and all sum to zero
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from ...protocols.information.offering import Offer
from ...protocols.information.settlement import Charged, StatementLine

WATT_US_PER_MWH = 3_600_000_000 * 1_000_000
CENT = Decimal("0.01")
SMALL_CLAIM = Decimal("0.50")
PaymentKind = Literal["balancing_energy", "capacity", "penalty", "imbalance", "neutrality", "limit_compensation"]


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment: `amount_eur` goes from payer to payee (negative: the other way round)."""

    period: str
    kind: PaymentKind
    payer: str
    payee: str
    amount_eur: Decimal
    offer_id: str = ""
    product: str = ""
    direction: str = ""
    settled_on: str = ""
    energy_mwh: float = 0.0
    price_eur_per_mwh: float = 0.0
    capacity_mw_h: float = 0.0
    price_eur_per_mw_h: float = 0.0


def watt_us(power_mw: float, duration_us: int) -> int:
    """Energy of a power held for a time, in integer watt × microsecond."""
    return round(power_mw * 1e6) * duration_us


def megawatt_hours(energy_watt_us: int) -> float:
    """Integer watt × microsecond as MWh, to 1 mWh."""
    return round(energy_watt_us / WATT_US_PER_MWH, 9)


def amount(energy_watt_us: int, price_eur_per_mwh: float) -> Decimal:
    """Energy times price in EUR, rounded half up to the cent once."""
    exact = Decimal(energy_watt_us) * Decimal(str(price_eur_per_mwh)) / Decimal(WATT_US_PER_MWH)
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


def settled_on(product: str) -> Literal["requested", "metered"]:
    """aFRR is settled on the metered response, mFRR on the requested one (Radi et al. 2021)."""
    return "metered" if product == "aFRR" else "requested"


def line(offer: Offer, energy_watt_us: int) -> StatementLine:
    """One offer's line of a statement: pay-as-bid; + the TSO pays, − the participant pays."""
    sign = 1 if offer.direction == "up" else -1
    return StatementLine(
        offer_id=offer.offer_id,
        product=offer.product,
        direction=offer.direction,
        settled_on=settled_on(offer.product),
        energy_mwh=megawatt_hours(energy_watt_us),
        price_eur_per_mwh=offer.price_eur_per_mwh,
        amount_eur=sign * amount(energy_watt_us, offer.price_eur_per_mwh),
    )


def metered_line(offer: Offer, *, metered: int, unpaid: int, missing: int, penalty_eur_per_mwh: float) -> StatementLine:
    """An aFRR offer's line: paid for what was metered and wanted, with a penalty for what is missing; W·µs."""
    judged = {
        "unpaid_mwh": megawatt_hours(unpaid),
        "missing_mwh": megawatt_hours(missing),
        "penalty_eur": amount(missing, penalty_eur_per_mwh),
    }
    return StatementLine(**{**dict(line(offer, metered - unpaid)), **judged})


def total(lines: Iterable[Charged]) -> Decimal:
    """The sum of a statement's lines, penalties deducted."""
    return sum((line.due_eur for line in lines), Decimal(0))


def differs(stated_eur: Decimal, claimed_eur: Decimal, tolerance: float) -> bool:
    """Whether a statement is disputed: by more than `tolerance` (a share of the claim) and more than 50 cents."""
    return abs(stated_eur - claimed_eur) > max(SMALL_CLAIM, abs(claimed_eur) * Decimal(str(tolerance)))


def net_mwh(lines: Sequence[StatementLine]) -> float:
    """What was activated in all, up less down: how short the area was, or how long (negative)."""
    return round(sum(line.energy_mwh if line.direction == "up" else -line.energy_mwh for line in lines), 9)


def imbalance_price(lines: Sequence[StatementLine]) -> float:
    """Single price of a period: short, the dearest up price activated; long, the lowest down price; in balance, 0."""
    net = net_mwh(lines)
    prevailing = [each for each in lines if each.energy_mwh > 0 and each.direction == ("up" if net > 0 else "down")]
    prices = [each.price_eur_per_mwh for each in prevailing]
    return max(prices) if net > 0 else min(prices) if net < 0 else 0.0


def books(
    period: str, tso: str, statements: Sequence[tuple[str, StatementLine]], responsible: str
) -> tuple[Payment, ...]:
    """Every payment of a period: balancing energy, the imbalance that caused it, and the neutrality account.

    `statements` are (participant, line). What was activated, net, is the imbalance of the area's balance
    responsible parties (`responsible`), paid at the single imbalance price.
    """
    energy = [_energy_payment(period, tso, participant, line) for participant, line in statements]
    penalties = [_penalty(period, tso, participant, line) for participant, line in statements if line.penalty_eur]
    lines = [line for _, line in statements]
    price = imbalance_price(lines)
    net = net_mwh(lines)
    owed = (Decimal(str(net)) * Decimal(str(price))).quantize(CENT, rounding=ROUND_HALF_UP)
    imbalance = Payment(
        period,
        "imbalance",
        responsible,
        tso,
        owed,
        settled_on="imbalance price",
        energy_mwh=net,
        price_eur_per_mwh=price,
    )
    paid = sum((p.amount_eur for p in energy), Decimal(0)) - sum((p.amount_eur for p in penalties), Decimal(0))
    left = owed - paid
    neutrality = Payment(period, "neutrality", tso, f"{tso}:neutrality", left)
    return (*energy, *penalties, imbalance, neutrality)


def _penalty(period: str, tso: str, participant: str, line: StatementLine) -> Payment:
    return Payment(
        period,
        "penalty",
        participant,
        tso,
        line.penalty_eur,
        line.offer_id,
        line.product,
        line.direction,
        "not delivered",
        line.missing_mwh,
    )


def _energy_payment(period: str, tso: str, participant: str, line: StatementLine) -> Payment:
    return Payment(
        period,
        "balancing_energy",
        tso,
        participant,
        line.amount_eur,
        line.offer_id,
        line.product,
        line.direction,
        line.settled_on,
        line.energy_mwh,
        line.price_eur_per_mwh,
    )


def balances(payments: Iterable[Payment]) -> dict[str, Decimal]:
    """Each account's balance, sorted by name; together they are zero."""
    accounts: dict[str, Decimal] = {}
    for payment in payments:
        accounts[payment.payer] = accounts.get(payment.payer, Decimal(0)) - payment.amount_eur
        accounts[payment.payee] = accounts.get(payment.payee, Decimal(0)) + payment.amount_eur
    return dict(sorted(accounts.items()))
