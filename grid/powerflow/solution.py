"""What a power flow of many states at once has found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..arrays import Booleans, Complexes, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Results of a batch, one row per state; rows that are not converged hold NaN.

    vm_pu (n × buses, NaN without supply) · loading_percent (n × branches: lines, transformers, three-winding) ·
    interface_mva (n × interfaces, + = import from the overlying grid) · factor: what returns `load_factor` · voltage
    (n × internal buses): complex, for `BatchSolver.sensitivity`.
    """

    vm_pu: Floats
    loading_percent: Floats
    interface_mva: Complexes
    factor: Callable[[], Complexes]
    converged: Booleans
    voltage: Complexes | None = None

    @property
    def load_factor(self) -> Complexes:
        """Return what each load draws per nominal (n × loads), real part for P, imaginary part for Q."""
        return self.factor()
