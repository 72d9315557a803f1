"""The TSO's settlement: ask the DSOs what they metered, propose statements, close the books of a period.

    period over ─▶ MeteredQuery to each DSO ─▶ Statement to each participant ─▶ accepted: payments
                                                └─▶ disputed: recomputed once, then escalated

mFRR is settled on the requested response, aFRR on the metered one; both meters (the participant's record
and the DSO's archive) are noted side by side.
"""

from collections.abc import Iterable, Sequence

from immutables import Map

from ....protocols.envelope import Topic
from ....protocols.information.offering import Offer
from ....protocols.information.settlement import (
    MeteredEnergy,
    MeteredQuery,
    Statement,
    StatementAccepted,
    StatementDisputed,
    StatementLine,
)
from ....protocols.stages import settlement as stage
from ...actions import Action, Note, Open, Wake
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...changes import derived
from ...events import Event, Heard, Rejected, RoundClosed, Silence, Started, Woken
from ...market.merit_order import Position, by_participant
from ...market.settlement import Payment, balances, books, line, metered_line, settled_on, total, watt_us
from ...profiles import TsoProfile
from ..afrr import metering
from ..forgetting import forgotten
from ..state import TsoState
from . import compensation

SETTLE, METERED = "settlement/", "metered/"


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    """React to what concerns settlement."""
    match event:
        case Started():
            late_us = profile.patience.follow_us
            return state, tuple(Wake(SETTLE + p.id, p.end_us + late_us) for p in profile.calendar.periods)
        case Woken(timer):
            period = profile.calendar.period(timer.removeprefix(SETTLE))
            return _ask(profile, forgotten(profile, state, now_us), period, now_us)
        case RoundClosed(round_id):
            return _propose(profile, state, profile.calendar.period(round_id.removeprefix(METERED)), now_us)
        case Heard() if not event.late:
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected():
            return _unanswered(profile, state, event)
        case _:
            return state, ()


