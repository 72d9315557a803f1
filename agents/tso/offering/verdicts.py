"""What the DSOs say of the merit order list, and what holds where one says nothing: never a silent ok.

verdicts on its own offers ─▶ kept        none, by silence              ─▶ the declared policy
                                          none, by refusal or failure   ─▶ excluded
                                          not on every offer asked      ─▶ the rest is excluded
"""

from collections.abc import Sequence
from operator import attrgetter

from ....protocols.conversation import Conversation
from ....protocols.information.offering import Offer, OfferVerdict
from ....protocols.stages import offering as stage
from ...actions import Action, Note
from ...agent import Reaction
from ...changes import derived
from ...events import Heard, Rejected, Silence
from ...market.merit_order import by_grid
from ...profiles import TsoProfile
from ..state import TsoState


def given(profile: TsoProfile, state: TsoState, event: Heard, verdicts: Sequence[OfferVerdict]) -> Reaction[TsoState]:
    """The verdicts of a DSO have come in; it decides about the offers in its grid that it was asked about."""
    conversation = event.conversation
    asked = {offer.offer_id: offer for offer in _asked(profile, state, conversation)}
    own = [verdict for verdict in verdicts if verdict.offer_id in asked]
    said = {verdict.offer_id for verdict in own}
    evidence = {"name": "validation received", "conversation_id": conversation.id, "dso": conversation.peer}
    actions: tuple[Action, ...] = (Note(stage.STAGE, "6.6", evidence),)
    missing = [offer for offer_id, offer in asked.items() if offer_id not in said]
    if missing:
        own += _excluded(missing)
        actions = (*actions, _note(conversation, "not mentioned", "exclude", missing))
    return _kept(state, own), actions


def none_given(
    profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected, reason: str
) -> Reaction[TsoState]:
    """The DSO has given no verdict.

    If it is silent the declared policy decides: `exclude` drops the offers of its grid; `use_prequalified_limits`
    and `accept` let them stand as offered (an offer never exceeds what was prequalified). Whoever says that he
    cannot evaluate them is not silent: then they are dropped.
    """
    offers = _asked(profile, state, event.conversation)
    policy = profile.coordination.silent_dso if isinstance(event, Silence) else "exclude"
    if policy == "exclude":
        state = _kept(state, _excluded(offers))
    return state, (_note(event.conversation, reason, policy, offers),)


def _asked(profile: TsoProfile, state: TsoState, conversation: Conversation) -> list[Offer]:
    """The offers that a validation is about: those of the list in the DSO's grids."""
    topic = conversation.topic
    key = f"{topic.period}/{topic.subject.removeprefix('mol-')}"
    positions = state.offering.lists.get(key, ())
    inside = derived(state.offering, f"~inside/{topic.subject}", (positions,), lambda: by_grid(positions))
    grids = [grid for grid, dso in sorted(profile.dso_of_grid.items()) if dso == conversation.peer]
    own = [position for grid in grids for position in inside.get(grid, ())]
    return [position.offer for position in sorted(own, key=attrgetter("rank"))]


def _excluded(offers: Sequence[Offer]) -> list[OfferVerdict]:
    return [OfferVerdict(offer_id=offer.offer_id, verdict="excluded", max_mw=0) for offer in offers]


def _kept(state: TsoState, verdicts: Sequence[OfferVerdict]) -> TsoState:
    known = state.offering.verdicts
    for verdict in verdicts:
        known = known.set(verdict.offer_id, verdict)
    return state.with_offering(verdicts=known)


def _note(conversation: Conversation, reason: str, policy: str, offers: Sequence[Offer]) -> Note:
    evidence = {
        "name": "no verdict",
        "conversation_id": conversation.id,
        "reason": reason,
        "policy": policy,
        "offer_ids": [offer.offer_id for offer in offers],
    }
    return Note(stage.STAGE, None, evidence)
