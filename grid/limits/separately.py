"""Limits of activations one by one, each alone in the grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from .activation import Activation, kept
from .judging import Judge
from .legs import Legs
from .marginal import RUNGS, bracket
from .walking import FINE_MW, STRAIGHT_PU, Settled, singly


class Apart:
    """Settles every activation as if there were no other; `weights` (patterns × legs) as in `Legs`."""

    def __init__(self, judge: Judge, activations: Sequence[Activation], legs: Legs, weights: Complexes) -> None:
        self._judge, self._activations, self._legs, self._weights = judge, activations, legs, weights

    def settle(self, asked_mw: Floats) -> Settled:
        """Return what fits of each, at most `asked_mw` (signed)."""
        count = len(asked_mw)
        every = np.arange(count)
        states = self._states(every, asked_mw)
        verdict = self._judge.judge(np.concatenate([*states]), path=False)
        fine = self._over_patterns(verdict.excess, count).max(axis=0) <= 0
        fine &= self._over_patterns(verdict.jump_pu, count).max(axis=0) < STRAIGHT_PU
        imported = verdict.interface_mva[:count]
        settled = Settled(asked_mw.copy(), [], [], [], self._judge.base_interface_mva - imported)
        doubtful = np.flatnonzero(~fine & (asked_mw != 0))
        if len(doubtful):
            self._closely(doubtful, asked_mw, settled)
        return settled

    def _states(self, which: Integers, p_mw: Floats) -> Complexes:
        return singly(self._legs, self._weights, which, p_mw)

    def _over_patterns(self, values: Floats, count: int) -> Floats:
        return values.reshape(len(self._weights), count)

    def _excess(self, which: Integers, p_mw: Floats) -> Floats:
        found = self._judge.judge(np.concatenate([*self._states(which, p_mw)]), path=False).excess
        return np.asarray(self._over_patterns(found, len(which)).max(axis=0))

    def _closely(self, which: Integers, asked_mw: Floats, settled: Settled) -> None:
        asked = asked_mw[which]
        ladder = np.arange(1, RUNGS + 1) / RUNGS
        excess = self._excess(np.repeat(which, RUNGS), (asked[:, None] * ladder).ravel()).reshape(-1, RUNGS)
        cut = (excess > 0).any(axis=1)
        which, asked, first = which[cut], asked[cut], np.argmax(excess[cut] > 0, axis=1)
        low, high = bracket(
            lambda items, parts: self._excess(which[items], parts * asked[items]),
            np.where(first > 0, ladder[first - 1], 0.0),
            ladder[first],
            FINE_MW / np.abs(asked),
        )
        for position, part in zip(which, low, strict=True):
            settled.p_mw[position] = kept(self._activations[position], asked_mw[position] * part)
        states = np.concatenate([self._states(which, high * asked), self._states(which, asked)])
        worst = self._worst(states[: len(self._weights)])
        settled.limited += which.tolist()
        settled.beyond_mva += [states[p, k] for k, p in enumerate(worst)]
        settled.asked_mva += [states[len(self._weights) + p, k] for k, p in enumerate(worst)]
        allowed = self._judge.judge(self._states(which, settled.p_mw[which])[0]).interface_mva
        settled.interface_mva[which] = self._judge.base_interface_mva - allowed

    def _worst(self, states: Complexes) -> Booleans | Integers:
        excess = self._judge.judge(np.concatenate([*states]), path=False).excess
        return np.asarray(np.argmax(excess.reshape(len(states), -1), axis=0))
