"""Delivery: an order is followed, a wrong one refused, a limit obeyed, a cancel confirmed (Fig. 7)."""

from __future__ import annotations

from collections.abc import Iterator

from ...protocols.envelope import Envelope
from ...protocols.information.activation import (
    Activate,
    Activated,
    Limit,
    LimitOrder,
    Measurement,
    MeasurementSubscription,
    OfferModified,
)
from ...protocols.information.offering import Offer
from ...protocols.messages import Agree, Cancel, Cancelled, CancelTooLate, Failure, Refuse
from ...protocols.stages.activation import ACTIVATION, LIMIT_ORDER, MEASUREMENTS, MEASUREMENTS_FOR_DSO
from ...protocols.wire import to_json
from .play import Heard, Play

ORDER, LISTEN, LIMIT, CANCEL = "7.1 order", "7.3 measurements", "7.8 limit", "cancel"
WATT_MW = 1e-6
TICKS = 3


async def subscribe(play: Play) -> tuple[Envelope, ...]:
    """TSO and DSO ask for measurements; the subscriptions that were agreed to."""
    ask = MeasurementSubscription(per_point=True, start=play.now_us, end=play.calendar.end_us)
    wishes = [(play.tso, MEASUREMENTS)] + ([(play.dso, MEASUREMENTS_FOR_DSO)] if play.dso else [])
    agreed = []
    for who, protocol in wishes:
        sent = play.open(who, protocol, ("delivery", "measurements"), ask, play.soon_us())
        heard = await play.answer(sent, Agree, Measurement, Refuse)
        taken = heard is not None and not isinstance(heard.content, Refuse)
        fault = None if taken else f"no agreement to tell {who}"
        play.report.judge(LISTEN, "measurements", fault, f"agrees to tell {who}")
        agreed += [sent] if taken else []
    return tuple(agreed)


async def deliver(play: Play, offer: Offer, rejected: Offer | None, told: tuple[Envelope, ...]) -> None:
    """Order an accepted offer, limit it and cancel it; `told`: the subscriptions to measurements."""
    await play.wait_until(offer.delivery_start)
    sent = _order(play, offer, offer.quantity_mw, "1")
    heard = await play.answer(sent, Activated, Refuse, Failure)
    if not _confirmed(play, offer, heard):
        return
    await _copied(play, sent)
    await _wrong_orders(play, offer, rejected)
    if told:
        await _followed(play, ORDER, offer, offer.quantity_mw)
    await _limited(play, offer, told)
    await _cancelled(play, offer, sent, told)


def _order(play: Play, offer: Offer, power_mw: float, number: str) -> Envelope:
    order = Activate(
        offer_id=offer.offer_id,
        product=offer.product,
        direction=offer.direction,
        power_mw=power_mw,
        start=max(offer.delivery_start, min(play.now_us, offer.delivery_end - 1)),
        end=offer.delivery_end,
    )
    about = (offer.session.replace("/", "-"), f"order-{number}")
    return play.open(play.tso, ACTIVATION, about, order, play.soon_us())


def _confirmed(play: Play, offer: Offer, heard: Heard | None) -> bool:
    if heard is None or not isinstance(heard.content, Activated):
        said = "no answer in time" if heard is None else f"{heard.content.type_id}, not a confirmation,"
        subject = "deadline" if heard is None else "order taken"
        play.report.judge(ORDER, subject, f"{said} to the order of {offer.offer_id}", "")
        return False
    wrong = heard.content.offer_id != offer.offer_id
    fault = f"confirms {heard.content.offer_id}, ordered was {offer.offer_id}" if wrong else None
    return play.report.judge(ORDER, "order taken", fault, "confirms an order in time")


async def _copied(play: Play, sent: Envelope) -> None:
    before = len(play.arrived)
    play.throw(play.tso, to_json(sent))
    await play.quiet()
    again = any(one.conversation_id == sent.conversation_id for one in play.arrived[before:])
    play.report.judge(ORDER, "duplicate", "a copy of the order is answered again" if again else None, "drops a copy")


async def _wrong_orders(play: Play, offer: Offer, rejected: Offer | None) -> None:
    """What was not accepted, or is more than was, is refused."""
    unknown = offer.model_copy(update={"offer_id": f"{offer.offer_id}.unknown"})
    tries = [(unknown, offer.quantity_mw, "an order of an offer that was never made")]
    tries += [(offer, 2 * offer.quantity_mw, "an order of more than was accepted")]
    tries += [(rejected, rejected.quantity_mw, "an order of an offer that was rejected as late")] if rejected else []
    for number, (wrong, power_mw, what) in enumerate(tries, start=1):
        sent = _order(play, wrong, power_mw, f"wrong-{number}")
        heard = await play.answer(sent, Activated, Refuse, Failure)
        refused = heard is not None and isinstance(heard.content, Refuse)
        play.report.judge(ORDER, "refusal", None if refused else f"{what} is not refused", f"refuses {what}")


