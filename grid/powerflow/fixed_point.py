"""The fixed point of an AC power flow for many states at once, and its derivative.

    V ← w + Z·conj(S(|V|) / V),    S(|V|) = S_P + S_I·|V| + S_Z·|V|²

Each pass is one matrix product for a block of states that fits the cache. A state that has converged, or is not
finite any more, does not hold up the others: from time to time only those that still move go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from ..arrays import Booleans, Complexes, Floats, Integers
from ..compiled import compiled

TOLERANCE_PU = 1e-10
INVERTED_UP_TO_BUSES = 1500
BLOCK = 256
PASSES, MAX_PASSES = 16, 80
FIRST_LOOK = 3
# What at its rate would end farther than this many tolerances from a solution is not waited for.
HOPELESS = 1e3
# The error that is left after a step is rate / (1 − rate) of it; a rate is trusted below this.
FAST = 0.5
Product = Callable[[Complexes], Complexes]


@dataclass(frozen=True, slots=True, eq=False)
class FixedPoint:
    """Voltages without load (w, buses), the product with the impedance matrix (Z·x), and that matrix if it is dense."""

    no_load: Complexes
    impedance: Product
    matrix: Complexes | None = None

    def of_currents(self, current: Complexes, at: Integers) -> Complexes:
        """Return the voltages (buses × directions) that one current per direction makes, each at its own bus."""
        if self.matrix is not None:
            return np.asarray(self.matrix[:, at] * current)
        dense = np.zeros((len(self.no_load), len(at)), dtype=complex)
        dense[at, np.arange(len(at))] = current
        return self.impedance(dense)

    def solve(
        self,
        power: Complexes,
        current: Complexes,
        impedance: Complexes,
        start: Complexes,
        tolerance_pu: float = TOLERANCE_PU,
    ) -> tuple[Complexes, Booleans]:
        """Return voltages (buses × states, per unit) and which states converged.

        `power` (buses × states), `current`, `impedance` (buses): injections per unit at 1 pu of constant power,
        current and impedance · `start` (buses): each block starts where the one before it ended, because the states
        of a batch are mostly steps along a path.
        """
        voltage, converged = np.empty_like(power), np.zeros(power.shape[1], dtype=np.bool_)
        passive = np.conj(np.array((current, impedance)))
        for first in range(0, power.shape[1], BLOCK):
            part = slice(first, first + BLOCK)
            own = np.ascontiguousarray(power[:, part].conj())
            voltage[:, part], converged[part] = self._block(own, passive, start, tolerance_pu)
            start = voltage[:, part][:, -1] if converged[part][-1] else start
        return voltage, converged

    def _block(
        self, power: Complexes, passive: Complexes, start: Complexes, tolerance_pu: float
    ) -> tuple[Complexes, Booleans]:
        start = np.repeat(start[:, None], power.shape[1], axis=1)
        voltage, left, rate = self._passes(power, passive, start, tolerance_pu)
        for done in range(PASSES, MAX_PASSES, PASSES):
            expected = left * rate ** (MAX_PASSES - done)
            moving = np.flatnonzero((left > tolerance_pu) & (expected <= HOPELESS * tolerance_pu))
            if not len(moving):
                break
            found = self._passes(power.take(moving, axis=1), passive, voltage.take(moving, axis=1), tolerance_pu)
            voltage[:, moving], left[moving], rate[moving] = found
        return voltage, np.asarray(left <= tolerance_pu, dtype=np.bool_)

    def _passes(
        self, power: Complexes, passive: Complexes, voltage: Complexes, tolerance_pu: float
    ) -> tuple[Complexes, Floats, Floats]:
        """Iterate until nothing moves any more, at most PASSES times; the first few are not worth a look.

        Returns voltages, how far each state may still be from its solution, and what becomes of a step within a pass.
        """
        no_load, step, left = self.no_load[:, None], np.full(voltage.shape[1], np.nan), np.empty(0)
        for count in range(PASSES):
            updated = self.impedance(drawn(power, passive, voltage))
            updated += no_load
            if count >= FIRST_LOOK:
                voltage -= updated
                before, step = step, np.maximum(np.abs(voltage.real), np.abs(voltage.imag)).max(axis=0, initial=0.0)
                rate = step / before
                left = np.where(rate < FAST, step * rate / (1 - rate), step)
                if not (left > tolerance_pu).any():
                    break
            voltage = updated
        return updated, left, rate

    def derivative(self, factors: tuple[Complexes, Complexes], direct: Complexes, relative: float) -> Complexes:
        """Return dV (buses × directions) with dV = direct + Z·(a·dV + b·conj(dV)), to a relative accuracy.

        `factors`: a and b (buses) of a state, see `BatchSolver.sensitivity`; `direct` (buses × directions): Z times
        the change of current that the direction itself is.
        """
        a, b = factors[0][:, None], factors[1][:, None]
        change, added = direct.copy(), direct
        step = np.abs(direct).max(initial=0.0)
        allowed = relative * step
        for _ in range(MAX_PASSES):
            added = self.impedance(a * added + b * added.conj())
            change += added
            before, step = step, np.abs(added).max(initial=0.0)
            rate = step / before if before else 0.0
            if not (step * rate / (1 - rate) if rate < FAST else step) > allowed:
                break
        return change


def fixed_point_of(yqq: sp.csc_matrix, source: Complexes) -> FixedPoint:
    """Return the fixed point for an admittance matrix between load buses and the current from the source (buses)."""
    if yqq.shape[0] <= INVERTED_UP_TO_BUSES:
        inverse: Complexes = np.linalg.inv(yqq.toarray())
        return FixedPoint(inverse @ source, inverse.__matmul__, inverse)
    factors = splu(yqq)
    return FixedPoint(factors.solve(source), lambda current: np.ascontiguousarray(factors.solve(current)))


@compiled("c16[:,::1](c16[:,::1], c16[:,::1], c16[:,::1])")
def drawn(power: Complexes, passive: Complexes, voltage: Complexes) -> Complexes:
    """Return conj(S/V) = conj(S)·V/|V|² (buses × states), all injections conjugated.

    power (buses × states): constant power · passive (2 × buses): constant current, and impedance.
    """
    found = np.empty_like(voltage)
    for k in range(len(voltage)):
        current, impedance = passive[0, k], passive[1, k]
        for s in range(voltage.shape[1]):
            e, f = voltage[k, s].real, voltage[k, s].imag
            share = 1.0 / (e * e + f * f)
            root = math.sqrt(share)
            g = power[k, s].real * share + current.real * root + impedance.real
            b = power[k, s].imag * share + current.imag * root + impedance.imag
            found[k, s] = complex(g * e - b * f, g * f + b * e)
    return found
