"""Settlement: the participant's record after the period, and its answer to a right and a wrong statement."""

from __future__ import annotations

from decimal import Decimal

from ...protocols.information.offering import DeliveredOffer, DeliveryRecord, Offer, Withdrawal
from ...protocols.information.settlement import Statement, StatementAccepted, StatementDisputed, StatementLine
from ...protocols.stages.settlement import STATEMENT
from .play import Play

STEP = "settlement"
RECORD_WITHIN_US = 90_000_000
CENT = Decimal("0.01")


async def settle(play: Play, offer: Offer) -> None:
    """Wait for the record, then propose a statement that no books can bear, and one by the record."""
    by_us = offer.delivery_end + RECORD_WITHIN_US + play.patience_us
    heard = await play.expect(lambda one: isinstance(one.content, DeliveryRecord | Withdrawal), by_us)
    if heard is None or not isinstance(heard.content, DeliveryRecord):
        play.report.judge(STEP, "record", "no record of the delivery after the period", "")
        return
    own = next((each for each in heard.content.offers if each.offer_id == offer.offer_id), None)
    early = ["the record comes before the period is over"] if heard.at_us < offer.delivery_end - play.quiet_us else []
    foreign = [] if own else [f"the record does not name {offer.offer_id}"]
    play.report.judge(STEP, "record", [*early, *foreign], "records what was ordered and delivered")
    if own is not None:
        await _stated(play, offer, own)


async def _stated(play: Play, offer: Offer, own: DeliveredOffer) -> None:
    energy_mwh = own.requested_mwh if offer.product == "mFRR" else own.metered_mwh
    invented = offer.model_copy(update={"offer_id": f"{offer.offer_id}.invented"})
    for number, (stated, mwh, wanted) in enumerate(
        ((invented, energy_mwh + 10.0, StatementDisputed), (offer, energy_mwh, StatementAccepted)), start=1
    ):
        statement = _statement(stated, mwh, number)
        sent = play.open(play.tso, STATEMENT, (offer.session, f"statement-{number}"), statement, play.soon_us())
        heard = await play.answer(sent, StatementAccepted, StatementDisputed)
        what = "a statement by its own record" if stated is offer else "a statement of an offer that it never made"
        done = heard is not None and isinstance(heard.content, wanted)
        said = "no answer" if heard is None else heard.content.type_id
        verb = "accepts" if stated is offer else "disputes"
        play.report.judge(STEP, "statement", None if done else f"{said} to {what}", f"{verb} {what}")


def _statement(offer: Offer, energy_mwh: float, attempt: int) -> Statement:
    earned = (Decimal(str(energy_mwh)) * Decimal(str(offer.price_eur_per_mwh))).quantize(CENT)
    amount = earned if offer.direction == "up" else -earned
    line = StatementLine(
        offer_id=offer.offer_id,
        product=offer.product,
        direction=offer.direction,
        settled_on="requested" if offer.product == "mFRR" else "metered",
        energy_mwh=energy_mwh,
        price_eur_per_mwh=offer.price_eur_per_mwh,
        amount_eur=amount,
    )
    end_us = offer.delivery_end
    return Statement(start=offer.delivery_start, end=end_us, lines=(line,), total_eur=amount, attempt=attempt)
