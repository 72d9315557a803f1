"""The TSO's offering: call, collect, close the gate; then the merit order list and the acceptance follow.

    cfp ─▶ offers ─▶ gate closure ─▶ MOL, validation (merit_list.py) ─▶ definitive MOL (acceptance.py)

One contract net per participant, period, product and direction; a round closes when all have answered or
the gate has closed, and the MOL is built at gate closure, never earlier.
"""

from collections.abc import Sequence

from ....protocols.conversation import Conversation
from ....protocols.envelope import Topic
from ....protocols.information.offering import (
    BaselineForecast,
    CallForOffers,
    DeliveredOffer,
    DeliveryRecord,
    MeritOrderVerdict,
    Offer,
    Offers,
    RejectedOffer,
    Rejection,
    Withdrawal,
)
from ....protocols.messages import Failure, Refuse
from ....protocols.stages import offering as stage
from ....protocols.tables import Protocol
from ...actions import Action, Note, Open, Say, Wake
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...changes import derived
from ...events import Event, Heard, Rejected, RoundClosed, Silence, Started, Woken
from ...market.merit_order import by_participant
from ...profiles import Need, TsoProfile
from ..prequalification.applicants import source_of
from ..state import TsoState
from . import acceptance_notices, verdicts
from .acceptance import select_offers
from .merit_list import VALIDATED, build, forecast_queries, need_of, notices, validation

OFFERINGS = (stage.OFFERING, stage.OFFERING_WITH_DSO, stage.OFFERING_BY_DSO)
CALL, GATE, CALLED = "offering/call/", "offering/gate/", "offers/"


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    """React to what concerns offering."""
    match event:
        case Started():
            return state, tuple(Wake(CALL + p.id, p.cfp_us) for p in profile.calendar.periods)
        case Woken(timer) if timer.startswith(CALL):
            return state, _call(profile, state, profile.calendar.period(timer.removeprefix(CALL)))
        case Woken(timer):
            return _close(profile, state, timer.removeprefix(GATE), now_us)
        case RoundClosed(round_id) if round_id.startswith(CALLED):
            return _answered(profile, state, round_id.removeprefix(CALLED), now_us)
        case RoundClosed(round_id):
            return select_offers(profile, state, round_id.removeprefix(VALIDATED))
        case Heard():
            return _hear(profile, state, event)
        case Silence() | Rejected():
            return _silent(profile, state, event)
        case _:
            return state, ()


def _protocol(profile: TsoProfile, participant: str) -> Protocol:
    if participant in profile.dsos:
        return stage.OFFERING_BY_DSO
    return stage.OFFERING_WITH_DSO if profile.coordination.dso_in_offering else stage.OFFERING


