"""What containment reserve is paid: awarded MW, for the share of the time in which it followed the frequency.

    ReserveRecord, period over ─▶ ReserveStatement to each participant ─▶ accepted, or disputed, noted ─▶ books closed

The TSO pays the capacity; what it pays comes from the neutrality account, so that all accounts sum to zero. The energy
of containment is not settled: over hours it comes to about nothing, and nobody has ordered it.
"""

from immutables import Map

from ....protocols.envelope import Topic
from ....protocols.information.reserve import ReserveLine, ReserveRecord, ReserveStatement
from ....protocols.information.settlement import StatementDisputed
from ....protocols.stages import reserve as stage
from ....protocols.stages import settlement
from ...actions import Action, Note, Open, Wake
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...changes import derived
from ...events import Heard, Rejected, Silence
from ...market.reserve import Award, capacity_books
from ...market.settlement import amount, balances, megawatt_hours, total, watt_us
from ...profiles import ReserveRules, TsoProfile
from ..settlement.settling import row
from ..state import Kept, TsoState

SETTLE = "reserve/settle/"


def due(profile: TsoProfile, rules: ReserveRules) -> tuple[Wake, ...]:
    """When each period is settled."""
    return tuple(Wake(SETTLE + p.id, p.end_us + profile.patience.follow_us) for p in rules.periods)


def propose(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, now_us: int) -> Reaction[TsoState]:
    """A statement to everybody who was to keep reserve."""
    lines: dict[str, list[ReserveLine]] = {}
    for award in state.reserve.awards.get(period.id, ()):
        lines.setdefault(award.offer.participant, []).append(_line(state, award))
    if not lines:
        return state, ()
    actions: list[Action] = []
    for name, own in sorted(lines.items()):
        content = ReserveStatement(start=period.start_us, end=period.end_us, lines=tuple(own), total_eur=total(own))
        topic = Topic(profile.name, stage.STAGE, period.id, "statement", name)
        actions.append(Open(stage.RESERVE_STATEMENT, topic, content, now_us + profile.patience.answer_us))
    open_ones = Map({name: tuple(own) for name, own in sorted(lines.items())})
    return state.with_reserve(unsettled=state.reserve.unsettled.set(period.id, open_ones)), tuple(actions)


def recorded(state: TsoState, event: Heard, record: ReserveRecord) -> TsoState:
    """A participant's ex-post record; it speaks for its own offers only. Who gives none is paid nothing."""
    awards = state.reserve.awards
    own = derived(state.reserve, "~awarded", (awards,), lambda: _awarded(awards))
    told, whose = state.reserve.recorded, (event.conversation.topic.period, event.conversation.peer)
    for kept in record.kept:
        if own.get(kept.offer_id) == whose:
            told = told.set(kept.offer_id, kept.share)
    return state.with_reserve(recorded=told)


def _awarded(awards: Map[str, tuple[Award, ...]]) -> dict[str, tuple[str, str]]:
    """The period in which each offer has been awarded, and to whom."""
    awarded = ((period_id, award.offer) for period_id, own in sorted(awards.items()) for award in own)
    return {offer.offer_id: (period_id, offer.participant) for period_id, offer in awarded}


def _line(state: TsoState, award: Award) -> ReserveLine:
    """The lesser of what the TSO has seen and the participant has recorded, in integer watt × microsecond."""
    offer, kept = award.offer, state.reserve.kept.get(award.offer.offer_id, Kept())
    seen = kept.followed / max(1, kept.cycles)
    share = round(min(seen, state.reserve.recorded.get(offer.offer_id, 0.0)), 6)
    awarded_watt_us = watt_us(award.awarded_mw, offer.delivery_end - offer.delivery_start)
    kept_watt_us = awarded_watt_us * round(1e6 * share) // 1_000_000
    return ReserveLine(
        offer_id=offer.offer_id,
        quantity_mw=award.awarded_mw,
        share=share,
        capacity_mw_h=megawatt_hours(kept_watt_us),
        price_eur_per_mw_h=offer.price_eur_per_mw_h,
        amount_eur=amount(kept_watt_us, offer.price_eur_per_mw_h),
    )


def answered(profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected) -> Reaction[TsoState]:
    """A statement stands as computed, be it accepted, disputed or not answered; the books close with the last one."""
    period_id, peer = event.conversation.topic.period, event.conversation.peer
    reserve = state.reserve
    unsettled = reserve.unsettled.get(period_id, Map())
    if peer not in unsettled:
        return state, ()
    notes: tuple[Action, ...] = ()
    if not isinstance(event, Heard):
        notes = (Note(stage.STAGE, None, {"name": "no answer", "conversation_id": event.conversation.id}),)
    elif isinstance(event.content, StatementDisputed):
        claim = {"reason": event.content.reason, "claimed_eur": str(event.content.claimed_eur)}
        notes = (Note(stage.STAGE, None, {"name": "dispute escalated", "participant": peer, **claim}),)
    agreed, left = reserve.agreed.get(period_id, Map()).set(peer, unsettled[peer]), unsettled.delete(peer)
    state = state.with_reserve(
        agreed=reserve.agreed.set(period_id, agreed), unsettled=reserve.unsettled.set(period_id, left)
    )
    return state, notes if left else (*notes, _closed(profile, state, period_id))


def _closed(profile: TsoProfile, state: TsoState, period_id: str) -> Note:
    """The books of a period of reserve, as evidence of settlement."""
    agreed = [(name, one) for name, lines in sorted(state.reserve.agreed[period_id].items()) for one in lines]
    payments = capacity_books(period_id, profile.name, agreed)
    evidence = {
        "name": "reserve books closed",
        "period": period_id,
        "payments": [row(payment) for payment in payments],
        "balances_eur": {account: str(balance) for account, balance in balances(payments).items()},
    }
    return Note(settlement.STAGE, None, evidence)
