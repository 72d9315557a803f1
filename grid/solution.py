"""What comes out of an AC power flow of many states: voltages, loadings, flows at the interfaces, what loads draw."""

from __future__ import annotations

from dataclasses import dataclass

from .arrays import Booleans, Complexes, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Results of a batch, one row per state; rows that are not converged hold NaN.

    vm_pu (n × buses, NaN without supply) · loading_percent (n × branches: lines, transformers, three-winding) ·
    interface_mva (n × interfaces, + = import from the overlying grid) · load_factor (n × loads): drawn per nominal,
    real part for P, imaginary part for Q · voltage (n × internal buses): complex, for `BatchSolver.sensitivity`.
    """

    vm_pu: Floats
    loading_percent: Floats
    interface_mva: Complexes
    load_factor: Complexes
    converged: Booleans
    voltage: Complexes | None = None
