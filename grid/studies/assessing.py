"""From solved states to what a DSO says of them: worst element, voltages, interface, violations, how near a limit."""

from __future__ import annotations

import math

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
        """Return an assessment per row of a solution, all at the time of the readings."""

        def case() -> str:
            return clock_text(readings.at_us - self._midnight_us)

        every, near, vm_pu = self._constraints.looked_at(solution, case, self._edge)
        elements, loadings = self._worst(solution.loading_percent)
        lowest_pu, highest_pu = self._extremes(vm_pu)
        powers_mva, found = solution.interface_mva.tolist(), []
        for row, solved in enumerate(solution.converged.tolist()):
            if not solved:
                found.append(_unsolved(readings, every[row]))
                continue
            power_mva = sum(powers_mva[row])
            found.append(
                Assessment(
                    at_us=readings.at_us,
                    worst_element=elements[row],
                    worst_loading_percent=round(loadings[row], 4),
                    vm_min_pu=round(lowest_pu[row], 6),
                    vm_max_pu=round(highest_pu[row], 6),
                    interface_p_mw=round(power_mva.real, 6),
                    interface_q_mvar=round(power_mva.imag, 6),
                    interface_gap_mw=_gap_mw(readings, power_mva.real),
                    violations=every[row],
                    near=bool(every[row]) or near[row],
                )
            )
        return tuple(found)

    def _worst(self, loading_percent: Floats) -> tuple[list[str], list[float]]:
        """The branch that is loaded most by its limit, and how much, in each state."""
        if not loading_percent.shape[1]:
            return [""] * len(loading_percent), [0.0] * len(loading_percent)
        worst = (loading_percent / self._ratings.loading_percent).argmax(axis=1).tolist()
        branches = self._ratings.branches
        return [branches[k] for k in worst], [float(loading_percent[row, k]) for row, k in enumerate(worst)]

    def _extremes(self, vm_pu: Floats) -> tuple[list[float], list[float]]:
        """The lowest and the highest voltage in each state; what has no supply counts as being in the middle."""
        low, high = np.minimum.reduce(vm_pu, axis=1).tolist(), np.maximum.reduce(vm_pu, axis=1).tolist()
        if not any(map(math.isnan, low)):
            return low, high
        middle_pu = (self._ratings.vm_min_pu + self._ratings.vm_max_pu) / 2
        return self._extremes(np.where(np.isnan(vm_pu), middle_pu, vm_pu))


def _gap_mw(readings: Readings, computed_mw: float) -> float:
    if not readings.interface:
        return 0.0
    return round(sum(p_mw for _, p_mw, _ in readings.interface) - computed_mw, 6) + 0.0


def _unsolved(readings: Readings, violations: tuple[Binding, ...]) -> Assessment:
    return Assessment(readings.at_us, "", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, violations, near=True)
