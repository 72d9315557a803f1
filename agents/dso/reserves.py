"""Containment reserve in a DSO's grid: nobody orders it, so the DSO can but know it, allow for it and listen to it."""

from ...grid.limits import Activation
from ...protocols.envelope import Topic
from ...protocols.information.activation import MeasurementSubscription
from ...protocols.information.reserve import ReserveNotice
from ...protocols.messages import Done
from ...protocols.stages import activation
from ..actions import Action, Open, Say
from ..agent import Reaction
from ..changes import replace
from ..events import Heard
from ..profiles import DsoProfile
from .state import DsoState


def noticed(profile: DsoProfile, state: DsoState, event: Heard) -> Reaction[DsoState]:
    """A participant keeps reserve in this grid, which will move with the frequency: know it, and listen to it."""
    notice = event.content
    assert isinstance(notice, ReserveNotice)
    reserves = state.reserves.update({award.offer_id: award for award in notice.awards})
    actions: tuple[Action, ...] = (Say(event.conversation.id, Done()),)
    if notice.participant not in state.subscribed:
        actions = (*actions, subscription(profile, notice.participant))
    return replace(state, reserves=reserves, subscribed=state.subscribed | {notice.participant}), actions


def subscription(profile: DsoProfile, participant: str) -> Open:
    """Ask a participant for its real-time information of all deliveries."""
    calendar = profile.calendar
    ask = MeasurementSubscription(per_point=True, start=calendar.first.start_us, end=calendar.end_us)
    topic = Topic(profile.name, activation.STAGE, "delivery", "measurements", participant)
    return Open(activation.MEASUREMENTS_FOR_DSO, topic, ask, calendar.first.start_us)


def reserved(state: DsoState, start_us: int, end_us: int) -> tuple[Activation, ...]:
    """The reserves that are kept at some time between two instants, fully up; resources that nobody knows left out."""
    return tuple(
        Activation(offer_id, state.connected[award.resource].points, award.quantity_mw)
        for offer_id, award in sorted(state.reserves.items())
        if award.resource in state.connected and award.delivery_start < end_us and award.delivery_end > start_us
    )
