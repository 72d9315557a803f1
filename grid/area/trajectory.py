"""Many sub-steps of areas and reserves as one matrix product, where nothing saturates, changes sides or hits its rate.

    x = (z, lagged FCR);   x_{n+1} = M · x_n + N · u_n + R · c       M, N, R: one sub-step, by Heun as in area.py
    x_1 … x_n = P · x_0 + T · (u_0 … u_{n-1}) + C · c                P, T, C: all sub-steps at once

What was assumed (which reserves are linear) is checked along the whole trajectory; it is kept up to the first sub-step
at which it does not hold. So the result is that of single sub-steps to the last few bits, thirty times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Booleans, Floats
from .containment import SAME_MW, Containment
from .swing import Swing

MOST_STEPS = 40


class Powers(NamedTuple):
    """P (n·d, d), T (n·d, n·areas) and C (n·d, K) for the longest trajectory; shorter ones are their first rows."""

    start: Floats
    input: Floats
    constant: Floats


@dataclass
class Trajectories:
    """The matrices by which reserves are linear, made when first needed."""

    swing: Swing
    containment: Containment

    def __post_init__(self) -> None:
        """Nothing made yet."""
        self._made: dict[bytes, Powers] = {}

    def forget(self) -> None:
        """The reserves have changed."""
        self._made.clear()

    def follow(self, state: Floats, outer_mw: Floats) -> tuple[Floats, int]:
        """States (n, d) after each sub-step under `outer_mw` (n, areas) from `state` (d), and how many of them hold."""
        count, areas = outer_mw.shape
        linear, constant = self.containment.regime(state[:areas])
        powers = self._powers(linear)
        rows = count * len(state)
        found = powers.start[:rows] @ state + powers.input[:rows, : count * areas] @ outer_mw.ravel()
        found = (found + powers.constant[:rows] @ constant).reshape(count, len(state))
        return found, self._holding(np.vstack((state, found)), linear, constant)

    def _holding(self, states: Floats, linear: Booleans, constant: Floats) -> int:
        """How many sub-steps from the start have kept to what was assumed of the reserves, and to their rates."""
        containment, areas = self.containment, len(self.swing.names)
        means = (states[1:, :areas] + states[:-1, :areas]) / 2
        assumed = constant - np.where(linear, containment.slope, 0.0) * (means @ containment.seen.T)
        holds = np.abs(containment.wanted(means) - assumed) <= SAME_MW
        lagged = states[:, -len(constant) :]
        holds &= np.abs(lagged[1:] - lagged[:-1]) <= containment.most_mw
        good: Booleans = np.all(holds, axis=1)
        return len(good) if good.all() else int(good.argmin())

    def _powers(self, linear: Booleans) -> Powers:
        key = linear.tobytes()
        if key not in self._made:
            self._made[key] = _powers(*self._one_step(linear))
        return self._made[key]

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
        before = np.hstack((swing.keep, half))
        rest = np.eye(count) - keep_l
        motion = np.vstack((before + half @ lagged, lagged))
        pushed = np.vstack((swing.push - half @ answer @ swing.push, -answer @ swing.push))
        return motion, pushed, np.vstack((half @ rest, rest))


def _powers(motion: Floats, pushed: Floats, constant: Floats) -> Powers:
    """All sub-steps at once: powers of M, and a block Toeplitz matrix of their products with N."""
    size, areas = pushed.shape
    start, inputs, constants = [np.eye(size)], [pushed], [constant]
    for _ in range(MOST_STEPS - 1):
        start.append(motion @ start[-1])
        inputs.append(motion @ inputs[-1])
        constants.append(motion @ constants[-1])
    table = np.zeros((MOST_STEPS * size, MOST_STEPS * areas))
    for row in range(MOST_STEPS):
        for column in range(row + 1):
            block = inputs[row - column]
            table[row * size : (row + 1) * size, column * areas : (column + 1) * areas] = block
    after = np.vstack([motion @ each for each in start])
    return Powers(after, table, np.cumsum(constants, axis=0).reshape(MOST_STEPS * size, -1))
