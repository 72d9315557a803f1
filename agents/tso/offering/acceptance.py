"""The definitive MOL: verdicts applied, the need met, everybody told.

verdicts ─▶ definitive MOL (event) ─▶ Acceptance or Rejection to participants, AcceptanceNotice to DSOs
"""

from typing import NamedTuple

from ....protocols.envelope import Topic
from ....protocols.information.offering import Acceptance, Offer, RejectedOffer, Rejection
from ....protocols.stages import offering as stage
from ...actions import Action, Note, Say
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...market.merit_order import Position, apply_verdicts, by_participant, select
from ...profiles import Need, TsoProfile
from ..state import TsoState
from . import acceptance_notices
from .merit_list import entry, need_of


class Selection(NamedTuple):
    """The three lists of a period and need: as offered, as allowed, as accepted."""

    period: MarketTimeUnit
    need: Need
    listed: tuple[Position, ...]
    allowed: tuple[Position, ...]
    accepted: tuple[Position, ...]


def select_offers(profile: TsoProfile, state: TsoState, key: str) -> Reaction[TsoState]:
    """The definitive MOL: apply the verdicts, walk down to the need, tell everybody."""
    period, need = need_of(profile, key)
    listed = tuple(p for p in state.offering.lists.get(key, ()) if _stands(profile, state, p.offer))
    allowed = apply_verdicts(listed, state.offering.verdicts, profile.rules.bid_step_mw)
    accepted = select(allowed, need.quantity_mw, profile.rules.bid_step_mw)
    chosen = Selection(period, need, listed, allowed, accepted)
    state = state.with_offering(definitive=state.offering.definitive.set(key, accepted))
    actions = (
        _note(profile, chosen),
        *_answers(profile, state, chosen),
        *acceptance_notices.tell(profile, period, need, accepted, state.offering.lists.get(key, ())),
    )
    return state, actions


def _stands(profile: TsoProfile, state: TsoState, offer: Offer) -> bool:
    """Whether an offer has not been withdrawn since the gate closed."""
    subject = f"{offer.product}-{offer.direction}"
    topic = Topic(profile.name, stage.STAGE, offer.session, subject, offer.participant)
    return topic.conversation_id in state.offering.offers


def _note(profile: TsoProfile, chosen: Selection) -> Note:
    allowed_mw = {position.rank: position.offer.quantity_mw for position in chosen.allowed}
    taken = {position.rank: position for position in chosen.accepted}
    entries = [
        entry(taken.get(p.rank, p))
        | {
            "offered_mw": p.offer.quantity_mw,
            "quantity_mw": allowed_mw.get(p.rank, 0.0),
            "accepted_mw": taken[p.rank].accepted_mw if p.rank in taken else 0.0,
        }
        for p in chosen.listed
    ]
    step = "6.7" if profile.coordination.dso_in_offering else None
    name = "definitive merit order list" if step else "selection"
    need = chosen.need
    head = {"name": name, "period": chosen.period.id, "product": need.product, "direction": need.direction}
    return Note(stage.STAGE, step, {**head, "entries": entries})


def _answers(profile: TsoProfile, state: TsoState, chosen: Selection) -> list[Action]:
    """Accept- or reject-proposal to every participant that has offered, with a reason for each offer not taken."""
    taken = {position.rank: position.offer for position in chosen.accepted}
    allowed = frozenset(p.offer.related_offer_id if p.offer.revision else p.offer.offer_id for p in chosen.allowed)
    listed, actions = by_participant(chosen.listed), list[Action]()
    for name in sorted(state.prequalification.qualified):
        topic = Topic(profile.name, stage.STAGE, chosen.period.id, chosen.need.subject, name)
        offers = state.offering.offers.get(topic.conversation_id, ())
        rank_of = {position.offer.offer_id: position.rank for position in listed.get(name, ())}
        own = tuple(taken[rank_of[o.offer_id]] for o in offers if rank_of.get(o.offer_id, 0) in taken)
        rejected = tuple(
            RejectedOffer(offer_id=o.offer_id, reason=_reason(state, topic, o, allowed=o.offer_id in allowed))
            for o in offers
            if rank_of.get(o.offer_id, 0) not in taken
        )
        if own:
            report_by_us = chosen.period.end_us + profile.patience.answer_us
            actions.append(Say(topic.conversation_id, Acceptance(offers=own, rejected=rejected), report_by_us))
        elif rejected:
            actions.append(Say(topic.conversation_id, Rejection(rejected=rejected)))
    return actions


def _reason(state: TsoState, topic: Topic, offer: Offer, *, allowed: bool) -> str:
    unfit = state.offering.unfit.get(f"{topic.conversation_id}/{offer.offer_id}")
    verdict = state.offering.verdicts.get(offer.offer_id)
    if unfit is not None:
        return unfit
    if verdict is not None and not allowed:
        binding = verdict.binding
        return f"excluded by the DSO: {binding.element}" if binding else "excluded: no verdict of the DSO"
    return "not needed: cheaper offers meet the need"
