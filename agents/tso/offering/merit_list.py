"""The merit order list at gate closure: what conforms, in which order, and what the DSOs say of it.

    offers ─▶ conformity ─▶ MOL (event) ─▶ MeritOrderList to each DSO in the offering ─▶ verdicts
                                        └▶ MeritOrderNotice to each DSO that is a participant (scenario II)

What they answer, and what holds if they do not, stands in `verdicts.py`.
"""

import re
from collections.abc import Sequence

from ....protocols.envelope import Topic
from ....protocols.information.offering import ForecastQuery, MeritOrderList, MeritOrderNotice, MolEntry, Offer
from ....protocols.messages import kept
from ....protocols.stages import offering as stage
from ...actions import Action, Note, Open
from ...calendar import MarketTimeUnit
from ...market.merit_order import Position, by_grid, merit_order, nonconformity
from ...profiles import Need, TsoProfile
from ..prequalification.applicants import source_of
from ..state import TsoState

VALIDATED = "validation/"
REVISED = re.compile(r"\.r\d+$")


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
    for conversation_id, offer, reason in unfit:
        reasons = reasons.set(f"{conversation_id}/{offer.offer_id}", reason)
    state = state.with_offering(lists=state.offering.lists.set(key, positions), unfit=reasons)
    return state, positions, _closure_notes(profile, key, positions, [(offer, reason) for _, offer, reason in unfit])


def _conforming(
    profile: TsoProfile, state: TsoState, period: MarketTimeUnit, need: Need
) -> tuple[list[Offer], list[tuple[str, Offer, str]]]:
    """Offers that conform, and those that do not, with their conversation and the reason."""
    fit: list[Offer] = []
    unfit: list[tuple[str, Offer, str]] = []
    for name in sorted(state.prequalification.qualified):
        topic = Topic(profile.name, stage.STAGE, period.id, need.subject, name)
        used: dict[str, float] = {}
        offers = state.offering.offers.get(topic.conversation_id, ())
        ids = [offer.offer_id for offer in offers]
        for offer in offers:
            used_mw = round(used.get(offer.resource, 0.0) + offer.quantity_mw, 6)
            fault = _fault(profile, state, offer, topic, used_mw)
            if fault is None and ids.count(offer.offer_id) > 1:
                fault = "its id is used twice"
            if fault is None:
                used[offer.resource] = used_mw
                fit.append(offer.with_status("conformity_validated"))
            else:
                unfit.append((topic.conversation_id, offer, fault))
    return fit, unfit


def _fault(profile: TsoProfile, state: TsoState, offer: Offer, topic: Topic, used_mw: float) -> str | None:
    """Why an offer does not count: not what was called for, not qualified, or not in form."""
    if offer.participant != topic.peer or f"{offer.product}-{offer.direction}" != topic.subject:
        return "not what was called for"
    period = profile.calendar.period(topic.period)
    if (offer.session, offer.delivery_start, offer.delivery_end) != (period.id, period.start_us, period.end_us):
        return "another delivery period than called for"
    begins = f"{offer.participant}.{period.id}.{topic.subject}."  # so nobody's is taken for another's
    if not offer.offer_id.startswith(begins):
        return f'its id does not begin with "{begins}"'
    if REVISED.search(offer.offer_id) or offer.revision:
        return "its id is that of a revision, not of a new offer"
    if not _declared(state, offer):
        return f"{offer.resource} in {offer.grid} is not qualified for {offer.product}"
    verdicts = state.prequalification.qualified.get(offer.participant, ())
    found = [v for v in verdicts if (v.resource, v.direction) == (offer.resource, offer.direction)]
    qualified_mw = found[0].max_mw if found else 0.0
    if used_mw > qualified_mw + 1e-6:
        return f"{used_mw:g} MW offered of {offer.resource}, {qualified_mw:g} MW qualified"
    return nonconformity(offer, profile.rules, qualified_mw)


def _declared(state: TsoState, offer: Offer) -> bool:
    """Whether the participant has applied with this resource, in this grid, for this product."""
    source = source_of(state, offer.participant)
    found = [(one.id, one.grid) for one in source.resources] if source else []
    return source is not None and source.product == offer.product and (offer.resource, offer.grid) in found


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
    listed = MolEntry(
        rank=position.rank,
        offer_id=offer.offer_id,
        quantity_mw=offer.quantity_mw,
        min_quantity_mw=offer.min_quantity_mw if offer.divisible else offer.quantity_mw,
        resource=offer.resource,
    )
    return kept(listed)


def validation(profile: TsoProfile, key: str, positions: Sequence[Position], now_us: int) -> tuple[Action, ...]:
    """Ask each DSO to validate the part of the MOL that lies in its grid."""
    if not profile.coordination.dso_in_offering:
        return ()
    period, need = need_of(profile, key)
    actions, inside = [], by_grid(positions)
    for grid, dso in sorted(profile.dso_of_grid.items()):
        entries = tuple(_mol_entry(position) for position in inside.get(grid, ()))
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
    actions, inside = list[Action](), by_grid(positions)
    for grid, dso in sorted(profile.dso_of_grid.items()):
        content = MeritOrderNotice(
            product=need.product,
            direction=need.direction,
            delivery_start=period.start_us,
            delivery_end=period.end_us,
            entries=tuple(_mol_entry(position) for position in inside.get(grid, ())),
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
