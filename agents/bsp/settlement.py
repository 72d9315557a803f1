"""A participant's part in settlement: its ex-post record, and its answer to the TSO's statement."""

from decimal import Decimal

from ...protocols.information.offering import DeliveredOffer, DeliveryRecord, Offer
from ...protocols.information.settlement import Statement, StatementAccepted, StatementDisputed, StatementLine
from ..actions import Action, Say
from ..delivery import OrderBook
from ..market.settlement import amount, differs, settled_on, watt_us


def record(book: OrderBook, conversation_id: str, baseline: str) -> tuple[Action, ...]:
    """What was asked for and delivered of the offers of a contract net (`session` and subject are in its id)."""
    period, subject = conversation_id.split("/")[2:4]
    own = [o for _, o in sorted(book.offers.items()) if (o.session, f"{o.product}-{o.direction}") == (period, subject)]
    offers = tuple(
        DeliveredOffer(
            offer_id=offer.offer_id,
            requested_mwh=book.requested_mwh(offer.offer_id),
            metered_mwh=book.delivered_mwh(offer.offer_id),
        )
        for offer in own
    )
    return (Say(conversation_id, DeliveryRecord(baseline=baseline, offers=offers)),) if offers else ()


def answer(book: OrderBook, conversation_id: str, statement: Statement, tolerance: float) -> tuple[Action, ...]:
    """Accept a statement, or dispute it when it is further from our own books than the tolerance.

    Our books are all our offers of the period, whether the statement names them or not.
    """
    own = [o for _, o in sorted(book.offers.items()) if statement.start <= o.delivery_start < statement.end]
    claimed = sum((_claim(book, offer) for offer in own), Decimal(0))
    foreign = [line.offer_id for line in statement.lines if line.offer_id not in {offer.offer_id for offer in own}]
    if foreign:
        return (_dispute(conversation_id, f"{', '.join(foreign)}: no offer of ours that was accepted", claimed),)
    stated = sum((_stated(line) for line in statement.lines), Decimal(0))
    if differs(stated, claimed, tolerance):
        return (_dispute(conversation_id, f"stated {stated} EUR, our books say {claimed} EUR", claimed),)
    return (Say(conversation_id, StatementAccepted()),)


def _stated(line: StatementLine) -> Decimal:
    """What a line says of the energy that was delivered, paid or not: penalties are no matter of energy."""
    if not line.unpaid_mwh:
        return line.amount_eur
    earned = amount(watt_us(line.energy_mwh + line.unpaid_mwh, 3_600_000_000), line.price_eur_per_mwh)
    return earned if line.direction == "up" else -earned


def _claim(book: OrderBook, offer: Offer) -> Decimal:
    """What an offer has earned by our books: + the TSO pays."""
    energy = book.requested if settled_on(offer.product) == "requested" else book.delivered
    earned = amount(energy.get(offer.offer_id, 0), offer.price_eur_per_mwh)
    return earned if offer.direction == "up" else -earned


def _dispute(conversation_id: str, reason: str, claimed: Decimal) -> Say:
    return Say(conversation_id, StatementDisputed(reason=reason, claimed_eur=claimed))
