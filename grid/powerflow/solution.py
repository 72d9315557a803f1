"""What a power flow of many states at once has found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Booleans, Complexes, Floats

Factor = Callable[[Floats], Complexes]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Results of a batch, one row per state; rows that are not converged hold NaN.

    vm_pu (n × buses, NaN without supply) · loading_percent (n × branches: lines, transformers, three-winding) ·
    interface_mva (n × interfaces, + = import from the overlying grid) · magnitude (n × internal buses): |V|, from which
    `factor` makes `load_factor` · voltage (n × internal buses): complex, for `BatchSolver.sensitivity`.
    """

    vm_pu: Floats
    loading_percent: Floats
    interface_mva: Complexes
    factor: Factor
    converged: Booleans
    magnitude: Floats
    voltage: Complexes | None = None

    @property
    def load_factor(self) -> Complexes:
        """Return what each load draws per nominal (n × loads), real part for P, imaginary part for Q."""
        return self.factor(self.magnitude)


def stacked(parts: Sequence[Solution]) -> Solution:
    """Return several solutions of one grid as one, without their voltages; there must be one at least."""
    magnitude, factor = np.concatenate([one.magnitude for one in parts]), parts[0].factor
    if any(one.factor != factor for one in parts):
        factors = np.concatenate([one.load_factor for one in parts])
        magnitude, factor = np.zeros((len(factors), 0)), lambda _: factors
    return Solution(
        vm_pu=np.concatenate([one.vm_pu for one in parts]),
        loading_percent=np.concatenate([one.loading_percent for one in parts]),
        interface_mva=np.concatenate([one.interface_mva for one in parts]),
        factor=factor,
        converged=np.concatenate([one.converged for one in parts]),
        magnitude=magnitude,
    )
