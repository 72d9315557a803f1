"""States that differ from one state by powers at connection points, asked for again and again: a plant, a DSO's belief.

    first time ─▶ as any other state        from the second time on ─▶ along the chord of the state itself

What is found does not depend on which neighbours were asked for before. To let the chord follow the path was tried: it
saves two passes of five, and costs as much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Complexes
from .chord import MOST_STATES, Chord, Neighbours, together
from .fallback import PowerFlowSolver
from .operating_point import OperatingPoint
from .solution import Solution, Solved
from .solver import BatchSolver


class Vicinity:
    """One state, its solver, and from the second question on what makes its neighbours quick."""

    def __init__(self, solver: BatchSolver | PowerFlowSolver, state: OperatingPoint) -> None:
        """`state` is what `solver.solve` would be given: without the power of what has no supply."""
        self.solver, self.state = solver, state
        self._chord: Chord | None = None
        self._asked = 0

    def solve(self, change_mva: Complexes) -> Solution:
        """Solve one state per row of `change_mva` (n × all connection points, added injection in MVA)."""
        self._asked += 1
        if self._asked == 2 and isinstance(self.solver, BatchSolver):
            self._chord = self.solver.chord(self.state)
        found = self._chord.solve(change_mva) if self._chord and len(change_mva) <= MOST_STATES else None
        return found if found is not None else self.solver.solve(self.state, change_mva)


def stacked(parts: Sequence[Solution]) -> Solution:
    """Return several solutions of one grid as one, without their voltages; there must be one at least."""
    near = [one for one in parts if isinstance(one, Neighbours)]
    if len(near) == len(parts) and all(one.chord is near[0].chord for one in near):
        return together(near)
    return Solved(
        vm_pu=np.concatenate([one.vm_pu for one in parts]),
        loading_percent=np.concatenate([one.loading_percent for one in parts]),
        interface_mva=np.concatenate([one.interface_mva for one in parts]),
        factor=lambda: np.concatenate([one.load_factor for one in parts]),
        converged=np.concatenate([one.converged for one in parts]),
    )
