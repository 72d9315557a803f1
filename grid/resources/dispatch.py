"""How an aggregator shares an order out over the resources of its pool: a strategy, pure, of what it sees of them.

    set_target ─▶ PoolView: sizes, what each has left, energy ─▶ Dispatch.targets ─▶ MW of each ─▶ clipped to its range

Who wants another rule writes a class with `targets` and names it in the scenario; this is the only thing it decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .description import Kind

if TYPE_CHECKING:
    from ..arrays import Floats

SUSTAINED_S = 900.0  # an order is shared out by what each can hold for a quarter of an hour


class PoolView(NamedTuple):
    """The K resources of a pool as their aggregator sees them; arrays of K, never to be changed.

    `target_mw` is the order in total, + up; `shares` (sum 1) the activation scheme declared at qualification, in its
    direction. `held_mw` is what each can hold for a quarter of an hour, `most_mw` what it can give now; `power_mw` what
    it was last asked for; `energy_mwh` lies between `floor_mwh` and `roof_mwh` (infinite where nothing is stored).
    """

    target_mw: float
    shares: Floats
    held_mw: Floats
    most_mw: Floats
    power_mw: Floats
    energy_mwh: Floats
    floor_mwh: Floats
    roof_mwh: Floats
    rate_mw_per_s: Floats
    bus: tuple[int, ...]
    kind: tuple[Kind, ...]


class Dispatch(Protocol):
    """Decides what every resource of a pool does of an order."""

    def targets(self, view: PoolView) -> Floats:
        """Signed MW of each resource (K), + up; beyond its range it is clipped."""


@dataclass(frozen=True)
class ByScheme:
    """In the shares that were declared; what one cannot hold for a quarter of an hour goes to those that can."""

    def targets(self, view: PoolView) -> Floats:
        """The order, water-filled within what can be held, or if that is too little, within what there is now."""
        from .split import split  # a scenario is checked without numpy

        limit = view.held_mw if view.held_mw.sum() >= abs(view.target_mw) else view.most_mw
        return split(view.target_mw, view.shares, limit, limit)
