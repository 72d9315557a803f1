"""How much of something just fits: brackets between what is allowed and what is not, closed by AC power flow.

ladder      steps between nothing and all of it: the first that is not allowed, so that what is allowed
            is connected to nothing
bracket     secant steps between the two, for many quantities at once
crossing    the same for one quantity, with a secant for each constraint: the first of them counts
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import Floats, Integers

RUNGS = 16
ROUNDS = 60
# How far from where secants see the boundary both its sides are tried, in parts of the bracket.
NARROWING, NARROWINGS = 0.02, np.array([0.02, 1e-3, 0.0])
_SMALLEST_FRACTION = 1e-13
_ROUNDING = 1e-12
Excess = Callable[[Integers, Floats], Floats]
Gaps = Callable[[Floats], Floats]


def bracket(excess: Excess, low: Floats, high: Floats, tolerance: Floats) -> tuple[Floats, Floats]:
    """Return (allowed, not allowed) fractions that are no farther apart than the tolerance, item by item.

    `excess(items, fractions)` is ≤ 0 where allowed, infinite without a solution; it must be ≤ 0 at `low` and > 0 at
    `high`. Each round tries a point on either side of where a secant sees the boundary, and the middle.
    """
    low, high, tolerance = low.copy(), high.copy(), np.maximum(tolerance, _SMALLEST_FRACTION)
    items = np.arange(len(low))
    below, above = np.split(excess(np.concatenate([items, items]), np.concatenate([low, high])), 2)
    above = np.maximum(above, _ROUNDING)  # what was found over in another batch may be within by a rounding here
    for _ in range(ROUNDS):
        items = np.flatnonzero(high - low > tolerance)
        if not len(items):
            break
        probes = _probes(low[items], high[items], (below[items], above[items]), tolerance[items])
        found = excess(np.tile(items, len(probes)), probes.ravel()).reshape(probes.shape)
        probes = np.vstack([low[items], probes, high[items]])
        found = np.vstack([below[items], found, above[items]])
        first = np.argmax(found > 0, axis=0)
        first[first == 0] = 1
        column = np.arange(len(items))
        low[items], below[items] = probes[first - 1, column], found[first - 1, column]
        high[items], above[items] = probes[first, column], found[first, column]
    return low, high


def _probes(low: Floats, high: Floats, excess: tuple[Floats, Floats], tolerance: Floats) -> Floats:
    """Return points inside each bracket, ascending (points × items): about the secant's zero, and the middle."""
    below, above = excess
    with np.errstate(all="ignore"):
        secant = np.where(np.isfinite(above) & (above > below), below / (below - above), 0.5)
    width = high - low
    guess = low + np.clip(secant, 1e-3, 1 - 1e-3) * width
    left, right = _sides(guess, (low, high), np.maximum(0.45 * tolerance, NARROWING * width))
    return np.sort(np.vstack([left, right, low + 0.5 * width]), axis=0)


def _sides(guess: Floats, ends: tuple[Floats, Floats], reach: Floats) -> tuple[Floats, Floats]:
    low, high = ends
    return np.maximum(guess - reach, low + 0.1 * (guess - low)), np.minimum(guess + reach, high - 0.1 * (high - guess))


def crossing(gaps: Gaps, low: float, high: float, tolerance: float, ends: Floats | None = None) -> tuple[float, float]:
    """Return (allowed, not allowed), no farther apart than the tolerance.

    `gaps(fractions)`: fractions × constraints, how far each is beyond its bound, ≤ 0 where allowed, infinite without a
    solution; nothing may be over at `low`, something must be at `high` · `ends`: the gaps at both, if they are known.
    """
    known = gaps(np.array([low, high])) if ends is None else ends
    fractions = np.array([low, high])
    for _ in range(ROUNDS):
        low, high = float(fractions[0]), float(fractions[-1])
        if high - low <= max(tolerance, _SMALLEST_FRACTION):
            break
        guess = np.full(len(NARROWINGS), low + _secant(known[0], known[-1]) * (high - low))
        reach = np.maximum(0.45 * tolerance, NARROWINGS * (high - low))
        between = np.unique(
            np.concatenate([*_sides(guess, (np.array(low), np.array(high)), reach), [(low + high) / 2]])
        )
        fractions = np.concatenate([[low], between, [high]])
        known = np.concatenate([known[:1], gaps(between), known[-1:]])
        over = np.flatnonzero((known[1:-1] > 0).any(axis=1))
        first = 1 + (int(over[0]) if len(over) else len(between))
        fractions, known = fractions[first - 1 : first + 1], known[first - 1 : first + 1]
    return low, high


def _secant(below: Floats, above: Floats) -> float:
    """Return where between two states, as a part of the way, straight lines see the first constraint at its bound."""
    over = above > 0
    if not over.any() or not np.isfinite(above).all():
        return 0.5
    part = -below[over] / (above[over] - below[over])
    return float(np.clip(part.min(), 1e-3, 1 - 1e-3))
