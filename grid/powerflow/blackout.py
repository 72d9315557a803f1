"""A grid of which nothing is left with supply but its source: it has a solution, in which nothing flows."""

from __future__ import annotations

import numpy as np

from .fallback import PowerFlowSolver
from .operating_point import OperatingPoint
from .solution import Solution, Solved
from .solver import BatchSolver


def dark(healthy: BatchSolver | PowerFlowSolver, state: OperatingPoint) -> Solution:
    """Return the solution without any supply; `healthy` solves the grid as it was, and gives the shapes."""
    known = healthy.solve(state.without_power())
    return Solved(
        vm_pu=np.where(healthy.reference, known.vm_pu, np.nan),
        loading_percent=np.zeros_like(known.loading_percent),
        interface_mva=np.zeros_like(known.interface_mva),
        factor=lambda: np.zeros_like(known.load_factor),
        converged=np.ones_like(known.converged),
    )
