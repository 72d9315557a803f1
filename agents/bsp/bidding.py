"""A participant answers calls for offers at its own due time, with what it is qualified for and has available."""

from collections.abc import Set

from ...protocols.information.offering import (
    Acceptance,
    CallForOffers,
    NoOffer,
    Offer,
    Offers,
    Rejection,
    Withdrawal,
)
from ...protocols.information.quantities import US_PER_S
from ...protocols.messages import Message, kept
from ...protocols.stages import offering as stage
from ..actions import Note, Observe, Say, Wake
from ..agent import Reaction
from ..changes import replace, without
from ..events import Event, Heard, Rejected, Sampled, Silence, Woken
from ..profiles import BspProfile
from ..strategies import Bid
from .deciding import REVISION, decided
from .following import listening
from .reading import ParticipantReading
from .state import BspState

SUBMIT, RECORD = "offering/submit/", "offering/record/"
AVAILABILITY = "availability"
RECORD_AFTER_US = 30 * US_PER_S


def react(profile: BspProfile, state: BspState, event: Event, now_us: int) -> Reaction[BspState]:
    """React to what concerns offering."""
    match event:
        case Woken(timer) if timer.startswith(SUBMIT):
            return _submit(profile, state, timer.removeprefix(SUBMIT), now_us)
        case Sampled(reading=ParticipantReading(resources=resources)):
            known = {r.resource: (r.available_up_mw, r.available_down_mw) for r in resources}
            return replace(state, available=state.available.update(known)), ()
        case Heard():
            return _hear(profile, state, event, now_us)
        case Rejected():
            calls, cid = state.calls, event.conversation.id
            return replace(state, calls=calls.delete(cid) if cid in calls else calls), ()
        case Silence():
            evidence = {"name": "offer lapsed", "conversation_id": event.conversation.id}
            return state, (Note(stage.STAGE, None, evidence),)
        case _:
            return state, ()


def _hear(profile: BspProfile, state: BspState, event: Heard, now_us: int) -> Reaction[BspState]:
    match event.content:
        case CallForOffers() as call:
            return _called(profile, state, event, call, now_us)
        case Acceptance(offers=offers) if not event.late:
            return _awarded(profile, state, event, offers, now_us)
        case Acceptance():
            return state, (Say(event.conversation.id, _too_late()),)
        case Rejection(rejected=rejected):
            evidence = {"name": "offers not taken", "rejected": [r.model_dump(mode="json") for r in rejected]}
            return state, (Note(stage.STAGE, None, evidence),)
        case _:
            return state, ()


def _too_late() -> Message:
    return Withdrawal(reason="the award came after the offer had lapsed")


def _called(profile: BspProfile, state: BspState, event: Heard, call: CallForOffers, now_us: int) -> Reaction[BspState]:
    """Keep the call until the due time; where there is nothing to offer, say so at once."""
    period = event.topic.period
    if not profile.calendar.has(period) or not decided(profile, state, call, period, now_us):
        reason = f"nothing to offer of {call.product} {call.direction}"
        return state, (Say(event.conversation.id, NoOffer(reason=reason)),)
    state = _forgotten(state, profile.calendar.gone(now_us))
    due_us = max(now_us, (event.envelope.reply_by_us or now_us) - profile.submit_before_us)
    calls = state.calls.set(event.conversation.id, call)
    look = Observe(AVAILABILITY, 1, now_us)
    return replace(state, calls=calls), (look, Wake(SUBMIT + event.conversation.id, due_us))


def _forgotten(state: BspState, gone: Set[str]) -> BspState:
    """Without offers and orders of periods that nobody asks about any more."""
    over = [key for key in state.offered if key.split("/")[2] in gone] if gone else []
    book = state.book.forgotten(gone)
    if book is state.book and not over:
        return state
    return replace(state, offered=without(state.offered, over), book=book)


def _submit(profile: BspProfile, state: BspState, conversation_id: str, now_us: int) -> Reaction[BspState]:
    call = state.calls.get(conversation_id)
    if call is None:
        return state, ()
    state = replace(state, calls=state.calls.delete(conversation_id))
    period = conversation_id.split("/")[2]
    offers = tuple(
        _offer(profile, call, bid, number=number, period=period, now_us=now_us)
        for number, bid in enumerate(decided(profile, state, call, period, now_us), start=1)
    )
    if not offers:
        return state, (Say(conversation_id, NoOffer(reason="nothing is available any more")),)
    valid_until_us = profile.calendar.period(period).gate_closure_us + 2 * profile.patience.validation_us
    state = replace(state, offered=state.offered.set(conversation_id, offers))
    return state, (Say(conversation_id, Offers(offers=offers), valid_until_us),)


def _offer(
    profile: BspProfile,
    call: CallForOffers,
    bid: Bid,
    *,
    number: int,
    period: str,
    now_us: int,
) -> Offer:
    grid = next(resource.grid for resource in profile.resources if resource.id == bid.resource)
    offer = Offer(
        offer_id=f"{profile.name}.{period}.{call.product}-{call.direction}.{number}",
        participant=profile.name,
        session=period,
        product=call.product,
        direction=call.direction,
        quantity_mw=bid.quantity_mw,
        min_quantity_mw=bid.min_quantity_mw,
        divisible=bid.divisible,
        price_eur_per_mwh=bid.price_eur_per_mwh,
        delivery_start=call.delivery_start,
        delivery_end=call.delivery_end,
        grid=grid,
        resource=bid.resource,
        submitted_at=now_us,
    )
    return kept(offer)


def _awarded(
    profile: BspProfile, state: BspState, event: Heard, offers: tuple[Offer, ...], now_us: int
) -> Reaction[BspState]:
    """The TSO has accepted: the offers bind from now on, and a record is owed after delivery."""
    foreign = [offer.offer_id for offer in offers if not _is_ours(state, event.conversation.id, offer)]
    if foreign:
        reason = f"not what was offered: {', '.join(foreign)}"
        return state, (Say(event.conversation.id, Withdrawal(reason=reason)),)
    step = "6.9" if profile.coordination.dso_in_offering else "5.6"
    note = Note(stage.STAGE, step, {"name": "acceptance received", "offer_ids": [o.offer_id for o in offers]})
    due_us = profile.calendar.period(event.topic.period).end_us + RECORD_AFTER_US
    bound = replace(state, book=state.book.awarded(offers))
    state, subscription = listening(profile, bound, offers, now_us)
    return state, (note, Wake(RECORD + event.conversation.id, due_us), *subscription)


def _is_ours(state: BspState, conversation_id: str, accepted: Offer) -> bool:
    """Whether an accepted offer is one that was made, whole or in part: the same but for quantity and revision."""
    names = set(Offer.model_fields) - {"offer_id", "related_offer_id", "revision", "status", "quantity_mw"}
    for offer in state.offered.get(conversation_id, ()):
        same_id = REVISION.sub("", accepted.offer_id) == offer.offer_id
        least_mw = offer.min_quantity_mw if offer.divisible else offer.quantity_mw
        fits = least_mw - 1e-6 <= accepted.quantity_mw <= offer.quantity_mw + 1e-6
        if same_id and fits:
            return all(getattr(accepted, name) == getattr(offer, name) for name in sorted(names))
    return False
