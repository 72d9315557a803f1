"""How much of something just fits: brackets between what is allowed and what is not, closed by AC power flow.

    ladder      steps between nothing and all of it: the first that is not allowed, so that what is allowed
                is connected to nothing
    bracket     secant steps between the two, for many quantities at once
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Floats, Integers

RUNGS = 16
ROUNDS = 60
_SMALLEST_FRACTION = 1e-13
Excess = Callable[[Integers, Floats], Floats]


def bracket(excess: Excess, low: Floats, high: Floats, tolerance: Floats) -> tuple[Floats, Floats]:
    """Return (allowed, not allowed) fractions that are no farther apart than the tolerance, item by item.

    `excess(items, fractions)` is ≤ 0 where allowed, infinite without a solution; it must be ≤ 0 at `low` and > 0 at
    `high`. Two points are tried per round, on either side of where a secant sees the boundary.
    """
    low, high = low.copy(), high.copy()
    items = np.arange(len(low))
    below, above = excess(items, low), excess(items, high)
    tolerance = np.maximum(tolerance, _SMALLEST_FRACTION)
    for number in range(ROUNDS):
        items = np.flatnonzero(high - low > tolerance)
        if not len(items):
            break
        left, right = _probes(low[items], high[items], (below[items], above[items]), tolerance[items], number)
        found = excess(np.concatenate([items, items]), np.concatenate([left, right]))
        at_left, at_right = found[: len(items)], found[len(items) :]
        left_fits, right_fits = at_left <= 0, (at_left <= 0) & (at_right <= 0)
        low[items] = np.where(right_fits, right, np.where(left_fits, left, low[items]))
        below[items] = np.where(right_fits, at_right, np.where(left_fits, at_left, below[items]))
        high[items] = np.where(~left_fits, left, np.where(~right_fits, right, high[items]))
        above[items] = np.where(~left_fits, at_left, np.where(~right_fits, at_right, above[items]))
    return low, high


def _probes(
    low: Floats, high: Floats, excess: tuple[Floats, Floats], tolerance: Floats, number: int
) -> tuple[Floats, Floats]:
    """Return two points inside each bracket: about the secant's zero, every third time the middle."""
    below, above = excess
    with np.errstate(all="ignore"):
        secant = np.where(np.isfinite(above) & (above > below), below / (below - above), 0.5)
    part = np.full(len(low), 0.5) if number % 3 == 2 else np.clip(secant, 1e-3, 1 - 1e-3)
    guess = low + part * (high - low)
    reach = np.minimum(0.45 * tolerance, 0.25 * np.minimum(guess - low, high - guess))
    spread = np.where(number < 2, np.maximum(reach, 0.02 * np.minimum(guess - low, high - guess)), reach)
    return guess - spread, guess + spread
