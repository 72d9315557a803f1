"""The constraints of a grid as one vector, so that "is this state allowed" is one comparison.

Every constraint is written as value ≤ bound: loadings, highest voltages, and lowest voltages negated. A state that
did not converge, or holds anything that is not finite, violates everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Floats
from .model import GridModel
from .solver import Solution

Kind = Literal["loading_percent", "vm_max_pu", "vm_min_pu", "no_solution"]
# Two solutions of the same state may differ by the solver's tolerance: a bound that is taken from a state itself
# allows that much, in percent and in 1e-2 pu.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Binding:
    """The constraint that a quantity is limited by, in the case (planning case or time) where it binds."""

    element: str
    kind: Kind
    value: float
    limit: float
    case: str


def no_solution(case: str) -> Binding:
    """Return the binding of a state that has no power flow."""
    return Binding("grid", "no_solution", 0.0, 0.0, case)


class Constraints:
    """Names, kinds and bounds of every constraint of one model."""

    def __init__(self, model: GridModel) -> None:
        ratings = model.ratings
        self._buses = ratings.buses
        count = len(ratings.bus_names)
        self.elements = (*ratings.branches, *ratings.bus_names, *ratings.bus_names)
        kinds: list[tuple[Kind, int]] = [
            ("loading_percent", len(ratings.branches)),
            ("vm_max_pu", count),
            ("vm_min_pu", count),
        ]
        self.kinds = tuple(kind for kind, number in kinds for _ in range(number))
        self.limits = np.concatenate([ratings.loading_percent, ratings.vm_max_pu, ratings.vm_min_pu])
        self._middle_pu = (ratings.vm_min_pu + ratings.vm_max_pu) / 2
        self._sign = np.array([-1.0 if kind == "vm_min_pu" else 1.0 for kind in self.kinds])
        self._scale = np.array([1.0 if kind == "loading_percent" else 100.0 for kind in self.kinds])
        self._nominal = self._sign * self.limits * self._scale
        self._safe = self._nominal - np.abs(self._nominal) * model.margin

    def values(self, solution: Solution) -> Floats:
        """Return states × constraints, signed and scaled; rows that are not converged are infinite.

        A bus that an outage has left without supply has no voltage and violates nothing: it is lost.
        """
        vm_pu = solution.vm_pu[:, self._buses]
        lost = np.isnan(vm_pu) & solution.converged[:, None]
        vm_pu = np.where(lost, self._middle_pu, vm_pu) if lost.any() else vm_pu
        values: Floats = np.concatenate([solution.loading_percent, vm_pu, vm_pu], axis=1) * (self._sign * self._scale)
        bad = ~solution.converged | ~np.isfinite(values).all(axis=1)
        values[bad] = np.inf
        return values

    def bounds(self, base: Floats) -> Floats:
        """Return the bound per constraint, margin kept; where the base state is beyond it, what the base has.

        `base`: the values of the state without the activations in question (one row).
        """
        bounds: Floats = np.maximum(self._safe, base + _SLACK)
        return bounds

    def index_of_worst(self, values: Floats, bounds: Floats) -> int:
        """Return the constraint of one finite row that is farthest beyond its bound, relative to its limit."""
        return int(np.argmax((values - bounds) / np.abs(self._nominal)))

    def binding(self, index: int, values: Floats, case: str) -> Binding:
        """Return one constraint with its value in natural units, rounded to 1e-4 % or 1e-6 pu."""
        if not np.isfinite(values[index]):
            return no_solution(case)
        kind = self.kinds[index]
        value = values[index] * self._sign[index] / self._scale[index]
        digits = 4 if kind == "loading_percent" else 6
        return Binding(self.elements[index], kind, round(float(value), digits), float(self.limits[index]), case)

    def beyond(self, values: Floats, case: str) -> tuple[Binding, ...]:
        """Return every plain limit that one row violates, worst first."""
        if not np.isfinite(values).all():
            return (no_solution(case),)
        excess = (values - self._nominal) / np.abs(self._nominal)
        order = np.argsort(-excess, kind="stable")
        return tuple(self.binding(int(k), values, case) for k in order if values[k] > self._nominal[k] + _SLACK)
