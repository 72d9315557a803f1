"""The constraints of a grid as one vector, so that "is this state allowed" is one comparison.

Every constraint is written as value ≤ bound: loadings, highest voltages, and lowest voltages negated. A state that
did not converge, or holds anything that is not finite, violates everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..arrays import Floats, Integers, in_a_row
from ..compiled import compiled
from ..description.grid import GridLimits
from ..model import GridModel
from ..powerflow.solution import Solution

Kind = Literal["loading_percent", "vm_max_pu", "vm_min_pu", "no_solution"]
Rating = Literal["continuous", "short_time"]
# Two solutions of the same state may differ by the solver's tolerance: a bound that is taken from a state itself
# allows that much, in percent and in 1e-2 pu.
_SLACK = 1e-5


@dataclass(frozen=True, slots=True)
class Binding:
    """The constraint that a quantity is limited by, in the case (planning case or time) where it binds."""

    element: str
    kind: Kind
    value: float
    limit: float
    case: str
    rating: Rating = "continuous"


def no_solution(case: str) -> Binding:
    """Return the binding of a state that has no power flow."""
    return Binding("grid", "no_solution", 0.0, 0.0, case)


class Constraints:
    """Names, kinds and bounds of every constraint of one model."""

    def __init__(
        self,
        model: GridModel,
        rating: Rating = "continuous",
        limits: GridLimits | None = None,
        *,
        spent: Collection[str] = (),
    ) -> None:
        """`rating`: which loading counts, where the model has a short-time one · `limits`: override the model's.

        `spent`: the branches whose short time is over, so that the continuous rating counts for them anyhow.
        """
        ratings, own = model.ratings, limits or GridLimits()
        margin = own.margin if "margin" in own.model_fields_set else model.margin
        self._watched, self._buses = ratings.buses, in_a_row(ratings.buses)
        count = len(ratings.bus_names)
        self.elements = (*ratings.branches, *ratings.bus_names, *ratings.bus_names)
        kinds: list[tuple[Kind, int]] = [
            ("loading_percent", len(ratings.branches)),
            ("vm_max_pu", count),
            ("vm_min_pu", count),
        ]
        self.kinds = tuple(kind for kind, number in kinds for _ in range(number))
        short_percent = own.short_time_percent or model.short_time_percent
        is_short = short_percent is not None and rating == "short_time"
        self._is_short = np.array([is_short and name not in spent for name in ratings.branches], dtype=np.bool_)
        factor = np.where(self._is_short, (short_percent or 100.0) / 100.0, 1.0)
        loading = _or(own.loading_percent, ratings.loading_percent) * factor
        voltages = _or(own.vm_max_pu, ratings.vm_max_pu), _or(own.vm_min_pu, ratings.vm_min_pu)
        self.limits = np.concatenate([loading, *voltages])
        self._middle_pu = (voltages[0] + voltages[1]) / 2
        self._sign = np.array([-1.0 if kind == "vm_min_pu" else 1.0 for kind in self.kinds])
        self._scale = np.array([1.0 if kind == "loading_percent" else 100.0 for kind in self.kinds])
        self._factor = self._sign * self._scale
        self.nominal = self._factor * self.limits
        self._kept = self.nominal + _SLACK
        self._size = np.abs(self.nominal)
        self._safe = self.nominal - self._size * margin

    def values(self, solution: Solution) -> Floats:
        """Return states × constraints, signed and scaled; rows that are not converged are infinite.

        A bus that an outage has left without supply has no voltage and violates nothing: it is lost.
        """
        vm_pu = solution.vm_pu[:, self._buses]
        if np.isnan(vm_pu.sum()):
            vm_pu = np.where(np.isnan(vm_pu) & solution.converged[:, None], self._middle_pu, vm_pu)
        values: Floats = np.concatenate([solution.loading_percent, vm_pu, vm_pu], axis=1)
        values *= self._factor
        bad = ~solution.converged | ~np.isfinite(values.sum(axis=1))
        if bad.any():
            values[bad] = np.inf
        return values

    def gaps(self, values: Floats, bounds: Floats) -> Floats:
        """Return how far every constraint is beyond its bound, relative to its limit (states × constraints)."""
        with np.errstate(invalid="ignore"):
            found: Floats = values - bounds  # a base without a solution bounds nothing, but lost is lost
        found /= self._size
        lost = ~np.isfinite(values[:, :1]).all(axis=1)
        if lost.any():
            found[lost] = np.inf
        return found

    def excess(self, values: Floats, bounds: Floats) -> Floats:
        """Return, per state, how far the worst constraint is beyond its bound, relative to its limit (≤ 0: fine)."""
        return np.asarray(self.gaps(values, bounds).max(axis=1))

    def bounds(self, base: Floats) -> Floats:
        """Return the bound per constraint, margin kept; where the base state is beyond it, what the base has.

        `base`: the values of the state without the activations in question (one row).
        """
        bounds: Floats = np.maximum(self._safe, base + _SLACK)
        return bounds

    def index_of_worst(self, values: Floats, bounds: Floats) -> int:
        """Return the constraint of one finite row that is farthest beyond its bound, relative to its limit."""
        return int(np.argmax((values - bounds) / self._size))

    def binding(self, index: int, values: Floats, case: str) -> Binding:
        """Return one constraint with its value in natural units, rounded to 1e-4 % or 1e-6 pu."""
        if not np.isfinite(values[index]):
            return no_solution(case)
        kind = self.kinds[index]
        value = values[index] * self._sign[index] / self._scale[index]
        digits = 4 if kind == "loading_percent" else 6
        return Binding(
            self.elements[index],
            kind,
            round(float(value), digits),
            float(self.limits[index]),
            case,
            "short_time" if kind == "loading_percent" and self._is_short[index] else "continuous",
        )

    def violations(self, solution: Solution, case: str) -> tuple[tuple[Binding, ...], ...]:
        """Return, per state, every plain limit that it violates, worst first; mostly none, which is seen at once."""
        values = self._glance(solution)
        if (values <= self._kept).all():
            return ((),) * len(values)
        return self._beyond(solution, case)

    def _glance(self, solution: Solution) -> Floats:
        """Return the values as they come, of whatever has no supply or no solution too."""
        vm_pu = solution.vm_pu[:, self._buses]
        values = np.concatenate((solution.loading_percent, vm_pu, vm_pu), axis=1)
        values *= self._factor
        return values

    def _beyond(self, solution: Solution, case: str) -> tuple[tuple[Binding, ...], ...]:
        return tuple([self.beyond(row, case) for row in self.values(solution)])

    def looked_at(
        self, solution: Solution, case: Callable[[], str], edge: Floats
    ) -> tuple[tuple[tuple[Binding, ...], ...], Sequence[bool]]:
        """Return `violations`, and which states reach a value of `edge` (constraints, none beyond its limit).

        What has no supply reaches nothing; a state without a solution may reach anything. `case` is asked for where
        there are violations.
        """
        if all_below(solution.loading_percent, solution.vm_pu, self._watched, self._factor, edge):
            return ((),) * len(solution.converged), (False,) * len(solution.converged)
        values = self._glance(solution)
        reached: list[bool] = np.any(values >= edge, axis=1).tolist()
        calm = (values <= self._kept).all()
        return ((),) * len(values) if calm else self._beyond(solution, case()), reached

    def edge(self, loading: float, voltage_pu: float) -> Floats:
        """Return the values that are as near their limits: a share of the loading's, and so many pu of voltages'."""
        nearer = np.where(self._scale == 1.0, self.nominal * loading, self.nominal - 100 * voltage_pu)
        return np.asarray(np.minimum(nearer, self._kept))

    def beyond(self, values: Floats, case: str) -> tuple[Binding, ...]:
        """Return every plain limit that one row violates, worst first."""
        over = np.flatnonzero(~(values <= self._kept))
        if not len(over):
            return ()
        if not np.isfinite(values).all():
            return (no_solution(case),)
        excess = (values[over] - self.nominal[over]) / self._size[over]
        return tuple(self.binding(int(k), values, case) for k in over[np.argsort(-excess, kind="stable")])


@compiled("b1(f8[:,:], f8[:,:], i8[::1], f8[::1], f8[::1])")
def all_below(loading_percent: Floats, vm_pu: Floats, buses: Integers, factor: Floats, edge: Floats) -> bool:
    """Whether all values of all states are below an edge (constraints); what is no number is not.

    loading_percent (states × branches) · vm_pu (states × buses of the network) · buses: those that are watched ·
    factor (constraints): from them to values.
    """
    branches, watched = loading_percent.shape[1], len(buses)
    for s in range(len(loading_percent)):
        for k in range(branches):
            if not loading_percent[s, k] * factor[k] < edge[k]:
                return False
        for k in range(watched):
            high, low = branches + k, branches + watched + k
            v = vm_pu[s, buses[k]]
            if not (v * factor[high] < edge[high] and v * factor[low] < edge[low]):
                return False
    return True


def _or(given: float | None, own: Floats) -> Floats:
    return own if given is None else np.full(len(own), given)
