"""The fixed point of an AC power flow for many states at once, and its derivative.

    V ← w + Z·conj(S(|V|) / V),    S(|V|) = S_P + S_I·|V| + S_Z·|V|²

Each pass is one matrix product for a block of states that fits the cache. A state that has converged, or is not
finite any more, does not hold up the others: from time to time only those that still move go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Booleans, Complexes, Floats

TOLERANCE_PU = 1e-10
BLOCK = 256
PASSES, MAX_PASSES = 16, 80
FIRST_LOOK = 3
# What at its rate would end farther than this many tolerances from a solution is not waited for.
HOPELESS = 1e3
Product = Callable[[Complexes], Complexes]


@dataclass(frozen=True, slots=True, eq=False)
class FixedPoint:
    """Voltages without load (w, buses), the product with the impedance matrix (Z·x), and where to start from."""

    no_load: Complexes
    impedance: Product

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
        passive = None if not (current.any() or impedance.any()) else (current.conj(), impedance.conj())
        for first in range(0, power.shape[1], BLOCK):
            part = slice(first, first + BLOCK)
            voltage[:, part], converged[part] = self._block(power[:, part].conj(), passive, start, tolerance_pu)
            start = voltage[:, part][:, -1] if converged[part][-1] else start
        return voltage, converged

    def _block(
        self, power: Complexes, passive: tuple[Complexes, Complexes] | None, start: Complexes, tolerance_pu: float
    ) -> tuple[Complexes, Booleans]:
        start = np.repeat(start[:, None], power.shape[1], axis=1)
        voltage, step, rate = self._passes(power, passive, start, tolerance_pu)
        for done in range(PASSES, MAX_PASSES, PASSES):
            expected = step * rate ** (MAX_PASSES - done)
            moving = np.flatnonzero((step > tolerance_pu) & (expected <= HOPELESS * tolerance_pu))
            if not len(moving):
                break
            found = self._passes(power[:, moving], passive, voltage[:, moving], tolerance_pu)
            voltage[:, moving], step[moving], rate[moving] = found
        return voltage, np.asarray(step <= tolerance_pu, dtype=np.bool_)

    def _passes(
        self, power: Complexes, passive: tuple[Complexes, Complexes] | None, voltage: Complexes, tolerance_pu: float
    ) -> tuple[Complexes, Floats, Floats]:
        """Iterate until nothing moves any more, at most PASSES times; it is not worth a look after every pass.

        Returns voltages, the last step of each state, and what became of a step within a pass.
        """
        no_load, step, rate = self.no_load[:, None], np.empty(0), np.zeros(voltage.shape[1])
        for count in range(PASSES):
            updated = self.impedance(drawn(power, passive, voltage))
            updated += no_load
            if count >= FIRST_LOOK and count % 2:
                voltage -= updated
                before, step = step, np.maximum(np.abs(voltage.real), np.abs(voltage.imag)).max(axis=0, initial=0.0)
                rate = np.sqrt(step / before) if len(before) else rate
                if not (step > tolerance_pu).any():
                    return updated, step, rate
            voltage = updated
        return voltage, step, rate

    def derivative(self, factors: tuple[Complexes, Complexes], direct: Complexes, relative: float) -> Complexes:
        """Return dV (buses × directions) with dV = direct + Z·(a·dV + b·conj(dV)), to a relative accuracy.

        `factors`: a and b (buses) of a state, see `BatchSolver.sensitivity`; `direct` (buses × directions): Z times
        the change of current that the direction itself is.
        """
        a, b = factors[0][:, None], factors[1][:, None]
        change, added = direct.copy(), direct
        size = np.abs(direct).max(initial=0.0)
        for _ in range(MAX_PASSES):
            added = self.impedance(a * added + b * added.conj())
            change += added
            if not np.abs(added).max(initial=0.0) > relative * size:
                break
        return change


def drawn(power: Complexes, passive: tuple[Complexes, Complexes] | None, voltage: Complexes) -> Complexes:
    """Return conj(S/V) = conj(S)·V/|V|², all injections conjugated (power: buses × states; passive: buses)."""
    square = voltage.real**2
    square += voltage.imag**2
    admittance = power / square
    if passive is not None:
        admittance += passive[0][:, None] / np.sqrt(square)
        admittance += passive[1][:, None]
    admittance *= voltage
    return admittance