def _offers(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> dict[str, list[Offer]]:
    """Accepted offers of a period by participant."""
    lists = tuple(state.offering.definitive.get(f"{period.id}/{need.subject}", ()) for need in profile.needs)
    return derived(state.offering, "~settled", lists, lambda: _by_participant(lists))


def _by_participant(lists: Iterable[Sequence[Position]]) -> dict[str, list[Offer]]:
    found = by_participant(position for positions in lists for position in positions)
    return {name: [position.offer for position in own] for name, own in sorted(found.items())}


def _ask(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, now_us: int) -> Reaction[TsoState]:
    offers = _offers(profile, state, period)
    actions: list[Action] = []
    for grid, dso in sorted(profile.dso_of_grid.items()) if profile.coordination.dso_validates else []:
        inside = tuple(name for name, own in offers.items() if own[0].grid == grid and name != dso)
        if inside:
            query = MeteredQuery(start=period.start_us, end=period.end_us, participants=inside)
            topic = Topic(profile.name, stage.STAGE, period.id, "metered", dso)
            until_us = now_us + profile.patience.answer_us
            actions.append(Open(stage.METERED_ENERGY, topic, query, until_us, None, METERED + period.id))
    return (state, tuple(actions)) if actions else _propose(profile, state, period, now_us)


def _hear(profile: TsoProfile, state: TsoState, event: Heard, now_us: int) -> Reaction[TsoState]:
    match event.content:
        case MeteredEnergy(entries=entries):
            metered = state.settlement.metered
            for entry in entries:
                metered = metered.set(f"{event.topic.period}/{entry.participant}", (entry.up_mwh, entry.down_mwh))
            return state.with_settlement(metered=metered), ()
        case StatementAccepted():
            return _agreed(profile, state, event)
        case StatementDisputed() as disputed:
            return _disputed(profile, state, event, disputed, now_us)
        case _:
            return state, ()


def _propose(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, now_us: int) -> Reaction[TsoState]:
    """A statement to every participant that was asked for energy."""
    state = metering.caught_up(profile, state)
    actions: list[Action] = [_meters(profile, state, period)]
    stated: dict[str, tuple[StatementLine, ...]] = {}
    for participant in _offers(profile, state, period):
        lines = _lines(profile, state, period, participant)
        if lines:
            actions.append(_statement(profile, period, participant, lines, attempt=1, now_us=now_us))
            stated[participant] = lines
    unsettled = state.settlement.unsettled.set(period.id, Map(stated))
    state, closing = _close_if_settled(profile, state.with_settlement(unsettled=unsettled), period.id)
    return state, (*actions, *closing)


def _lines(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, participant: str) -> tuple[StatementLine, ...]:
    offers = _offers(profile, state, period).get(participant, [])
    lines = [_line(profile, state, offer) for offer in offers]
    return tuple(one for one in lines if one.energy_mwh > 0 or one.penalty_eur > 0 or one.unpaid_mwh > 0)


def _line(profile: TsoProfile, state: TsoState, offer: Offer) -> StatementLine:
    """mFRR as requested; aFRR as the TSO has metered it, or as the participant's record says if it has metered none."""
    if settled_on(offer.product) == "requested":
        return line(offer, state.activation.energy.get(offer.offer_id, 0))
    counted = state.regulation.counted.get(offer.offer_id)
    if counted is None or profile.regulation is None:
        recorded_mwh = state.settlement.recorded.get(offer.offer_id, (0.0, 0.0))[1]
        return line(offer, watt_us(recorded_mwh, 3_600_000_000))
    price = profile.regulation.channel.penalty_eur_per_mwh
    parts = {"metered": counted.metered, "unpaid": counted.unpaid, "missing": counted.missing}
    return metered_line(offer, **parts, penalty_eur_per_mwh=price)


def _statement(
    profile: TsoProfile,
    period: MarketTimeUnit,
    participant: str,
    lines: tuple[StatementLine, ...],
    *,
    attempt: int,
    now_us: int,
) -> Open:
    by_dso = participant in profile.dsos
    content = Statement(start=period.start_us, end=period.end_us, lines=lines, total_eur=total(lines), attempt=attempt)
    topic = Topic(profile.name, stage.STAGE, period.id, f"statement.{attempt}", participant)
    protocol = stage.DSO_STATEMENT if by_dso else stage.STATEMENT
    return Open(protocol, topic, content, now_us + profile.patience.answer_us)


def _agreed(profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected) -> Reaction[TsoState]:
    """A statement stands as it was stated; the books close with the last one of the period."""
    period_id, peer, settled = event.conversation.topic.period, event.conversation.peer, state.settlement
    left, agreed = settled.unsettled.get(period_id, Map()), settled.agreed.get(period_id, Map())
    if peer not in left:
        return state, ()
    state = state.with_settlement(
        agreed=settled.agreed.set(period_id, agreed.set(peer, left[peer])),
        unsettled=settled.unsettled.set(period_id, left.delete(peer)),
    )
    return _close_if_settled(profile, state, period_id)


def _unanswered(profile: TsoProfile, state: TsoState, event: Silence | Rejected) -> Reaction[TsoState]:
    """A statement that nobody answers stands as computed; a meter that nobody reads is missing. Both are noted."""
    evidence = {"name": "no answer", "conversation_id": event.conversation.id}
    note = Note(stage.STAGE, None, evidence)
    if event.conversation.protocol is stage.METERED_ENERGY:
        return state, (note,)
    state, actions = _agreed(profile, state, event)
    return state, (note, *actions)


def _disputed(
    profile: TsoProfile, state: TsoState, event: Heard, disputed: StatementDisputed, now_us: int
) -> Reaction[TsoState]:
    """Recompute once; a second dispute is escalated: settled as computed, under protest, and noted as such."""
    period, participant = profile.calendar.period(event.topic.period), event.conversation.peer
    lines = _lines(profile, state, period, participant)
    first = event.topic.subject.endswith(".1")
    evidence = {
        "name": "statement disputed, recomputed" if first else "dispute escalated",
        "participant": participant,
        "reason": disputed.reason,
        "claimed_eur": str(disputed.claimed_eur),
        "computed_eur": str(total(lines)),
    }
    note = Note(stage.STAGE, None, evidence)
    if first and lines:
        left = state.settlement.unsettled.get(period.id, Map()).set(participant, lines)
        state = state.with_settlement(unsettled=state.settlement.unsettled.set(period.id, left))
        return state, (note, _statement(profile, period, participant, lines, attempt=2, now_us=now_us))
    state, actions = _agreed(profile, state, event)
    return state, (note, *actions)


def _meters(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> Note:
    """Requested, recorded by the participant, metered by the DSO: side by side."""
    entries: list[dict[str, object]] = []
    for participant, offers in _offers(profile, state, period).items():
        recorded = [state.settlement.recorded.get(offer.offer_id) for offer in offers]
        metered = state.settlement.metered.get(f"{period.id}/{participant}")
        entries.append(
            {
                "participant": participant,
                "requested_mwh": round(
                    sum(line(o, state.activation.energy.get(o.offer_id, 0)).energy_mwh for o in offers), 6
                ),
                "recorded_mwh": round(sum(r[1] for r in recorded if r), 6) if any(recorded) else None,
                "dso_up_mwh": metered[0] if metered else None,
                "dso_down_mwh": metered[1] if metered else None,
            }
        )
    return Note(stage.STAGE, None, {"name": "energy compared", "period": period.id, "entries": entries})


def _close_if_settled(profile: TsoProfile, state: TsoState, period_id: str) -> Reaction[TsoState]:
    """Close the books of a period when all its statements stand."""
    if state.settlement.unsettled.get(period_id):
        return state, ()
    settled = sorted(state.settlement.agreed.get(period_id, Map()).items())
    agreed = [(participant, one) for participant, lines in settled for one in lines]
    compensated = compensation.payments(profile, state, profile.calendar.period(period_id))
    payments = (*books(period_id, profile.name, agreed, profile.responsible), *compensated)
    state = state.with_settlement(payments=(*state.settlement.payments, *payments))
    evidence = {
        "name": "books closed",
        "period": period_id,
        "payments": [row(payment) for payment in payments],
        "balances_eur": {account: str(balance) for account, balance in balances(payments).items()},
    }
    return state, (Note(stage.STAGE, None, evidence),)


def row(payment: Payment) -> dict[str, object]:
    """A payment as evidence."""
    return {
        "period": payment.period,
        "offer_id": payment.offer_id,
        "kind": payment.kind,
        "payer": payment.payer,
        "payee": payment.payee,
        "product": payment.product,
        "direction": payment.direction,
        "settled_on": payment.settled_on,
        "energy_mwh": payment.energy_mwh,
        "price_eur_per_mwh": payment.price_eur_per_mwh,
        "capacity_mw_h": payment.capacity_mw_h,
        "price_eur_per_mw_h": payment.price_eur_per_mw_h,
        "amount_eur": str(payment.amount_eur),
    }
