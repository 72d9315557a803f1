"""A participant's part in settlement: its ex-post record, and its answer to the TSO's statement."""

from decimal import Decimal

from ...protocols.information.offering import DeliveredOffer, DeliveryRecord
from ...protocols.information.settlement import Statement, StatementAccepted, StatementDisputed
from ..actions import Action, Say
from ..delivery import OrderBook
from ..market.settlement import amount, total


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
    """Accept a statement, or dispute it when it is further from our own books than the tolerance."""
    claimed = Decimal(0)
    for line in statement.lines:
        offer = book.offers.get(line.offer_id)
        if offer is None:
            return (_dispute(conversation_id, f"{line.offer_id} is no offer of ours that was accepted", claimed),)
        energy = book.requested if line.settled_on == "requested" else book.delivered
        sign = 1 if offer.direction == "up" else -1
        claimed += sign * amount(energy.get(line.offer_id, 0), offer.price_eur_per_mwh)
    stated = total(statement.lines)
    allowed = max(Decimal("0.50"), abs(claimed) * Decimal(str(tolerance)))
    if abs(stated - claimed) > allowed:
        return (_dispute(conversation_id, f"stated {stated} EUR, our books say {claimed} EUR", claimed),)
    return (Say(conversation_id, StatementAccepted()),)


def _dispute(conversation_id: str, reason: str, claimed: Decimal) -> Say:
    return Say(conversation_id, StatementDisputed(reason=reason, claimed_eur=claimed))
