"""A cap that several activations share, in proportion to what they asked for instead of by merit order.

    all grow together, each to the same part of what it asked  ─▶ until a constraint binds
    those that push on it stay where they are                  ─▶ the others grow on

Whether a state is allowed is the scope's business: it says which states amounts stand for (every prefix, every worst
pattern). What ends below its minimum counts as nothing; the last of those steps back and the others grow anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..arrays import Booleans, Complexes, Floats
from .activation import RESOLUTION_MW, Activation, kept, smallest
from .judging import Judge
from .legs import Legs
from .marginal import crossing
from .patterns import groups_of, pushes
from .slopes import slopes_at
from .walking import Settled

CRITICAL = 16
FINE_PART = 1e-7
PUSHING = 1e-3


class Sharing:
    """Shares caps pro rata; `states(p_mw)` returns the states (rows × columns, MVA) that amounts stand for."""

    def __init__(
        self,
        judge: Judge,
        activations: Sequence[Activation],
        legs: Legs,
        states: Callable[[Floats], Complexes],
    ) -> None:
        self._judge, self._activations, self._legs = judge, activations, legs
        self._states = states
        self._groups = groups_of(legs)
        self._reactive = bool(legs.q_low.any() or legs.q_high.any())
        self._least = np.array([smallest(each) for each in activations])

    def settle(self, asked_mw: Floats) -> Settled:
        """Return what each gets, at most `asked_mw` (signed); interfaces are left to the scope."""
        wanted = np.where(np.abs(asked_mw) >= self._least, asked_mw, 0.0)
        back: list[tuple[int, Complexes, Complexes]] = []
        while True:
            settled, parts = self._grow(wanted)
            lost = np.flatnonzero((settled.p_mw == 0) & (wanted * parts != 0) & (self._least > RESOLUTION_MW))
            if not len(lost):
                break
            at = settled.limited.index(int(lost[-1]))
            back.append((int(lost[-1]), settled.beyond_mva[at], settled.asked_mva[at]))
            wanted[lost[-1]] = 0.0
        for which, beyond, asked in back:
            settled.limited.append(which)
            settled.beyond_mva.append(beyond)
            settled.asked_mva.append(asked)
        return settled

    def _grow(self, wanted: Floats) -> tuple[Settled, Floats]:
        parts, active, reached = np.zeros(len(wanted)), wanted != 0, 0.0
        settled = Settled(np.zeros(len(wanted)), [], [], [], np.zeros((len(wanted), 0), dtype=complex))
        while active.any():
            if self._excess(wanted * np.where(active, 1.0, parts)).max() <= 0:
                parts[active] = 1.0
                break
            low, high = self._bracket(wanted, parts, active, reached)
            beyond = self._states(wanted * np.where(active, high, parts))
            row, case = self._worst(beyond)
            stopped = active & self._pushing(case, beyond[row], active)
            asked = self._states(np.where(active, wanted, wanted * parts))[row]
            for which in np.flatnonzero(stopped):
                settled.limited.append(int(which))
                settled.beyond_mva.append(beyond[row])
                settled.asked_mva.append(asked)
            parts[stopped], reached = low, low
            active &= ~stopped
        for k, activation in enumerate(self._activations):
            settled.p_mw[k] = wanted[k] if parts[k] == 1.0 else kept(activation, float(wanted[k] * parts[k]))
        return settled, parts

    def _excess(self, p_mw: Floats) -> Floats:
        return self._judge.judge(self._states(p_mw), path=False).excess

    def _bracket(self, wanted: Floats, parts: Floats, active: Booleans, reached: float) -> tuple[float, float]:
        """Return the part up to which all active ones may grow, and one just beyond."""
        excess_at_all = self._excess(wanted * np.where(active, 1.0, parts))
        rows = np.argsort(-excess_at_all, kind="stable")[:CRITICAL]

        def gaps(at: Floats) -> Floats:
            chosen = [self._states(wanted * np.where(active, part, parts))[rows] for part in at]
            return self._judge.judge(np.concatenate(chosen), path=False).gaps.reshape(len(at), -1)

        while True:
            low, high = crossing(gaps, reached, 1.0, FINE_PART)
            at_low = self._excess(wanted * np.where(active, low, parts))
            missed = np.setdiff1d(np.flatnonzero(at_low > 0), rows)
            if not len(missed):
                return low, high
            rows = np.concatenate([rows, missed[np.argsort(-at_low[missed], kind="stable")][:CRITICAL]])

    def _worst(self, states: Complexes) -> tuple[int, int]:
        verdict = self._judge.judge(states, path=False)
        row = int(np.argmax(verdict.excess))
        return row, int(np.argmax(verdict.by_case[:, row]))

    def _pushing(self, case: int, state_mva: Complexes, active: Booleans) -> Booleans:
        """Return which activations push on what binds in a state; all that are active if that cannot be told."""
        hearing = self._judge.hearings[case]
        slopes = slopes_at(hearing, state_mva + self._judge.fixed_mva, reactive=self._reactive)
        if slopes is None:
            return active
        index, _ = self._judge.worst(case, state_mva)
        _, derivatives = slopes.at_state()
        push, _ = pushes(self._groups, derivatives[index : index + 1], reactive=self._reactive)
        strongest = np.full(len(active), -np.inf)
        np.maximum.at(strongest, self._legs.owner, push[0][self._groups.of_leg])
        found = strongest > PUSHING * np.max(strongest[active], initial=0.0)
        return np.asarray(found if (found & active).any() else active)