async def _followed(play: Play, step: str, offer: Offer, power_mw: float) -> None:
    """The set-point told by the measurements becomes what was ordered."""
    signed_mw = power_mw if offer.direction == "up" else -power_mw
    by_us = play.soon_us() + TICKS * round(play.scenario.ticks.measurement_s * 1e6)
    since_us = play.now_us
    heard = await play.expect(lambda one: _tells(one, since_us, signed_mw), by_us)
    fault = None if heard else f"no measurement tells a set-point of {signed_mw:g} MW"
    play.report.judge(step, "measurements", fault, f"its measurements tell the set-point of {signed_mw:g} MW")


def _tells(one: Heard, since_us: int, power_mw: float) -> bool:
    content = one.content
    told = isinstance(content, Measurement) and one.at_us >= since_us
    return told and abs(content.set_point_mw - power_mw) < 1e-3  # type: ignore[attr-defined]


async def _limited(play: Play, offer: Offer, told: tuple[Envelope, ...]) -> None:
    """Half of what is delivered may stay on; what is above it may not be ordered any more."""
    cap_mw = round(offer.quantity_mw / 2, 6)
    limit = Limit(
        offer_id=offer.offer_id,
        resource=offer.resource,
        direction=offer.direction,
        kind="cap",
        max_mw=cap_mw,
        valid_until=offer.delivery_end,
    )
    sent = play.open(play.tso, LIMIT_ORDER, (offer.session, "limit-1"), LimitOrder(limit=limit), play.soon_us())
    heard = await play.answer(sent, OfferModified, Refuse, Failure)
    if heard is None or not isinstance(heard.content, OfferModified):
        said = "no answer in time" if heard is None else f"{heard.content.type_id} instead of a modified offer"
        play.report.judge(LIMIT, "limit", f"{said} to a limit", "")
        return
    play.report.judge(LIMIT, "limit", list(_unmodified(offer, heard.content, cap_mw)), "confirms a limit in time")
    if told:
        await play.quiet()
        await _followed(play, LIMIT, offer, cap_mw)
        play.report.judge(LIMIT, "limit", list(_above(play, heard.at_us, cap_mw)), f"stays within {cap_mw:g} MW")
    above = _order(play, offer, offer.quantity_mw, "above-limit")
    answer = await play.answer(above, Activated, Refuse, Failure)
    refused = answer is not None and isinstance(answer.content, Refuse)
    play.report.judge(LIMIT, "limit", None if refused else "an order above the limit is not refused", "refuses more")


def _unmodified(offer: Offer, modified: OfferModified, cap_mw: float) -> Iterator[str]:
    if modified.confirmed_mw > cap_mw + WATT_MW:
        yield f"confirms {modified.confirmed_mw:g} MW, the limit is {cap_mw:g} MW"
    revised = modified.offer
    if revised is None or revised.quantity_mw > cap_mw + WATT_MW:
        yield f"does not lower the offer to {cap_mw:g} MW"
    elif revised.related_offer_id != offer.offer_id:
        yield f"the lowered offer is not related to {offer.offer_id}"


def _above(play: Play, since_us: int, cap_mw: float) -> Iterator[str]:
    """Measurements after a limit was confirmed, and had been told for a while, that tell more than it allows."""
    grace_us = round(play.scenario.ticks.measurement_s * 1e6)
    for told in (one.content for one in play.heard if isinstance(one.content, Measurement)):
        if told.measured_at > since_us + grace_us and abs(told.set_point_mw) > cap_mw + WATT_MW:
            yield f"a set-point of {told.set_point_mw:g} MW is told after {cap_mw:g} MW had been confirmed"


async def _cancelled(play: Play, offer: Offer, ordered: Envelope, told: tuple[Envelope, ...]) -> None:
    sent = play.say(play.tso, ordered.conversation_id, Cancel(reason="no longer needed"), play.soon_us())
    heard = await play.answer(sent, Cancelled, CancelTooLate)
    stopped = heard is not None and isinstance(heard.content, Cancelled)
    fault = None if stopped else "a cancel of a running order is not confirmed in time"
    play.report.judge(CANCEL, "cancel", fault, "confirms a cancel in time")
    if told and stopped:
        await _followed(play, CANCEL, offer, 0.0)


async def unsubscribe(play: Play, told: tuple[Envelope, ...]) -> None:
    """Nobody wants measurements any more, so none come any more."""
    for one in told:
        play.say(one.sender, one.conversation_id, Cancel(reason="enough"), play.soon_us())
        heard = await play.answer(one, Cancelled, CancelTooLate)
        fault = None if heard else f"the cancel of the subscription of {one.sender} is not confirmed"
        play.report.judge(LISTEN, "cancel", fault, f"confirms that {one.sender} listens no more")
    await play.quiet()
    before = len(play.arrived)
    await play.wait_until(play.now_us + play.quiet_us + TICKS * round(play.scenario.ticks.measurement_s * 1e6))
    more = any(isinstance(one.content, Measurement) for one in play.arrived[before:])
    play.report.judge(LISTEN, "cancel", "measurements go on after the cancel" if more else None, "tells no more then")
