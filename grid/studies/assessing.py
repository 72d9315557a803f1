"""From solved states to what a DSO says of them: worst element, voltages, interface, violations, how near a limit."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..arrays import Floats
from ..clock import clock_text
from ..limits.constraints import Binding, Constraints
from ..model import GridModel
from ..powerflow.solution import Solution
from ..readings import Assessment, Readings

NEAR_LOADING = 0.05
NEAR_VOLTAGE_PU = 0.005


class Assessor:
    """Assesses states of one model against its continuous ratings."""

    def __init__(self, model: GridModel, constraints: Constraints, midnight_us: int) -> None:
        self._ratings, self._constraints, self._midnight_us = model.ratings, constraints, midnight_us
        self._edge = constraints.edge(1 - NEAR_LOADING, NEAR_VOLTAGE_PU)

    def assess(self, solution: Solution, readings: Readings) -> tuple[Assessment, ...]:
        """Return an assessment per row of a solution, all at the time of the readings.

        Few are asked for more than what is violated, or near, so the rest is computed for those.
        """

        def case() -> str:
            return clock_text(readings.at_us - self._midnight_us)

        every, near = self._constraints.looked_at(solution, case, self._edge)
        found = []
        for row, solved in enumerate(solution.converged.tolist()):
            if not solved:
                found.append(_unsolved(readings, every[row]))
                continue
            figures = partial(self._figures, solution, row, readings)
            calm = not (every[row] or near[row])
            found.append(
                Assessment.pending(at_us=readings.at_us, violations=every[row], near=not calm, figures=figures)
            )
        return tuple(found)

    def _figures(self, solution: Solution, row: int, readings: Readings) -> tuple[str | float, ...]:
        """What is open of an assessment: worst element, voltages, interface."""
        element, loading_percent = self._worst(solution.loading_percent[row])
        lowest_pu, highest_pu = self._extremes(solution.vm_pu[row, self._ratings.buses])
        power_mva = sum(solution.interface_mva[row].tolist())
        shown = round(loading_percent, 4), round(lowest_pu, 6), round(highest_pu, 6)
        powers = round(power_mva.real, 6), round(power_mva.imag, 6), _gap_mw(readings, power_mva.real)
        return element, *shown, *powers

    def _worst(self, loading_percent: Floats) -> tuple[str, float]:
        """The branch that is loaded most by its limit, and how much."""
        if not len(loading_percent):
            return "", 0.0
        worst = int((loading_percent / self._ratings.loading_percent).argmax())
        return self._ratings.branches[worst], float(loading_percent[worst])

    def _extremes(self, vm_pu: Floats) -> tuple[float, float]:
        """The lowest and the highest voltage; what has no supply counts as being in the middle."""
        if np.isnan(vm_pu).any():
            vm_pu = np.where(np.isnan(vm_pu), (self._ratings.vm_min_pu + self._ratings.vm_max_pu) / 2, vm_pu)
        return float(vm_pu.min()), float(vm_pu.max())


def _gap_mw(readings: Readings, computed_mw: float) -> float:
    if not readings.interface:
        return 0.0
    return round(sum(p_mw for _, p_mw, _ in readings.interface) - computed_mw, 6) + 0.0


def _unsolved(readings: Readings, violations: tuple[Binding, ...]) -> Assessment:
    return Assessment(readings.at_us, "", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, violations, near=True)
