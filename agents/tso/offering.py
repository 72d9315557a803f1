"""The TSO's offering: call, close the gate, build the MOL, have it validated, select, accept.

    cfp ─▶ offers ─▶ gate closure ─▶ MOL ─▶ (DSO validates) ─▶ definitive MOL ─▶ acceptance, notice to DSOs

One contract net per participant, period, product and direction; a round closes when all have answered or
the gate has closed, and the MOL is built at gate closure, never earlier.
"""

from collections.abc import Sequence

from ...protocols.envelope import Topic
from ...protocols.information.capacity import ResourceVerdict
from ...protocols.information.offering import (
    Acceptance,
    AcceptanceNotice,
    AcceptedOffer,
    BaselineForecast,
    CallForOffers,
    DeliveryRecord,
    ForecastQuery,
    MeritOrderList,
    MeritOrderNotice,
    MeritOrderVerdict,
    MolEntry,
    NoOffer,
    Offer,
    Offers,
    OfferVerdict,
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
from ..market.merit_order import Position, apply_verdicts, merit_order, nonconformity, select
from ..profiles import Need, TsoProfile
from .state import TsoState

CALL, GATE, CALLED, VALIDATED = "offering/call/", "offering/gate/", "offers/", "validation/"


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
            return _select(profile, state, round_id.removeprefix(VALIDATED))
        case Heard():
            return _hear(profile, state, event)
        case Silence() | Rejected():
            return _silent(profile, state, event)
        case _:
            return state, ()


def need_of(profile: TsoProfile, key: str) -> tuple[MarketTimeUnit, Need]:
    """Period and need of a key `period/subject`; KeyError if unknown."""
    period_id, _, subject = key.partition("/")
    need = next((need for need in profile.needs if need.subject == subject), None)
    if need is None:
        raise KeyError(f"no need '{subject}'")
    return profile.calendar.period(period_id), need


def _protocol(profile: TsoProfile, participant: str) -> Protocol:
    if participant in profile.dso_of_grid.values():
        return stage.OFFERING_BY_DSO
    return stage.OFFERING_WITH_DSO if profile.coordination.dso_in_offering else stage.OFFERING


def _figures(profile: TsoProfile) -> tuple[str, ...]:
    return (profile.coordination.figure, *(("9",) if profile.coordination.dso_is_participant else ()))


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
        actions += _forecast_queries(profile, period)
    return tuple(actions)


def _may(verdicts: Sequence[ResourceVerdict], need: Need) -> bool:
    return any(v.direction == need.direction and v.max_mw > 0 for v in verdicts)


def _forecast_queries(profile: TsoProfile, period: MarketTimeUnit) -> list[Action]:
    """Scenario II: the baseline of the DSO's demand response."""
    if not profile.coordination.dso_is_participant:
        return []
    query = ForecastQuery(start=period.start_us, end=period.end_us, resolution_s=900)
    until_us = period.gate_closure_us + profile.patience.validation_us
    return [
        Open(stage.FORECAST, Topic(profile.name, stage.STAGE, period.id, "forecast", dso), query, until_us)
        for _, dso in sorted(profile.dso_of_grid.items())
    ]


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
            return _keep_verdicts(state, verdicts), (_validation_received(event),)
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
            return _no_verdict(profile, state, event, reason)
        case NoOffer() | _:
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
    """The gate closes: sort out what does not conform, and build the merit order list."""
    period, need = need_of(profile, key)
    fit, unfit = _conforming(profile, state, period, need)
    positions = merit_order(fit)
    offering = state.offering
    reasons = offering.unfit
    for offer, reason in unfit:
        reasons = reasons.set(offer.offer_id, reason)
    state = state.with_offering(lists=offering.lists.set(key, positions), unfit=reasons)
    notes = _closure_notes(profile, key, positions, unfit)
    validation = _validation(profile, key, positions, now_us)
    if validation:
        return state, (*notes, *validation)
    state, selection = _select(profile, state, key)
    return state, (*notes, *_notices_to_participants(profile, key, positions, now_us), *selection)


def _conforming(
    profile: TsoProfile, state: TsoState, period: MarketTimeUnit, need: Need
) -> tuple[list[Offer], list[tuple[Offer, str]]]:
    fit: list[Offer] = []
    unfit: list[tuple[Offer, str]] = []
    for name in sorted(state.prequalification.qualified):
        topic = Topic(profile.name, stage.STAGE, period.id, need.subject, name)
        used: dict[str, float] = {}
        for offer in state.offering.offers.get(topic.conversation_id, ()):
            used[offer.resource] = used.get(offer.resource, 0.0) + offer.quantity_mw
            fault = _fault(profile, state, offer, topic, used[offer.resource])
            if fault is None:
                fit.append(offer.with_status("conformity_validated"))
            else:
                unfit.append((offer, fault))
    return fit, unfit


def _fault(profile: TsoProfile, state: TsoState, offer: Offer, topic: Topic, used_mw: float) -> str | None:
    """Why an offer does not count: not what was called for, not qualified, or not in form."""
    if offer.participant != topic.peer or f"{offer.product}-{offer.direction}" != topic.subject:
        return "not what was called for"
    period = profile.calendar.period(topic.period)
    if (offer.delivery_start, offer.delivery_end) != (period.start_us, period.end_us):
        return "another delivery period than called for"
    verdicts = state.prequalification.qualified.get(offer.participant, ())
    found = [v for v in verdicts if (v.resource, v.direction) == (offer.resource, offer.direction)]
    qualified_mw = found[0].max_mw if found else 0.0
    if used_mw > qualified_mw + 1e-6:
        return f"{used_mw:g} MW offered of {offer.resource}, {qualified_mw:g} MW qualified"
    return nonconformity(offer, profile.rules, qualified_mw)


def _closure_notes(
    profile: TsoProfile, key: str, positions: Sequence[Position], unfit: Sequence[tuple[Offer, str]]
) -> tuple[Note, ...]:
    period_id, _, subject = key.partition("/")
    product, _, direction = subject.partition("-")
    head = {"period": period_id, "product": product, "direction": direction}
    answered = sorted({p.offer.participant for p in positions} | {offer.participant for offer, _ in unfit})
    rejected = [{"offer_id": offer.offer_id, "reason": reason} for offer, reason in unfit]
    mol = {"name": "merit order list", **head, "entries": [_entry(p) for p in positions], "rejected": rejected}
    closed = {"name": "gate closed", **head, "answered": answered}
    notes = [Note(stage.STAGE, f"{figure}.3", closed) for figure in _figures(profile)]
    return (*notes, *(Note(stage.STAGE, f"{figure}.4", mol) for figure in _figures(profile)))


def _entry(position: Position) -> dict[str, object]:
    offer = position.offer
    return {
        "rank": position.rank,
        "offer_id": offer.offer_id,
        "related_offer_id": offer.related_offer_id,
        "participant": offer.participant,
        "grid": offer.grid,
        "resource": offer.resource,
        "quantity_mw": offer.quantity_mw,
        "price_eur_per_mwh": offer.price_eur_per_mwh,
    }


def _mol_entry(position: Position) -> MolEntry:
    offer = position.offer
    return MolEntry(
        rank=position.rank,
        offer_id=offer.offer_id,
        quantity_mw=offer.quantity_mw,
        min_quantity_mw=offer.min_quantity_mw if offer.divisible else offer.quantity_mw,
        resource=offer.resource,
    )


def _in_grid(positions: Sequence[Position], grid: str) -> tuple[Position, ...]:
    return tuple(position for position in positions if position.offer.grid == grid)


def _validation(
    profile: TsoProfile, key: str, positions: Sequence[Position], now_us: int
) -> tuple[Action, ...]:
    """Ask each DSO to validate the part of the MOL that lies in its grid."""
    if not profile.coordination.dso_in_offering:
        return ()
    period, need = need_of(profile, key)
    actions = []
    for grid, dso in sorted(profile.dso_of_grid.items()):
        entries = tuple(_mol_entry(position) for position in _in_grid(positions, grid))
        if entries:
            content = MeritOrderList(
                product=need.product,
                direction=need.direction,
                delivery_start=period.start_us,
                delivery_end=period.end_us,
                entries=entries,
            )
            topic = Topic(profile.name, stage.STAGE, period.id, f"mol-{need.subject}", dso)
            until_us = now_us + profile.patience.validation_us
            actions.append(Open(stage.MOL_VALIDATION, topic, content, until_us, None, VALIDATED + key))
    return tuple(actions)


def _notices_to_participants(
    profile: TsoProfile, key: str, positions: Sequence[Position], now_us: int
) -> tuple[Action, ...]:
    """Scenario II: the DSO sees the MOL of its own grid, without prices; then, if so agreed, its forecast is asked."""
    if not profile.coordination.dso_is_participant:
        return ()
    period, need = need_of(profile, key)
    actions: list[Action] = []
    for grid, dso in sorted(profile.dso_of_grid.items()):
        content = MeritOrderNotice(
            product=need.product,
            direction=need.direction,
            delivery_start=period.start_us,
            delivery_end=period.end_us,
            entries=tuple(_mol_entry(position) for position in _in_grid(positions, grid)),
        )
        topic = Topic(profile.name, stage.STAGE, period.id, f"mol-{need.subject}", dso)
        actions.append(Open(stage.MOL_NOTICE, topic, content, now_us + profile.patience.answer_us))
    if profile.coordination.forecast == "after_mol" and need is profile.needs[0]:
        actions += _forecast_queries(profile, period)
    return tuple(actions)


def _keep_verdicts(state: TsoState, verdicts: Sequence[OfferVerdict]) -> TsoState:
    known = state.offering.verdicts
    for verdict in verdicts:
        known = known.set(verdict.offer_id, verdict)
    return state.with_offering(verdicts=known)


def _validation_received(event: Heard) -> Note:
    evidence = {"name": "validation received", "conversation_id": event.conversation.id, "dso": event.conversation.peer}
    return Note(stage.STAGE, "6.6", evidence)


def _silent(profile: TsoProfile, state: TsoState, event: Silence | Rejected) -> Reaction[TsoState]:
    reason = "no answer in time" if isinstance(event, Silence) else "not understood"
    if event.conversation.protocol is stage.MOL_VALIDATION:
        return _no_verdict(profile, state, event, reason)
    evidence = {"name": "no answer", "conversation_id": event.conversation.id, "reason": reason}
    return state, (Note(stage.STAGE, None, evidence),)


def _no_verdict(
    profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected, reason: str
) -> Reaction[TsoState]:
    """The DSO has given no verdict: the declared policy decides, never a silent ok.

    `exclude` drops the offers of its grid; `use_prequalified_limits` and `accept` let them stand as offered
    (an offer never exceeds what was prequalified).
    """
    topic = event.conversation.topic
    policy = profile.coordination.silent_dso
    key = f"{topic.period}/{topic.subject.removeprefix('mol-')}"
    grids = [grid for grid, dso in profile.dso_of_grid.items() if dso == event.conversation.peer]
    offers = [p.offer for p in state.offering.lists.get(key, ()) if p.offer.grid in grids]
    if policy == "exclude":
        state = _keep_verdicts(state, [OfferVerdict(offer_id=o.offer_id, verdict="excluded", max_mw=0) for o in offers])
    evidence = {
        "name": "no verdict",
        "conversation_id": topic.conversation_id,
        "reason": reason,
        "policy": policy,
        "offer_ids": [offer.offer_id for offer in offers],
    }
    return state, (Note(stage.STAGE, None, evidence),)


def _select(profile: TsoProfile, state: TsoState, key: str) -> Reaction[TsoState]:
    """The definitive MOL: apply the verdicts, walk down to the need, tell everybody."""
    period, need = need_of(profile, key)
    listed = state.offering.lists.get(key, ())
    allowed = apply_verdicts(listed, state.offering.verdicts, profile.rules.bid_step_mw)
    accepted = select(allowed, need.quantity_mw, profile.rules.bid_step_mw)
    state = state.with_offering(definitive=state.offering.definitive.set(key, accepted))
    note = _definitive_note(profile, key, listed, allowed, accepted)
    answers = _answers(profile, state, key, listed, accepted, period)
    return state, (note, *answers, *_notices(profile, key, accepted, period))


def _definitive_note(
    profile: TsoProfile,
    key: str,
    listed: Sequence[Position],
    allowed: Sequence[Position],
    accepted: Sequence[Position],
) -> Note:
    period_id, _, subject = key.partition("/")
    product, _, direction = subject.partition("-")
    allowed_mw = {position.rank: position.offer.quantity_mw for position in allowed}
    taken = {position.rank: position for position in accepted}
    entries = [
        _entry(taken.get(p.rank, p))
        | {
            "offered_mw": p.offer.quantity_mw,
            "quantity_mw": allowed_mw.get(p.rank, 0.0),
            "accepted_mw": taken[p.rank].accepted_mw if p.rank in taken else 0.0,
        }
        for p in listed
    ]
    step = "6.7" if profile.coordination.dso_in_offering else None
    name = "definitive merit order list" if step else "selection"
    head = {"name": name, "period": period_id, "product": product, "direction": direction}
    return Note(stage.STAGE, step, {**head, "entries": entries})


def _answers(
    profile: TsoProfile,
    state: TsoState,
    key: str,
    listed: Sequence[Position],
    accepted: Sequence[Position],
    period: MarketTimeUnit,
) -> list[Action]:
    """Accept- or reject-proposal to every participant that has offered, with a reason for each offer not taken."""
    _, need = need_of(profile, key)
    taken = {position.rank: position.offer for position in accepted}
    rank_of = {position.offer.offer_id: position.rank for position in listed}
    actions: list[Action] = []
    for name in sorted(state.prequalification.qualified):
        topic = Topic(profile.name, stage.STAGE, period.id, need.subject, name)
        offers = state.offering.offers.get(topic.conversation_id, ())
        own = tuple(taken[rank_of[o.offer_id]] for o in offers if rank_of.get(o.offer_id, 0) in taken)
        rejected = tuple(
            RejectedOffer(offer_id=o.offer_id, reason=_reason(state, o))
            for o in offers
            if rank_of.get(o.offer_id, 0) not in taken
        )
        if own:
            report_by_us = period.end_us + profile.patience.answer_us
            actions.append(Say(topic.conversation_id, Acceptance(offers=own, rejected=rejected), report_by_us))
        elif rejected:
            actions.append(Say(topic.conversation_id, Rejection(rejected=rejected)))
    return actions


def _reason(state: TsoState, offer: Offer) -> str:
    unfit = state.offering.unfit.get(offer.offer_id)
    verdict = state.offering.verdicts.get(offer.offer_id)
    if unfit is not None:
        return unfit
    if verdict is not None and verdict.max_mw < max(offer.min_quantity_mw, 1e-6):
        binding = verdict.binding
        return f"excluded by the DSO: {binding.element}" if binding else "excluded: no verdict of the DSO"
    return "not needed: cheaper offers meet the need"


def _notices(
    profile: TsoProfile, key: str, accepted: Sequence[Position], period: MarketTimeUnit
) -> list[Action]:
    """Each DSO learns of the accepted offers in its own grid, without prices."""
    if not profile.coordination.dso_validates:
        return []
    _, need = need_of(profile, key)
    protocol = (
        stage.ACCEPTANCE_NOTICE_WITH_DSO if profile.coordination.dso_in_offering else stage.ACCEPTANCE_NOTICE
    )
    actions: list[Action] = []
    for grid, dso in sorted(profile.dso_of_grid.items()):
        own = _in_grid(accepted, grid)
        if own:
            content = AcceptanceNotice(offers=tuple(_accepted_offer(position) for position in own))
            topic = Topic(profile.name, stage.STAGE, period.id, f"accepted-{need.subject}", dso)
            actions.append(Open(protocol, topic, content, period.start_us))
    return actions


def _accepted_offer(position: Position) -> AcceptedOffer:
    offer = position.offer
    return AcceptedOffer(
        offer_id=offer.offer_id,
        participant=offer.participant,
        product=offer.product,
        direction=offer.direction,
        quantity_mw=position.accepted_mw,
        min_quantity_mw=offer.min_quantity_mw,
        delivery_start=offer.delivery_start,
        delivery_end=offer.delivery_end,
        resource=offer.resource,
        rank=position.rank,
    )
