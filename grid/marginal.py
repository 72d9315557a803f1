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
NARROWING = 0.02
FEW_ITEMS, FEW_BETWEEN, MANY_BETWEEN = 8, 1, 6
_SMALLEST_FRACTION = 1e-13
_ROUNDING = 1e-12
Excess = Callable[[Integers, Floats], Floats]


def bracket(excess: Excess, low: Floats, high: Floats, tolerance: Floats) -> tuple[Floats, Floats]:
    """Return (allowed, not allowed) fractions that are no farther apart than the tolerance, item by item.

    `excess(items, fractions)` is ≤ 0 where allowed, infinite without a solution; it must be ≤ 0 at `low` and > 0 at
    `high`. Each round tries a point on either side of where a secant sees the boundary, and some in between.
    """
    low, high, tolerance = low.copy(), high.copy(), np.maximum(tolerance, _SMALLEST_FRACTION)
    items = np.arange(len(low))
    below, above = np.split(excess(np.concatenate([items, items]), np.concatenate([low, high])), 2)
    above = np.maximum(above, _ROUNDING)  # what was found over in another batch may be within by a rounding here
    between = np.linspace(0, 1, 2 + (FEW_BETWEEN if len(low) > FEW_ITEMS else MANY_BETWEEN))[1:-1]
    for _ in range(ROUNDS):
        items = np.flatnonzero(high - low > tolerance)
        if not len(items):
            break
        probes = _probes(low[items], high[items], (below[items], above[items]), tolerance[items], between)
        found = excess(np.tile(items, len(probes)), probes.ravel()).reshape(probes.shape)
        probes = np.vstack([low[items], probes, high[items]])
        found = np.vstack([below[items], found, above[items]])
        first = np.argmax(found > 0, axis=0)
        first[first == 0] = 1
        column = np.arange(len(items))
        low[items], below[items] = probes[first - 1, column], found[first - 1, column]
        high[items], above[items] = probes[first, column], found[first, column]
    return low, high


def _probes(low: Floats, high: Floats, excess: tuple[Floats, Floats], tolerance: Floats, between: Floats) -> Floats:
    """Return points inside each bracket, ascending (points × items): about the secant's zero, and spread evenly."""
    below, above = excess
    with np.errstate(all="ignore"):
        secant = np.where(np.isfinite(above) & (above > below), below / (below - above), 0.5)
    width = high - low
    guess = low + np.clip(secant, 1e-3, 1 - 1e-3) * width
    reach = np.maximum(0.45 * tolerance, NARROWING * width)
    left = np.maximum(guess - reach, low + 0.1 * (guess - low))
    right = np.minimum(guess + reach, high - 0.1 * (high - guess))
    return np.sort(np.vstack([left, right, low + between[:, None] * width]), axis=0)
