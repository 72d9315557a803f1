"""Containment reserve in a DSO's grid: the DSO cannot order or stop it, but listens to who keeps it."""

from ...protocols.information.reserve import ReserveNotice
from ...protocols.messages import Done
from ..actions import Say
from ..agent import Reaction
from ..changes import replace
from ..events import Heard
from ..profiles import DsoProfile
from .state import DsoState
from .validation import subscription


def noticed(profile: DsoProfile, state: DsoState, event: Heard) -> Reaction[DsoState]:
    """A participant keeps reserve in this grid, which will move with the frequency: listen to it."""
    assert isinstance(event.content, ReserveNotice)
    name, done = event.content.participant, Say(event.conversation.id, Done())
    if name in state.subscribed:
        return state, (done,)
    return replace(state, subscribed=state.subscribed | {name}), (done, subscription(profile, name))
