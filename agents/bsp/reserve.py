"""A participant keeps containment reserve (FCR): it offers, arms its local control for the time awarded, records it.

    CallForReserve ─▶ ReserveOffers … ReserveAward ─▶ begin: follow the frequency ─▶ over: stop ─▶ ReserveRecord

What it does then needs no message: the local control answers the frequency by itself. An award that does not arrive
arms nothing.
"""

from decimal import Decimal

from ...protocols.information.offering import NoOffer, Rejection, Withdrawal
from ...protocols.information.quantities import US_PER_S
from ...protocols.information.reserve import (
    AwardedReserve,
    CallForReserve,
    KeptReserve,
    ReserveAward,
    ReserveOffer,
    ReserveOffers,
    ReserveRecord,
    ReserveStatement,
)
from ...protocols.information.settlement import StatementAccepted, StatementDisputed
from ...protocols.stages import reserve as stage
from ..actions import RESERVE, Action, Actuate, Note, Say, Wake
from ..agent import Reaction
from ..changes import replace
from ..events import Event, Heard, Rejected, Silence, Woken
from ..market.merit_order import floor_to_step
from ..market.settlement import amount, differs, watt_us
from ..profiles import BspProfile, ReservePlan
from .state import BspState, ReserveState

SUBMIT, TURN, RECORD = "reserve/submit/", "reserve/turn/", "reserve/record/"
RECORD_AFTER_US = 30 * US_PER_S


def react(profile: BspProfile, state: BspState, event: Event, now_us: int) -> Reaction[BspState]:
    """React to what concerns containment reserve."""
    match event:
        case Woken(timer) if timer.startswith(SUBMIT):
            return _submit(profile, state, timer.removeprefix(SUBMIT), now_us)
        case Woken(timer) if timer.startswith(TURN):
            return turned(state, now_us)
        case Woken(timer):
            return state, _record(state.reserve, timer.removeprefix(RECORD))
        case Heard():
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected():
            return state, (Note(stage.STAGE, None, {"name": "no answer", "conversation_id": event.conversation.id}),)
        case _:
            return state, ()


def _kept(state: BspState, reserve: ReserveState) -> BspState:
    return replace(state, reserve=reserve)


def _hear(profile: BspProfile, state: BspState, event: Heard, now_us: int) -> Reaction[BspState]:
    match event.content:
        case CallForReserve() as call:
            return _called(profile, state, event, call, now_us)
        case ReserveAward() if event.late:
            return state, (Say(event.conversation.id, Withdrawal(reason="the award came after the offer had lapsed")),)
        case ReserveAward(awards=awards):
            return _awarded(state, event, awards)
        case Rejection(rejected=rejected):
            evidence = {"name": "offers not taken", "rejected": [r.model_dump(mode="json") for r in rejected]}
            return state, (Note(stage.STAGE, None, evidence),)
        case ReserveStatement() as statement:
            return state, (_answer(profile, state.reserve, event.conversation.id, statement),)
        case _:
            return state, ()


def _called(
    profile: BspProfile, state: BspState, event: Heard, call: CallForReserve, now_us: int
) -> Reaction[BspState]:
    """Keep the call until the due time; where there is nothing to offer, say so at once."""
    if profile.reserve is None or _quantity_mw(profile.reserve, state, call) <= 0:
        return state, (Say(event.conversation.id, NoOffer(reason="nothing to offer of FCR")),)
    due_us = max(now_us, (event.envelope.reply_by_us or now_us) - profile.submit_before_us)
    calls = state.reserve.calls.set(event.conversation.id, call)
    return _kept(state, replace(state.reserve, calls=calls)), (Wake(SUBMIT + event.conversation.id, due_us),)


def _quantity_mw(plan: ReservePlan, state: BspState, call: CallForReserve) -> float:
    """What may be offered: symmetric, so no more than is qualified in either direction; what is awarded is taken.

    A resource that a limit binds has nothing more to give.
    """
    qualified_mw = min(state.qualified.get(f"{plan.resource}|{way}", 0.0) for way in ("up", "down"))
    awards = [award for _, own in sorted(state.reserve.awarded.items()) for award in own]
    times = [a for a in awards if a.delivery_start < call.delivery_end and a.delivery_end > call.delivery_start]
    taken_mw = sum(award.quantity_mw for award in times if award.resource == plan.resource)
    if taken_mw and _room_mw(state, plan.resource) < qualified_mw:
        return 0.0
    most_mw = floor_to_step(min(plan.quantity_mw, qualified_mw) - taken_mw, call.quantity_step_mw)
    return most_mw if most_mw >= max(plan.min_quantity_mw, call.min_quantity_mw) else 0.0


def _submit(profile: BspProfile, state: BspState, conversation_id: str, now_us: int) -> Reaction[BspState]:
    plan, call = profile.reserve, state.reserve.calls[conversation_id]
    assert plan is not None
    (period, subject), quantity_mw = conversation_id.split("/")[2:4], _quantity_mw(plan, state, call)
    if quantity_mw <= 0:
        return state, (Say(conversation_id, NoOffer(reason="nothing is available any more")),)
    offer = ReserveOffer(
        offer_id=f"{profile.name}.{period}.FCR.{subject.partition('.')[2] or 1}",
        participant=profile.name,
        session=period,
        quantity_mw=quantity_mw,
        min_quantity_mw=min(plan.min_quantity_mw, quantity_mw),
        price_eur_per_mw_h=plan.price_eur_per_mw_h,
        delivery_start=call.delivery_start,
        delivery_end=call.delivery_end,
        grid=next(resource.grid for resource in profile.resources if resource.id == plan.resource),
        resource=plan.resource,
        submitted_at=now_us,
    )
    offered = state.reserve.offered.set(conversation_id, (offer,))
    calls = state.reserve.calls.delete(conversation_id)
    state = _kept(state, replace(state.reserve, offered=offered, calls=calls))
    return state, (Say(conversation_id, ReserveOffers(offers=(offer,)), call.delivery_start),)


