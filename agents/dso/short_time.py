"""The short-time rating in real time: what may be borne for a while, for how long, and when that is over.

    beyond the continuous rating, within the short-time one ─▶ borne, and the time is counted
    a fifth of the time is left ─▶ the continuous rating counts again: limits tighten, so that it is over in time
    back within the continuous rating ─▶ the time is given back as it was used; if it was over, all of it first

Each element has its own time: what one has used is not taken from another. Limits are lifted by the continuous rating
only, else what has cooled down would be loaded again and again.
"""

from ...grid.limits.allowing import Binding, Rating
from ...protocols.stages import activation as stage
from ..actions import Action, Note
from ..agent import Reaction
from ..changes import replace
from ..profiles import DsoProfile
from .state import DsoState
from .studies import Watch

KEPT_BACK = 5


def rating(profile: DsoProfile, *, look: bool) -> Rating:
    """Which rating counts at present, but for the elements whose time is over."""
    return "continuous" if profile.short_time_us is None or look else "short_time"


def counted(profile: DsoProfile, state: DsoState, watch: Watch) -> Reaction[DsoState]:
    """Count the time since the last look; evidence when an element's time begins to be used, is over, and is back."""
    if profile.short_time_us is None:
        return state, ()
    beyond = {one.element: one for one in watch.now.violations if one.kind == "loading_percent"}
    if not beyond and not state.heated_us:
        return state, ()
    notes: list[Action] = []
    heated_us, spent = state.heated_us, set(state.spent)
    for element in sorted({*heated_us, *beyond}):
        before_us = heated_us.get(element, 0)
        now_us = _counted_us(profile, before_us, is_beyond=element in beyond)
        heated_us = heated_us.set(element, now_us) if now_us else heated_us.delete(element)
        if not before_us:
            left_s = (profile.short_time_us - now_us) / 1e6
            notes.append(_used(beyond[element], left_s))
        if _is_spent(profile.short_time_us, now_us, already=element in spent) != (element in spent):
            spent ^= {element}
            name = "short time nearly over" if element in spent else "short-time rating available again"
            notes.append(_note(name=name, element=element, heated_s=now_us / 1e6))
    return replace(state, heated_us=heated_us, spent=tuple(sorted(spent))), tuple(notes)


def _counted_us(profile: DsoProfile, heated_us: int, *, is_beyond: bool) -> int:
    lasted_us = profile.monitoring_us * profile.state_every
    return heated_us + lasted_us if is_beyond else max(0, heated_us - lasted_us)


def _is_spent(short_us: int, heated_us: int, *, already: bool) -> bool:
    return heated_us > 0 if already else heated_us >= short_us - short_us // KEPT_BACK


def _used(violation: Binding, left_s: float) -> Action:
    evidence = {"name": "short-time rating in use", "element": violation.element, "value": violation.value}
    return _note(**evidence, limit=violation.limit, left_s=left_s)


def _note(**evidence: object) -> Action:
    return Note(stage.STAGE, None, evidence)
