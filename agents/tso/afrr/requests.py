"""Offers of aFRR are put under control before their period: one request an offer and quarter-hour.

    definitive MOL ─ lead before the period ─▶ ActivateWhen (kind set-point) ─▶ Activated: counted on
                                                                             └▶ Refuse, silence: not counted on

Only what a participant has confirmed can be asked for by set-points; a request that fails leaves the rest of the
list to do its part.
"""

from ....protocols.conversation import Conversation
from ....protocols.information.activation import Activate, ActivateWhen
from ....protocols.stages import activation as stage
from ...actions import Action, Note, Open, Wake
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...changes import replace
from ...events import Heard, Rejected, Silence
from ...profiles import TsoProfile
from ..activation.caps import accepted
from ..activation.orders import offer_of, opening_of
from ..state import Order, TsoState
from . import metering
from .metering import PRODUCT

PREPARE = "activation/afrr/"


def timers(profile: TsoProfile) -> tuple[Wake, ...]:
    """When each period's offers are put under control."""
    if not profile.needs_of(PRODUCT):
        return ()
    lead_us = profile.activation.schedule_lead_us
    return tuple(Wake(PREPARE + period.id, period.start_us - lead_us) for period in profile.calendar.periods)


def prepare(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, now_us: int) -> Reaction[TsoState]:
    """Ask for control of every accepted offer of a period; forget what is over."""
    controls, opened = state.regulation.controls, state.activation.opened
    for offer_id, control in sorted(controls.items()):
        if control.end_us <= now_us:
            controls = controls.delete(offer_id)
    actions: list[Action] = []
    state = replace(state, regulation=metering.shelved(profile, state, period))
    for offer in accepted(profile, state, period, PRODUCT):
        if offer.offer_id in state.activation.failed:
            continue
        opened += 1
        opening = opening_of(profile, offer, opened, now_us, power_mw=offer.quantity_mw, kind="set-point")
        start_us, conversation_id = max(now_us, offer.delivery_start), opening.topic.conversation_id
        controls = controls.set(offer.offer_id, Order(conversation_id, offer.quantity_mw, start_us, offer.delivery_end))
        actions.append(opening)
    if actions:
        actions.append(_note(period, [one for one in actions if isinstance(one, Open)]))
    state = state.with_activation(opened=opened)
    return state.with_regulation(controls=controls, stale=True), tuple(actions)


def _note(period: MarketTimeUnit, openings: list[Open]) -> Note:
    ordered = []
    for opening in openings:
        assert isinstance(opening.content, Activate | ActivateWhen)
        ordered.append({"offer_id": opening.content.offer_id, "power_mw": opening.content.power_mw})
    return Note(stage.STAGE, "7.5", {"name": "offers put under control", "period": period.id, "ordered": ordered})


def controlled(state: TsoState, conversation: Conversation) -> str | None:
    """The offer that a request has put, or is to put, under control; None if it was another order."""
    offer_id = offer_of(conversation)
    control = state.regulation.controls.get(offer_id)
    return offer_id if control is not None and control.conversation_id == conversation.id else None


def confirmed(state: TsoState, offer_id: str) -> TsoState:
    """The participant has put its offer under control."""
    controls = state.regulation.controls
    taken = controls[offer_id]._replace(confirmed=True)
    return state.with_regulation(controls=controls.set(offer_id, taken), stale=True)


def failed(state: TsoState, offer_id: str, event: Heard | Silence | Rejected, reason: str) -> Reaction[TsoState]:
    """An offer is not under control, or no longer: the others do its part."""
    known, conversation_id = state.activation, event.conversation.id
    state = state.with_activation(failed=known.failed | {offer_id}, changed=True)
    state = state.with_regulation(controls=state.regulation.controls.delete(offer_id), stale=True)
    evidence = {"name": "offer not under control", "conversation_id": conversation_id, "reason": reason}
    return state, (Note(stage.STAGE, "7.5", {**evidence, "offer_ids": [offer_id]}),)
