"""From the order book to the resources."""

from ..actions import Actuate
from ..agent import Reaction
from ..changes import replace
from .state import BspState


def applied(state: BspState, now_us: int) -> Reaction[BspState]:
    """Bring the resources' set-points in line with the order book."""
    wanted = dict.fromkeys(state.set_points, 0.0) | state.book.set_points(now_us)
    moves = tuple(Actuate(r, mw) for r, mw in sorted(wanted.items()) if state.set_points.get(r, 0.0) != mw)
    return replace(state, set_points=state.set_points.update(wanted)), moves
