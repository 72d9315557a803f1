"""Many sub-steps of areas and reserves as one matrix product, where nothing saturates, changes sides or hits its rate.

    x = (z, lagged FCR);   x_{n+1} = M · x_n + N · u_n + R · c       M, N, R: one sub-step, by Heun as in area.py
    x_1 … x_n = [P T] · (x_0, u_0 … u_{n-1}) + C · c                 P, T, C: all sub-steps at once

What is assumed – each reserve is linear, silent in its dead band, or saturated – holds between two frequencies, which
are checked along the whole trajectory, as are the rates; it is kept up to the first sub-step at which one does not
hold. So the result is that of single sub-steps to the last few bits, many times faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import ge, le
from typing import NamedTuple

import numpy as np

from ..arrays import Booleans, Floats
from .containment import Containment
from .swing import Swing

MOST_STEPS = 80
MOST_KEPT = 64


class Powers(NamedTuple):
    """[P T] (n·d, d + n·areas) and C (n·d, K) for the longest trajectory; shorter ones are their first rows."""

    table: Floats
    constant: Floats


class Regime(NamedTuple):
    """What holds while each area's frequency deviation lies between `low_hz` and `high_hz` (one of each an area)."""

    low_hz: tuple[float, ...]
    high_hz: tuple[float, ...]
    table: Floats
    added: Floats

    def holds(self, lowest_hz: Iterable[float], highest_hz: Iterable[float]) -> bool:
        """Whether it holds between these deviations of each area."""
        return all(map(ge, lowest_hz, self.low_hz)) and all(map(le, highest_hz, self.high_hz))


class Followed(NamedTuple):
    """States after each sub-step (n, d), how many of them hold, and the own area's least and greatest deviation."""

    states: Floats
    held: int
    lowest_hz: float
    highest_hz: float


@dataclass
class Trajectories:
    """The matrices by what is assumed of the reserves, made when first needed."""

    swing: Swing
    containment: Containment

    def __post_init__(self) -> None:
        """Nothing made yet."""
        self._powers: dict[bytes, Powers] = {}
        self._regime: Regime | None = None
        self._reserves = len(self.swing.keep)  # where the reserves begin in a state

    def forget(self) -> None:
        """The reserves have changed."""
        self._regime = None

    def follow(self, state: Floats, outer_mw: Floats) -> Followed:
        """The sub-steps under `outer_mw` (n, areas) from `state` (d), as far as what is assumed holds."""
        count, areas = outer_mw.shape
        size, offsets_hz, regime = len(state), state[:areas].tolist(), self._regime
        if regime is None or not regime.holds(offsets_hz, offsets_hz):
            regime = self._regime = self._entered(state[:areas])
        given = np.concatenate((state, outer_mw.ravel()))
        found = regime.table[: count * size, : len(given)].dot(given)
        found += regime.added[: count * size]
        states = found.reshape(count, size)
        lowest, highest = np.minimum.reduce(states).tolist(), np.maximum.reduce(states).tolist()
        if regime.holds(lowest[:areas], highest[:areas]) and self._is_slow(state, lowest, highest):
            return Followed(states, count, lowest[0], highest[0])
        done = self._holding(state, states, regime)
        own_hz = states[: max(done, 1), 0]
        return Followed(states, done, float(own_hz.min()), float(own_hz.max()))

    def _is_slow(self, state: Floats, lowest: list[float], highest: list[float]) -> bool:
        """Whether no reserve has moved more in all sub-steps together than it may in one, so that no rate was hit."""
        first, most = self._reserves, self.containment.most_mw.tolist()
        moved = zip(state[first:].tolist(), lowest[first:], highest[first:], most, strict=True)
        return all(max(begin, high) - min(begin, low) <= most_mw for begin, low, high, most_mw in moved)

    def _within_rates(self, state: Floats, states: Floats) -> Booleans:
        """In which sub-steps all reserves have kept within their rates."""
        reserves = np.concatenate((state[None], states))[:, self._reserves :]
        moved = np.abs(reserves[1:] - reserves[:-1])
        return np.asarray(np.all(moved <= self.containment.most_mw, axis=1), dtype=np.bool_)

    def _holding(self, state: Floats, states: Floats, regime: Regime) -> int:
        """How many sub-steps from the start have stayed in the regime, and within the reserves' rates."""
        offsets_hz = states[:, : len(regime.low_hz)]
        holds = (offsets_hz >= regime.low_hz) & (offsets_hz <= regime.high_hz)
        good: Booleans = np.all(holds, axis=1) & self._within_rates(state, states)
        return len(good) if good.all() else int(good.argmin())

    def _entered(self, offset_hz: Floats) -> Regime:
        """The regime at a frequency."""
        linear, constant, low_hz, high_hz = self.containment.regime(offset_hz)
        key = linear.tobytes() + self.containment.slope.tobytes() + self.containment.lag_keep.tobytes()
        key += self.containment.seen.tobytes()
        if key not in self._powers:
            if len(self._powers) >= MOST_KEPT:
                self._powers.clear()
            self._powers[key] = _powers(*self._one_step(linear))
        powers = self._powers[key]
        return Regime(tuple(low_hz.tolist()), tuple(high_hz.tolist()), powers.table, powers.constant @ constant)

    def _one_step(self, linear: Booleans) -> tuple[Floats, Floats, Floats]:
        """M, N and R: mean frequency from a first guess, the reserves' answer to it, then the step with their mean."""
        swing, reserves = self.swing, self.containment
        size, areas, count = len(swing.keep), len(swing.names), len(linear)
        unit, keep_l = np.eye(size), np.diag(reserves.lag_keep)
        sees = np.hstack((reserves.seen, np.zeros((count, size - areas))))
        slope = np.diag(np.where(linear, reserves.slope, 0.0))
        answer = (np.eye(count) - keep_l) @ slope @ sees / 2
        lagged = np.hstack((-answer @ (unit + swing.keep), keep_l - answer @ swing.push @ reserves.felt))
        half = swing.push @ reserves.felt / 2
        rest = np.eye(count) - keep_l
        motion = np.vstack((np.hstack((swing.keep, half)) + half @ lagged, lagged))
        pushed = np.vstack((swing.push - half @ answer @ swing.push, -answer @ swing.push))
        return motion, pushed, np.vstack((half @ rest, rest))


def _powers(motion: Floats, pushed: Floats, constant: Floats) -> Powers:
    """All sub-steps at once: powers of M, and a block Toeplitz matrix of their products with N."""
    size, areas = pushed.shape
    start, inputs, constants = [motion], [pushed], [constant]
    for _ in range(MOST_STEPS - 1):
        start.append(motion @ start[-1])
        inputs.append(motion @ inputs[-1])
        constants.append(motion @ constants[-1])
    steps = np.arange(MOST_STEPS)
    since = steps[:, None] - steps[None, :]
    blocks = np.where((since >= 0)[:, :, None, None], np.array(inputs)[since], 0.0)
    table = blocks.transpose(0, 2, 1, 3).reshape(MOST_STEPS * size, MOST_STEPS * areas)
    after = np.array(start).reshape(MOST_STEPS * size, -1)
    return Powers(np.hstack((after, table)), np.cumsum(constants, axis=0).reshape(MOST_STEPS * size, -1))
