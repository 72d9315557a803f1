"""The short-time rating in real time: what may be borne for a while, for how long, and when that is over.

    beyond the continuous rating, within the short-time one ─▶ borne, and the time is counted
    a fifth of the time is left ─▶ the continuous rating counts again: limits tighten, so that it is over in time
    back within the continuous rating ─▶ the time is given back as it was used; if it was over, all of it first

Limits are lifted by the continuous rating only, else what has cooled down would be loaded again and again.
"""

from ...grid.limits.allowing import Rating
from ...protocols.stages import activation as stage
from ..actions import Action, Note
from ..agent import Reaction
from ..changes import replace
from ..profiles import DsoProfile
from .state import DsoState
from .studies import Watch

KEPT_BACK = 5


def rating(profile: DsoProfile, state: DsoState, *, look: bool) -> Rating:
    """Which rating counts at present."""
    return "continuous" if profile.short_time_us is None or look or state.spent else "short_time"


def counted(profile: DsoProfile, state: DsoState, watch: Watch) -> Reaction[DsoState]:
    """Count the time since the last look; evidence when the rating begins to be used, when that is over, and after."""
    short_us = profile.short_time_us
    if short_us is None:
        return state, ()
    lasted_us = profile.monitoring_us * profile.state_every
    beyond = [one for one in watch.now.violations if one.kind == "loading_percent"]
    heated_us = max(0, state.heated_us + (lasted_us if beyond else -lasted_us))
    spent = heated_us > 0 if state.spent else heated_us >= short_us - short_us // KEPT_BACK
    after = replace(state, heated_us=heated_us, spent=spent) if heated_us != state.heated_us else state
    if beyond and not state.heated_us:
        evidence = {"name": "short-time rating in use", "element": beyond[0].element, "value": beyond[0].value}
        return after, _note(**evidence, limit=beyond[0].limit, left_s=(short_us - heated_us) / 1e6)
    if spent != state.spent:
        name = "short time nearly over" if spent else "short-time rating available again"
        return after, _note(name=name, heated_s=heated_us / 1e6)
    return after, ()


def _note(**evidence: object) -> tuple[Action, ...]:
    return (Note(stage.STAGE, None, evidence),)
