"""States that differ from one state by powers at connection points, asked for again and again: a plant, a DSO's belief.

    first time ─▶ as any other state        from the second time on ─▶ along the chord of the state itself

What is found does not depend on which neighbours were asked for before, so it does not matter who else looks.
"""

from __future__ import annotations

from ..arrays import Complexes
from .chord import MOST_STATES, Chord
from .fallback import PowerFlowSolver
from .operating_point import OperatingPoint
from .solution import Solution
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
        solver, self._asked = self.solver, self._asked + 1
        if isinstance(solver, BatchSolver) and len(change_mva) <= MOST_STATES:
            if self._asked == 2:
                self._chord = solver.chord(self.state)
            found = solver.along(self._chord, change_mva) if self._chord is not None else None
            if found is not None:
                return found
        return solver.solve(self.state, change_mva)
