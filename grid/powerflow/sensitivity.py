"""First derivatives of a solved state, as the batch solver gives them, and the linear algebra under them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Complexes, Floats, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """Derivatives at one state, per MVA injected: columns are directions (complex injections at one point each).

    vm_pu (buses × directions) · current (rows × directions): complex, in percent of the rating of a side of a branch,
    `base` the same of the state itself, `row_starts` the first row of each branch · interface_mva (interfaces ×
    directions).
    """

    vm_pu: Floats
    current: Complexes
    base: Complexes
    row_starts: Integers
    interface_mva: Complexes


def factors_of(
    power: Complexes, current: Complexes, impedance: Complexes, voltage: Complexes
) -> tuple[Complexes, Complexes]:
    """Return a, b with d conj(S(|V|)/V) = a·dV + b·conj(dV).

    From S' = S_I + 2·S_Z·|V| and d|V| = Re(conj(V)·dV)/|V|.
    """
    vm = np.abs(voltage)
    total = power + vm * (current + vm * impedance)
    slope = np.conj((current + 2 * vm * impedance) / voltage) / (2 * vm)
    return slope * voltage.conj(), slope * voltage - np.conj(total / voltage**2)
