"""The merit order list at gate closure: what conforms, in which order, and what the DSOs say of it.

    offers ─▶ conformity ─▶ MOL (event) ─▶ MeritOrderList to each DSO in the offering ─▶ verdicts
                                        └▶ MeritOrderNotice to each DSO that is a participant (scenario II)

If a DSO gives no verdict the declared policy decides; never a silent ok.
"""

from collections.abc import Sequence

from ...protocols.envelope import Topic
from ...protocols.information.offering import (
    ForecastQuery,
    MeritOrderList,
    MeritOrderNotice,
    MolEntry,
    Offer,
    OfferVerdict,
)
from ...protocols.stages import offering as stage
from ..actions import Action, Note, Open
from ..agent import Reaction
from ..calendar import MarketTimeUnit
from ..events import Heard, Rejected, Silence
from ..market.merit_order import Position, merit_order, nonconformity
from ..profiles import Need, TsoProfile
from .state import TsoState

VALIDATED = "validation/"


def need_of(profile: TsoProfile, key: str) -> tuple[MarketTimeUnit, Need]:
    """Period and need of a key `period/subject`; KeyError if unknown."""
    period_id, _, subject = key.partition("/")
    need = next((need for need in profile.needs if need.subject == subject), None)
    if need is None:
        raise KeyError(f"no need '{subject}'")
    return profile.calendar.period(period_id), need


def build(profile: TsoProfile, state: TsoState, key: str) -> tuple[TsoState, tuple[Position, ...], tuple[Note, ...]]:
    """Build the merit order list of a period and need from what was offered, with the evidence of both steps."""
    period, need = need_of(profile, key)
    fit, unfit = _conforming(profile, state, period, need)
    positions = merit_order(fit)
    reasons = state.offering.unfit
    for offer, reason in unfit:
        reasons = reasons.set(offer.offer_id, reason)
    state = state.with_offering(lists=state.offering.lists.set(key, positions), unfit=reasons)
    return state, positions, _closure_notes(profile, key, positions, unfit)


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
    mol = {"name": "merit order list", **head, "entries": [entry(p) for p in positions], "rejected": rejected}
    closed = {"name": "gate closed", **head, "answered": answered}
    notes = [Note(stage.STAGE, f"{figure}.3", closed) for figure in _figures(profile)]
    return (*notes, *(Note(stage.STAGE, f"{figure}.4", mol) for figure in _figures(profile)))


def _figures(profile: TsoProfile) -> tuple[str, ...]:
    return (profile.coordination.figure, *(("9",) if profile.coordination.dso_is_participant else ()))


def entry(position: Position) -> dict[str, object]:
    """One line of a merit order list as evidence."""
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


def in_grid(positions: Sequence[Position], grid: str) -> tuple[Position, ...]:
    """The part of a list that lies in a grid."""
    return tuple(position for position in positions if position.offer.grid == grid)


def validation(profile: TsoProfile, key: str, positions: Sequence[Position], now_us: int) -> tuple[Action, ...]:
    """Ask each DSO to validate the part of the MOL that lies in its grid."""
    if not profile.coordination.dso_in_offering:
        return ()
    period, need = need_of(profile, key)
    actions = []
    for grid, dso in sorted(profile.dso_of_grid.items()):
        entries = tuple(_mol_entry(position) for position in in_grid(positions, grid))
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


def notices(profile: TsoProfile, key: str, positions: Sequence[Position], now_us: int) -> tuple[Action, ...]:
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
            entries=tuple(_mol_entry(position) for position in in_grid(positions, grid)),
        )
        topic = Topic(profile.name, stage.STAGE, period.id, f"mol-{need.subject}", dso)
        actions.append(Open(stage.MOL_NOTICE, topic, content, now_us + profile.patience.answer_us))
    if profile.coordination.forecast == "after_mol" and need is profile.needs[0]:
        actions += forecast_queries(profile, period)
    return tuple(actions)


def forecast_queries(profile: TsoProfile, period: MarketTimeUnit) -> list[Action]:
    """Scenario II: the baseline of the DSO's demand response."""
    if not profile.coordination.dso_is_participant:
        return []
    query = ForecastQuery(start=period.start_us, end=period.end_us, resolution_s=900)
    until_us = period.gate_closure_us + profile.patience.validation_us
    return [
        Open(stage.FORECAST, Topic(profile.name, stage.STAGE, period.id, "forecast", dso), query, until_us)
        for _, dso in sorted(profile.dso_of_grid.items())
    ]


def keep_verdicts(state: TsoState, verdicts: Sequence[OfferVerdict]) -> TsoState:
    """The verdicts of a DSO have come in."""
    known = state.offering.verdicts
    for verdict in verdicts:
        known = known.set(verdict.offer_id, verdict)
    return state.with_offering(verdicts=known)


def no_verdict(
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
        state = keep_verdicts(state, [OfferVerdict(offer_id=o.offer_id, verdict="excluded", max_mw=0) for o in offers])
    evidence = {
        "name": "no verdict",
        "conversation_id": topic.conversation_id,
        "reason": reason,
        "policy": policy,
        "offer_ids": [offer.offer_id for offer in offers],
    }
    return state, (Note(stage.STAGE, None, evidence),)
