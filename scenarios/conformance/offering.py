"""Offering: a call that is answered, one that is said twice, one whose offers come to nothing (Figs 5, 6)."""

from __future__ import annotations

from collections.abc import Iterator

from ...agents.calendar import MarketTimeUnit
from ...agents.market.merit_order import floor_to_step
from ...protocols.information.capacity import Application
from ...protocols.information.offering import (
    Acceptance,
    CallForOffers,
    NoOffer,
    Offer,
    Offers,
    RejectedOffer,
    Rejection,
)
from ...protocols.information.quantities import Direction
from ...protocols.stages.offering import OFFERING, OFFERING_WITH_DSO
from ...protocols.wire import to_json
from .play import Heard, Play

STEP, AWARD = "6.1 offers", "6.8 acceptance"


async def accepted_offer(play: Play, application: Application) -> Offer | None:
    """Call for the first period and accept what is offered; the first offer as accepted, or None."""
    heard = await _called(play, application, play.calendar.periods[0], again=True)
    if heard is None:
        return None
    offers = tuple(offer.with_status("selected") for offer in _offers(heard))
    period = play.calendar.periods[0]
    until_us = period.end_us + play.patience_us + 120_000_000
    play.say(play.tso, heard.envelope.conversation_id, Acceptance(offers=offers), until_us)
    return offers[0]


async def rejected_offer(play: Play, application: Application) -> Offer | None:
    """Call for the second period, and reject what is offered as late; the first of these offers, or None."""
    heard = await _called(play, application, play.calendar.periods[1], again=False)
    if heard is None:
        return None
    rejected = tuple(RejectedOffer(offer_id=o.offer_id, reason="late: the gate had closed") for o in _offers(heard))
    play.say(play.tso, heard.envelope.conversation_id, Rejection(rejected=rejected))
    return _offers(heard)[0]


def _offers(heard: Heard) -> tuple[Offer, ...]:
    assert isinstance(heard.content, Offers)
    return heard.content.offers


async def _called(play: Play, application: Application, period: MarketTimeUnit, *, again: bool) -> Heard | None:
    call = _call(play, application, period)
    until_us = min(play.soon_us(), period.gate_closure_us)
    protocol = OFFERING_WITH_DSO if play.scenario.coordination.scheme == "scenario-1-dso" else OFFERING
    subject = f"{call.product}-{call.direction}"
    sent = play.open(play.tso, protocol, (period.id, subject), call, until_us)
    heard = await play.answer(sent, Offers, NoOffer, by_us=until_us + play.patience_us)
    if heard is None or not isinstance(heard.content, Offers):
        said = "no answer to the call" if heard is None else "offers nothing, though qualified"
        play.report.judge(STEP, "offers", f"{said} for {period.id}", "")
        return None
    faults = [fault for offer in heard.content.offers for fault in _faults(play, application, call, offer)]
    play.report.judge(STEP, "offers", faults, f"answers the call for {period.id} with what was called for")
    if heard.late:
        late = tuple(RejectedOffer(offer_id=offer.offer_id, reason="late") for offer in heard.content.offers)
        play.say(play.tso, sent.conversation_id, Rejection(rejected=late))
        return None
    if again:
        await _called_twice(play, sent.conversation_id, to_json(sent))
    return heard


async def _called_twice(play: Play, about: str, text: str) -> None:
    """At-least-once delivery: a copy of a message changes nothing."""
    before = len(play.arrived)
    play.throw(play.tso, text)
    await play.quiet()
    again = any(one.conversation_id == about for one in play.arrived[before:])
    play.report.judge(STEP, "duplicate", "a copy of the call is answered again" if again else None, "drops a copy")


def _call(play: Play, application: Application, period: MarketTimeUnit) -> CallForOffers:
    resources = application.resources
    direction: Direction = "up" if any(resource.max_up_mw > 0 for resource in resources) else "down"
    market = play.scenario.market
    return CallForOffers(
        product=application.product,
        direction=direction,
        need_mw=sum(resource.maximum_mw(direction) for resource in resources),
        min_quantity_mw=market.min_bid_mw,
        quantity_step_mw=market.bid_step_mw,
        delivery_start=period.start_us,
        delivery_end=period.end_us,
    )


def _faults(play: Play, application: Application, call: CallForOffers, offer: Offer) -> Iterator[str]:
    """What of an offer is not what was called for, or not what the participant is qualified for."""
    named = offer.offer_id
    if offer.participant != play.participant:
        yield f"{named} is an offer of {offer.participant}"
    if (offer.product, offer.direction) != (call.product, call.direction):
        yield f"{named} is {offer.product} {offer.direction}, called was {call.product} {call.direction}"
    if (offer.delivery_start, offer.delivery_end) != (call.delivery_start, call.delivery_end):
        yield f"{named} is for another period than was called"
    most_mw = {resource.id: resource.maximum_mw(call.direction) for resource in application.resources}
    if not call.min_quantity_mw - 1e-6 <= offer.quantity_mw <= most_mw.get(offer.resource, 0.0) + 1e-6:
        yield f"{named}: {offer.quantity_mw:g} MW of {offer.resource}, qualified {most_mw.get(offer.resource, 0.0):g}"
    if abs(floor_to_step(offer.quantity_mw, call.quantity_step_mw) - offer.quantity_mw) > 1e-6:
        yield f"{named}: {offer.quantity_mw:g} MW is no multiple of {call.quantity_step_mw:g} MW"
    if abs(offer.price_eur_per_mwh) > play.scenario.market.price_limit_eur_per_mwh:
        yield f"{named}: {offer.price_eur_per_mwh:g} EUR/MWh is beyond the price limit"
