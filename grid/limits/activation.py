"""What may be asked of a grid, and what it is allowed: changes of injection at connection points.

A pool spreads its power over connection points by shares: in proportion, or one after the other (`merit`: the second
begins when the first is fully on). Reactive power follows at a fixed rate, or lies anywhere in a range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import GridError
from .constraints import Binding

Spread = Literal["proportional", "merit"]
RESOLUTION_MW = 1e-3


@dataclass(frozen=True, slots=True)
class Activation:
    """A change of injection that may be ordered: `p_mw` signed (+ up), spread over connection points by shares.

    Shares sum to 1. What is cut to less than `min_mw` counts as nothing. `q_per_p`: Mvar injected per MW;
    `q_range_per_p` instead of it: anything between two such rates, whatever is worst. `spread`: how a part of it is
    divided over the points.
    """

    id: str
    points: tuple[tuple[str, float], ...]
    p_mw: float
    min_mw: float = 0.0
    q_per_p: float = 0.0
    q_range_per_p: tuple[float, float] | None = None
    spread: Spread = "proportional"

    def __post_init__(self) -> None:
        total = sum(share for _, share in self.points)
        if abs(total - 1.0) > 1e-6:
            raise GridError(f"activation {self.id}: the shares of its connection points must sum to 1, got {total:g}")
        if not all(map(math.isfinite, (self.p_mw, self.min_mw, *self.q_rates))):
            raise GridError(f"activation {self.id}: power must be finite, got {self.p_mw} MW")
        if self.q_rates[0] > self.q_rates[1]:
            raise GridError(f"activation {self.id}: q_range_per_p must ascend, got {self.q_range_per_p}")
        if self.spread == "merit" and any(share < 0 for _, share in self.points):
            raise GridError(f"activation {self.id}: shares that follow one another cannot be negative")

    @property
    def power_mva(self) -> complex:
        """Active and, at `q_per_p`, reactive power; plain MW where none comes along."""
        return complex(self.p_mw, self.p_mw * self.q_per_p) if self.q_per_p else self.p_mw

    @property
    def q_rates(self) -> tuple[float, float]:
        """The lowest and the highest Mvar per MW."""
        return self.q_range_per_p or (self.q_per_p, self.q_per_p)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the grid can bear of an activation, signed MW; `binding` says why it is less than asked for.

    `interface_mw`: how the injection into the overlying grid changes at each TSO–DSO interface, in the first case: on
    top of what comes before it (scopes prefix and all), or alone (single and subset).
    """

    id: str
    p_mw: float
    binding: Binding | None
    interface_mw: tuple[tuple[str, float], ...] = ()


def kept(activation: Activation, p_mw: float) -> float:
    """Return signed MW rounded towards zero to 1 W; nothing if that is below the minimum or not worth ordering."""
    if p_mw == activation.p_mw:
        return float(p_mw)
    rounded = float(np.trunc(p_mw * 1e6) / 1e6)
    return 0.0 if abs(rounded) < smallest(activation) else rounded


def smallest(activation: Activation) -> float:
    """Return the least MW that counts: an order's resolution, or all of what is smaller than that."""
    return max(activation.min_mw, min(RESOLUTION_MW, abs(activation.p_mw)))