def _call(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> tuple[Action, ...]:
    """Call for offers from everybody qualified, and ask the DSOs of scenario II for their forecast."""
    actions: list[Action] = []
    for need in profile.needs:
        key = f"{period.id}/{need.subject}"
        called = [name for name in sorted(state.prequalification.qualified) if _may(state, name, need)]
        cfp = CallForOffers(
            product=need.product,
            direction=need.direction,
            need_mw=need.quantity_mw,
            min_quantity_mw=profile.rules.min_bid_mw,
            quantity_step_mw=profile.rules.bid_step_mw,
            delivery_start=period.start_us,
            delivery_end=period.end_us,
        )
        for name in called:
            topic = Topic(profile.name, stage.STAGE, period.id, need.subject, name)
            actions.append(Open(_protocol(profile, name), topic, cfp, period.gate_closure_us, None, CALLED + key))
        if not called:
            actions.append(Wake(GATE + key, period.gate_closure_us))
    if profile.coordination.forecast == "with_offer":
        actions += forecast_queries(profile, period)
    return tuple(actions)


def _may(state: TsoState, name: str, need: Need) -> bool:
    """Whether a participant is qualified for a product and direction."""
    source = source_of(state, name)
    usable = [v for v in state.prequalification.qualified[name] if v.direction == need.direction and v.max_mw > 0]
    return source is not None and source.product == need.product and bool(usable)


def _hear(profile: TsoProfile, state: TsoState, event: Heard) -> Reaction[TsoState]:
    match event.content:
        case Offers(offers=offers) if event.late:
            reason = "late: the gate had closed"
            rejected = tuple(RejectedOffer(offer_id=offer.offer_id, reason=reason) for offer in offers)
            return state, (Say(event.conversation.id, Rejection(rejected=rejected)),)
        case Offers(offers=offers):
            known = state.offering.offers.set(event.conversation.id, offers)
            return state.with_offering(offers=known), _received(profile, event, offers)
        case MeritOrderVerdict() as verdict if not event.late:
            return verdicts.given(profile, state, event, verdict.verdicts)
        case BaselineForecast(points=points):
            evidence = {"name": "forecast received", "dso": event.conversation.peer, "points": len(points)}
            return state, (Note(stage.STAGE, "9.6", evidence),)
        case DeliveryRecord(offers=delivered):
            return _recorded(state, event, delivered), ()
        case Withdrawal(reason=reason):
            return _withdrawn(state, event.conversation, reason)
        case Refuse(reason=reason) | Failure(reason=reason) if not event.late and _asked_dso(event):
            return verdicts.none_given(profile, state, event, reason)
        case _:
            return state, ()


def _received(profile: TsoProfile, event: Heard, offers: tuple[Offer, ...]) -> tuple[Action, ...]:
    figure = "9" if event.conversation.protocol is stage.OFFERING_BY_DSO else profile.coordination.figure
    ids = [offer.offer_id for offer in offers]
    evidence = {"name": "offers received", "conversation_id": event.conversation.id, "offer_ids": ids}
    return (Note(stage.STAGE, f"{figure}.2", evidence),)


def _asked_dso(event: Heard | Silence | Rejected) -> bool:
    return event.conversation.protocol is stage.MOL_VALIDATION


def _accepted(state: TsoState, conversation: Conversation) -> list[str]:
    """The offers that were accepted in a conversation."""
    subject = conversation.topic.subject
    positions = state.offering.definitive.get(f"{conversation.topic.period}/{subject}", ())
    own = derived(state.offering, f"~accepted/{subject}", (positions,), lambda: by_participant(positions))
    return [position.offer.offer_id for position in own.get(conversation.peer, ())]


def _recorded(state: TsoState, event: Heard, delivered: Sequence[DeliveredOffer]) -> TsoState:
    """A participant's ex-post record; it speaks for its own offers only."""
    own, recorded = _accepted(state, event.conversation), state.settlement.recorded
    for offer in delivered:
        if offer.offer_id in own:
            recorded = recorded.set(offer.offer_id, (offer.requested_mwh, offer.metered_mwh))
    return state.with_settlement(recorded=recorded)


def _withdrawn(state: TsoState, conversation: Conversation, reason: str) -> Reaction[TsoState]:
    """A participant is not bound by a late award, or cannot deliver: its offers are not ordered any more.

    Those still on their way through the merit order list leave it; those accepted stay in it as failed, because
    energy may have been requested of them.
    """
    offers, failed = state.offering.offers, state.activation.failed
    if conversation.id in offers:
        offers = offers.delete(conversation.id)
    failed |= frozenset(_accepted(state, conversation))
    state = state.with_offering(offers=offers).with_activation(failed=failed, changed=True)
    evidence = {"name": "offers withdrawn", "conversation_id": conversation.id, "reason": reason}
    return state, (Note(stage.STAGE, None, evidence),)


def _answered(profile: TsoProfile, state: TsoState, key: str, now_us: int) -> Reaction[TsoState]:
    period, _ = need_of(profile, key)
    if now_us < period.gate_closure_us:
        return state, (Wake(GATE + key, period.gate_closure_us),)
    return _close(profile, state, key, now_us)


def _close(profile: TsoProfile, state: TsoState, key: str, now_us: int) -> Reaction[TsoState]:
    """The gate closes: build the merit order list; ask the DSOs in the offering, else select at once."""
    state, positions, notes = build(profile, state, key)
    asked = validation(profile, key, positions, now_us)
    if asked:
        return state, (*notes, *asked)
    state, selection = select_offers(profile, state, key)
    return state, (*notes, *notices(profile, key, positions, now_us), *selection)


def _silent(profile: TsoProfile, state: TsoState, event: Silence | Rejected) -> Reaction[TsoState]:
    reason = "no answer in time" if isinstance(event, Silence) else "not understood"
    if _asked_dso(event):
        return verdicts.none_given(profile, state, event, reason)
    if isinstance(event, Rejected) and event.conversation.protocol in OFFERINGS:
        return _withdrawn(state, event.conversation, reason)
    evidence = {"name": "no answer", "conversation_id": event.conversation.id, "reason": reason}
    told: tuple[Action, ...] = ()
    if isinstance(event, Silence) and event.conversation.protocol in acceptance_notices.PROTOCOLS:
        told = acceptance_notices.again(profile, state, event)
    return state, (Note(stage.STAGE, None, evidence), *told)
