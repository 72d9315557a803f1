"""The TSO's offering: call, collect, close the gate; then the merit order list and the acceptance follow.

    cfp ─▶ offers ─▶ gate closure ─▶ MOL, validation (merit_list.py) ─▶ definitive MOL (acceptance.py)

One contract net per participant, period, product and direction; a round closes when all have answered or
the gate has closed, and the MOL is built at gate closure, never earlier.
"""

from collections.abc import Sequence

from ...protocols.envelope import Topic
from ...protocols.information.capacity import ResourceVerdict
from ...protocols.information.offering import (
    BaselineForecast,
    CallForOffers,
    DeliveryRecord,
    MeritOrderVerdict,
    Offer,
    Offers,
    RejectedOffer,
    Rejection,
    Withdrawal,
)
from ...protocols.messages import Refuse
from ...protocols.stages import offering as stage
from ...protocols.tables import Protocol
from ..actions import Action, Note, Open, Say, Wake
from ..agent import Reaction
from ..calendar import MarketTimeUnit
from ..events import Event, Heard, Rejected, RoundClosed, Silence, Started, Woken
from ..profiles import Need, TsoProfile
from .acceptance import select_offers
from .merit_list import VALIDATED, build, forecast_queries, keep_verdicts, need_of, no_verdict, notices, validation
from .state import TsoState

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
    if participant in profile.dso_of_grid.values():
        return stage.OFFERING_BY_DSO
    return stage.OFFERING_WITH_DSO if profile.coordination.dso_in_offering else stage.OFFERING


def _call(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> tuple[Action, ...]:
    """Call for offers from everybody qualified, and ask the DSOs of scenario II for their forecast."""
    actions: list[Action] = []
    for need in profile.needs:
        key = f"{period.id}/{need.subject}"
        called = [name for name, verdicts in sorted(state.prequalification.qualified.items()) if _may(verdicts, need)]
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


def _may(verdicts: Sequence[ResourceVerdict], need: Need) -> bool:
    return any(v.direction == need.direction and v.max_mw > 0 for v in verdicts)


def _hear(profile: TsoProfile, state: TsoState, event: Heard) -> Reaction[TsoState]:
    match event.content:
        case Offers(offers=offers) if event.late:
            reason = "late: the gate had closed"
            rejected = tuple(RejectedOffer(offer_id=offer.offer_id, reason=reason) for offer in offers)
            return state, (Say(event.conversation.id, Rejection(rejected=rejected)),)
        case Offers(offers=offers):
            known = state.offering.offers.set(event.conversation.id, offers)
            return state.with_offering(offers=known), _received(profile, event, offers)
        case MeritOrderVerdict(verdicts=verdicts) if not event.late:
            return keep_verdicts(state, verdicts), (_validation_received(event),)
        case BaselineForecast(points=points):
            evidence = {"name": "forecast received", "dso": event.conversation.peer, "points": len(points)}
            return state, (Note(stage.STAGE, "9.6", evidence),)
        case DeliveryRecord(offers=delivered):
            recorded = state.settlement.recorded
            for offer in delivered:
                recorded = recorded.set(offer.offer_id, (offer.requested_mwh, offer.metered_mwh))
            return state.with_settlement(recorded=recorded), ()
        case Withdrawal(reason=reason):
            return _withdrawn(state, event, reason)
        case Refuse(reason=reason) if event.conversation.protocol is stage.MOL_VALIDATION and not event.late:
            return no_verdict(profile, state, event, reason)
        case _:
            return state, ()


def _received(profile: TsoProfile, event: Heard, offers: tuple[Offer, ...]) -> tuple[Action, ...]:
    figure = "9" if event.conversation.protocol is stage.OFFERING_BY_DSO else profile.coordination.figure
    ids = [offer.offer_id for offer in offers]
    evidence = {"name": "offers received", "conversation_id": event.conversation.id, "offer_ids": ids}
    return (Note(stage.STAGE, f"{figure}.2", evidence),)


def _withdrawn(state: TsoState, event: Heard, reason: str) -> Reaction[TsoState]:
    """A participant is not bound by a late award, or cannot deliver: its offers leave the definitive MOL."""
    key = f"{event.topic.period}/{event.topic.subject}"
    kept = tuple(p for p in state.offering.definitive.get(key, ()) if p.offer.participant != event.conversation.peer)
    state = state.with_offering(definitive=state.offering.definitive.set(key, kept)).with_activation(changed=True)
    evidence = {"name": "offers withdrawn", "conversation_id": event.conversation.id, "reason": reason}
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


def _validation_received(event: Heard) -> Note:
    evidence = {"name": "validation received", "conversation_id": event.conversation.id, "dso": event.conversation.peer}
    return Note(stage.STAGE, "6.6", evidence)


def _silent(profile: TsoProfile, state: TsoState, event: Silence | Rejected) -> Reaction[TsoState]:
    reason = "no answer in time" if isinstance(event, Silence) else "not understood"
    if event.conversation.protocol is stage.MOL_VALIDATION:
        return no_verdict(profile, state, event, reason)
    evidence = {"name": "no answer", "conversation_id": event.conversation.id, "reason": reason}
    return state, (Note(stage.STAGE, None, evidence),)
