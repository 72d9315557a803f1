"""What of the activation stage belongs to aFRR: requests for control and subscriptions to set-points."""

from ....protocols.information.activation import Activated, SetPointRelaySubscription, SetPointSubscription
from ....protocols.messages import Cancel
from ....protocols.stages import activation as stage
from ...agent import Reaction
from ...events import Event, Heard, Rejected, Silence, Woken
from ...profiles import TsoProfile
from ..state import TsoState
from . import requests, set_points

SET_POINTS = (stage.SET_POINTS, stage.SET_POINTS_VIA_DSO)


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState] | None:
    """React to what concerns aFRR; None if it does not, or if more than aFRR is to be done about it."""
    match event:
        case Woken(timer) if timer.startswith(requests.PREPARE):
            period = profile.calendar.period(timer.removeprefix(requests.PREPARE))
            return requests.prepare(profile, state, period, now_us)
        case Heard() if event.conversation.protocol in SET_POINTS:
            return _subscription(profile, state, event)
        case Silence() | Rejected() if event.conversation.protocol in SET_POINTS:
            return set_points.left(state, event.conversation.id), ()
        case Heard() if isinstance(event.content, Activated):
            offer_id = requests.controlled(state, event.conversation)
            return (requests.confirmed(state, offer_id), ()) if offer_id is not None else None
        case _:
            return None


def _subscription(profile: TsoProfile, state: TsoState, event: Heard) -> Reaction[TsoState]:
    match event.content:
        case SetPointSubscription() | SetPointRelaySubscription() as wish:
            return set_points.subscribed(profile, state, event, wish)
        case Cancel():
            return set_points.unsubscribed(state, event)
        case _:
            return state, ()


def unfollowed(state: TsoState, event: Heard | Silence | Rejected, reason: str) -> Reaction[TsoState] | None:
    """A request for control is refused, has failed, or is not answered; None if it was another order."""
    offer_id = requests.controlled(state, event.conversation)
    return requests.failed(state, offer_id, event, reason) if offer_id is not None else None
