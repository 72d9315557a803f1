"""One control cycle of the TSO: how much is needed, and which set-points and orders follow from it.

area reading ─▶ ACE ─▶ controller ─▶ set-points down the MOL of aFRR        afrr/set_points.py
                need ─▶ its average ─▶ orders down the MOL of mFRR          mfrr.py
"""

from ...grid.area.area import AreaReading
from ..agent import Reaction
from ..changes import derived
from ..profiles import TsoProfile
from .activation import limits, mfrr, quality
from .afrr import set_points
from .reserve import containment
from .settlement import compensation
from .state import TsoState


def cycle(profile: TsoProfile, state: TsoState, reading: object, now_us: int) -> Reaction[TsoState]:
    """React to a reading of the area: set-points, maybe a new target, maybe new orders; count the energy requested."""
    assert isinstance(reading, AreaReading)
    known = state.activation.known
    need_mw = -reading.ace_mw + sum([known[name].activated_mw for name in _names(state)])
    state, lapsed = limits.lapsed(profile, mfrr.caught_up(profile, state, reading.at_us), now_us)
    state, watched = quality.watch(profile, mfrr.dropped(state, now_us), now_us)
    state, missed = containment.missed(profile, state, now_us)
    state, published = set_points.cycle(profile, state, reading.ace_mw, now_us)
    state, released = mfrr.released(profile, state)
    state = mfrr.averaged(profile, state, need_mw)
    state, actions = mfrr.ordered(profile, state, now_us)
    state = compensation.counted(profile, mfrr.counted(profile, state, reading.at_us, now_us), now_us)
    return state, (*lapsed, *watched, *missed, *published, *released, *actions)


def _names(state: TsoState) -> tuple[str, ...]:
    """Of whom a measurement is known, in order; mostly those of the last cycle, who are always among them."""
    known, cycle = state.activation.known, state.activation.cycle
    if cycle is None or len(cycle.names) != len(known):
        return tuple(sorted(known))
    return derived(state, "~names", (cycle.names,), lambda: tuple(sorted(cycle.names)))
