"""From solved states to what a DSO says of them: worst element, voltages, interface, violations, how near a limit."""

from __future__ import annotations

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
        self._middle_pu = (model.ratings.vm_min_pu + model.ratings.vm_max_pu) / 2

    def assess(self, solution: Solution, readings: Readings) -> tuple[Assessment, ...]:
        """Return an assessment per row of a solution, all at the time of the readings."""
        vm_pu = solution.vm_pu[:, self._ratings.buses]
        if np.isnan(vm_pu.sum()):
            vm_pu = np.where(np.isnan(vm_pu), self._middle_pu, vm_pu)
        relative = solution.loading_percent / self._ratings.loading_percent
        worst = relative.argmax(axis=1) if relative.shape[1] else np.zeros(len(vm_pu), dtype=np.int64)
        total = solution.interface_mva.sum(axis=1)
        near = self._near(relative, vm_pu)
        voltages = vm_pu.min(axis=1).tolist(), vm_pu.max(axis=1).tolist()
        case = clock_text(readings.at_us - self._midnight_us)
        every = self._constraints.violations(solution, case)
        found = []
        for row, solved in enumerate(solution.converged.tolist()):
            violations = every[row]
            if not solved:
                found.append(_unsolved(readings, violations))
                continue
            element = int(worst[row])
            loading = float(solution.loading_percent[row, element]) if relative.shape[1] else 0.0
            found.append(
                Assessment(
                    at_us=readings.at_us,
                    worst_element=self._ratings.branches[element] if relative.shape[1] else "",
                    worst_loading_percent=round(loading, 4),
                    vm_min_pu=round(voltages[0][row], 6),
                    vm_max_pu=round(voltages[1][row], 6),
                    interface_p_mw=round(float(total[row].real), 6),
                    interface_q_mvar=round(float(total[row].imag), 6),
                    interface_gap_mw=_gap_mw(readings, float(total[row].real)),
                    violations=violations,
                    near=bool(violations) or bool(near[row]),
                )
            )
        return tuple(found)

    def _near(self, relative: Floats, vm_pu: Floats) -> Floats:
        ratings = self._ratings
        loaded = relative.max(axis=1, initial=0.0) >= 1 - NEAR_LOADING
        low = (vm_pu - ratings.vm_min_pu).min(axis=1, initial=np.inf) <= NEAR_VOLTAGE_PU
        high = (ratings.vm_max_pu - vm_pu).min(axis=1, initial=np.inf) <= NEAR_VOLTAGE_PU
        return np.asarray(loaded | low | high)


def _gap_mw(readings: Readings, computed_mw: float) -> float:
    if not readings.interface:
        return 0.0
    return round(sum(p_mw for _, p_mw, _ in readings.interface) - computed_mw, 6) + 0.0


def _unsolved(readings: Readings, violations: tuple[Binding, ...]) -> Assessment:
    return Assessment(readings.at_us, "", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, violations, near=True)