def _awarded(state: BspState, event: Heard, awards: tuple[AwardedReserve, ...]) -> Reaction[BspState]:
    """The TSO has awarded: arm the local control for the time it is for, and owe a record."""
    cid, offers = event.conversation.id, state.reserve.offered.get(event.conversation.id, ())
    foreign = [award.offer_id for award in awards if not any(_is_ours(offer, award) for offer in offers)]
    if foreign:
        return state, (Say(cid, Withdrawal(reason=f"not what was offered: {', '.join(foreign)}")),)
    start_us = min(award.delivery_start for award in awards)
    end_us = max(award.delivery_end for award in awards)
    evidence = {"name": "reserve awarded", "offer_ids": [award.offer_id for award in awards]}
    state = _kept(state, replace(state.reserve, awarded=state.reserve.awarded.set(cid, awards)))
    turns = (Wake(f"{TURN}begin/{cid}", start_us), Wake(f"{TURN}over/{cid}", end_us))
    return state, (Note(stage.STAGE, None, evidence), *turns, Wake(RECORD + cid, end_us + RECORD_AFTER_US))


def _is_ours(offer: ReserveOffer, award: AwardedReserve) -> bool:
    same = (offer.offer_id, offer.resource, offer.delivery_start, offer.delivery_end)
    if same != (award.offer_id, award.resource, award.delivery_start, award.delivery_end):
        return False
    return offer.min_quantity_mw - 1e-6 <= award.quantity_mw <= offer.quantity_mw + 1e-6


def turned(state: BspState, now_us: int) -> Reaction[BspState]:
    """A period of reserve begins or is over, or a limit has changed: each resource follows the frequency as it may.

    It does so with what is awarded of it now, symmetric as the product is, so within the lower of both its limits.
    """
    if not state.reserve.awarded:
        return state, ()
    reserve = _counted(state.reserve, now_us)
    wanted = {award.resource: 0.0 for _, awards in sorted(reserve.awarded.items()) for award in awards}
    for award in _in_force(reserve, now_us):
        wanted[award.resource] = round(wanted[award.resource] + award.quantity_mw, 6)
    wanted = {resource: min(mw, _room_mw(state, resource)) for resource, mw in wanted.items()}
    moves = tuple(Actuate(RESERVE + r, mw) for r, mw in sorted(wanted.items()) if reserve.armed.get(r, 0.0) != mw)
    return _kept(state, replace(reserve, armed=reserve.armed.update(wanted))), moves


def _in_force(reserve: ReserveState, now_us: int) -> list[AwardedReserve]:
    awards = [award for _, own in sorted(reserve.awarded.items()) for award in own]
    return [award for award in awards if award.delivery_start <= now_us < award.delivery_end]


def _room_mw(state: BspState, resource: str) -> float:
    """What limits leave of a resource in both directions."""
    return min(state.book.caps.get(f"{resource}|{way}", float("inf")) for way in ("up", "down"))


def _counted(reserve: ReserveState, now_us: int) -> ReserveState:
    """Add what has been in force since the last turn; awards of a resource that is limited share what is left."""
    kept, left = reserve.kept, dict(reserve.armed.items())
    for award in _in_force(reserve, reserve.turned_us):
        part_mw = min(award.quantity_mw, left.get(award.resource, 0.0))
        left[award.resource] = left.get(award.resource, 0.0) - part_mw
        lasts_us = min(now_us, award.delivery_end) - reserve.turned_us
        kept = kept.set(award.offer_id, kept.get(award.offer_id, 0) + watt_us(part_mw, lasts_us))
    return replace(reserve, kept=kept, turned_us=now_us)


def _available(reserve: ReserveState, award: AwardedReserve) -> float:
    """The share of an award, in MW and time, that was in force here."""
    whole = watt_us(award.quantity_mw, award.delivery_end - award.delivery_start)
    return round(min(1.0, reserve.kept.get(award.offer_id, 0) / whole), 6) if whole else 0.0


def _record(reserve: ReserveState, conversation_id: str) -> tuple[Action, ...]:
    awards = reserve.awarded[conversation_id]
    kept = tuple(KeptReserve(offer_id=award.offer_id, share=_available(reserve, award)) for award in awards)
    return (Say(conversation_id, ReserveRecord(kept=kept)),)


def _answer(profile: BspProfile, reserve: ReserveState, conversation_id: str, statement: ReserveStatement) -> Say:
    """Accept a statement, or dispute it when it is further from our own books than the tolerance."""
    own = {a.offer_id: (a, cid) for cid, awards in sorted(reserve.awarded.items()) for a in awards}
    claimed = Decimal(0)
    for line in statement.lines:
        if line.offer_id not in own:
            reason = f"{line.offer_id}: no offer of ours that was awarded"
            return Say(conversation_id, StatementDisputed(reason=reason, claimed_eur=Decimal(0)))
        award, cid = own[line.offer_id]
        price = next(offer for offer in reserve.offered[cid] if offer.offer_id == line.offer_id).price_eur_per_mw_h
        kept_us = round(_available(reserve, award) * (award.delivery_end - award.delivery_start))
        claimed += amount(watt_us(award.quantity_mw, kept_us), price)
    if differs(statement.total_eur, claimed, profile.dispute_tolerance):
        reason = f"stated {statement.total_eur} EUR, our books say {claimed} EUR"
        return Say(conversation_id, StatementDisputed(reason=reason, claimed_eur=claimed))
    return Say(conversation_id, StatementAccepted())
