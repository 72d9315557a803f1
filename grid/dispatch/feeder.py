"""A grid in one true state, asked what becomes of it when connection points inject: limits, import and losses by AC.

    state + injections (n × points, MVA) ─▶ one AC batch ─▶ Outcome: constraint values, import, losses per row

The bounds are plain limits without a margin; what the state itself is beyond may stay as bad as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Complexes, Floats
from ..description.grid import GridLimits
from ..limits.constraints import Constraints
from ..model import GridModel
from ..network.others import others_of
from ..powerflow.operating_point import OperatingPoint


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One row per injection: values (n × constraints, infinite without a power flow), import_mw (n), losses_mw (n)."""

    values: Floats
    import_mw: Floats
    losses_mw: Floats


class Feeder:
    """One grid in one state; `bounds` is the bound of each constraint, in the scale of `Outcome.values`."""

    def __init__(self, model: GridModel, state: OperatingPoint) -> None:
        self.model = model
        self._state = state
        self._others = others_of(model.net)
        self._solver = model.solver(state.taps, state.out)
        self._constraints = Constraints(model, limits=GridLimits(margin=0.0))
        self.base = self.outcome(np.zeros((1, len(model.point_names)), dtype=complex))
        self.bounds = self._constraints.bounds(self.base.values[0])

    def outcome(self, injected_mva: Complexes) -> Outcome:
        """What becomes of the grid for each row of injections (n × connection points, MVA, + is more injection)."""
        solution = self._solver.solve(self._state, injected_mva)
        state, drawn = self._state, solution.load_factor.real @ self._state.load_p_mw
        import_mw = solution.interface_mva.real.sum(axis=1)
        injected = state.sgen_p_mw.sum() - state.storage_p_mw.sum() + injected_mva.real.sum(axis=1)
        injected = injected + self._others.injected_mw(solution.vm_pu)
        return Outcome(self._constraints.values(solution), import_mw, import_mw + injected - drawn)

    def excess(self, outcome: Outcome) -> Floats:
        """How far the worst constraint of each row is beyond its bound, relative to its limit (≤ 0: fine)."""
        return self._constraints.excess(outcome.values, self.bounds)

    def freed_mw(self, steps: int) -> float:
        """MW less import when every transformer with a tap steps so often towards lower voltage; 0 if none helps.

        Limits are not asked: this is the most that voltage reduction could give, for a bound.
        """
        pairs = zip(self._state.taps, self.model.tap_ranges, self.model.tap_senses, strict=True)
        taps = [min(max(tap - steps * sense, low), high) for tap, (low, high), sense in pairs]
        lowered = self.model.solve(self._state.with_taps(taps))
        if not lowered.converged[0]:
            return 0.0
        return max(0.0, float(self.base.import_mw[0] - lowered.interface_mva[0].real.sum()))
