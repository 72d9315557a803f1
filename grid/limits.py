"""How much of each offer the grid can bear: offers in, allowed MW and the binding constraint out.

    single   each offer alone
    all      each alone, and everything in the given order together: never less strict than alone
    prefix   in the given (merit) order, on top of what was allowed before

Exact by AC power flow: for each offer, fractions between nothing and all of it are solved in every case; where one is
infeasible, the last feasible fraction before it is refined until it is known to 1e-4 MW. So every prefix of the list,
and every part of its last offer that was tried, passed AC. Up and down are walked separately: they do not relieve each
other, because nobody promises that both are activated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import Complexes, Floats
from .constraints import Binding, Constraints, no_solution
from .errors import GridError
from .model import GridModel
from .operating_point import OperatingPoint

__all__ = ["Activation", "Allowed", "Binding", "Case", "Scope", "check", "limit"]

Scope = Literal["single", "all", "prefix"]
Case = tuple[str, OperatingPoint]
RESOLUTION_MW = 1e-4
_FRACTIONS = 16
_SMALLEST_FRACTION = 1e-12


@dataclass(frozen=True, slots=True)
class Activation:
    """A change of injection that may be ordered: `p_mw` signed (+ up), spread over connection points by shares.

    Shares sum to 1. What is cut to less than `min_mw` counts as nothing. `q_per_p`: Mvar injected per MW.
    """

    id: str
    points: tuple[tuple[str, float], ...]
    p_mw: float
    min_mw: float = 0.0
    q_per_p: float = 0.0

    def __post_init__(self) -> None:
        total = sum(share for _, share in self.points)
        if abs(total - 1.0) > 1e-6:
            raise GridError(f"activation {self.id}: the shares of its connection points must sum to 1, got {total:g}")
        if not np.isfinite([self.p_mw, self.min_mw, self.q_per_p]).all():
            raise GridError(f"activation {self.id}: power must be finite, got {self.p_mw} MW")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the grid can bear of an activation, signed MW; `binding` says why it is less than asked for."""

    id: str
    p_mw: float
    binding: Binding | None


def check(model: GridModel, cases: Sequence[Case], activations: Sequence[Activation]) -> Binding | None:
    """Return the worst violation of plain limits with all activations on, over the cases; None if there is none.

    A base state that is itself in violation is reported too. Raises NetworkError for an unknown connection point.
    """
    constraints = Constraints(model)
    change = np.sum([change_mva(model, activation) for activation in activations], axis=0, initial=0)
    batch = np.broadcast_to(np.asarray(change, dtype=complex), (1, len(model.point_names)))
    worst: tuple[float, Binding] | None = None
    for name, state in cases:
        values = constraints.values(model.solver(state.taps, state.out).solve(model.energised(state), batch))[0]
        for found in constraints.beyond(values, name)[:1]:
            excess = np.inf if found.kind == "no_solution" else abs(found.value / found.limit - 1)
            if worst is None or excess > worst[0]:
                worst = (excess, found)
    return None if worst is None else worst[1]


def limit(
    model: GridModel,
    cases: Sequence[Case],
    activations: Sequence[Activation],
    scope: Scope = "prefix",
    *,
    fixed: Sequence[Activation] = (),
) -> tuple[Allowed, ...]:
    """Return what is allowed of every activation, in their order; the strictest case counts.

    `fixed` is on throughout and not judged: scope "prefix" keeps all of it on, "all" what has the direction of the
    activation in question, "single" nothing. What a base state already violates may stay as
    bad as it is. Raises NetworkError for an unknown connection point.
    """
    results: dict[int, Allowed] = {}
    for up in (True, False):
        direction = [k for k, activation in enumerate(activations) if (activation.p_mw >= 0) == up]
        chosen = [activations[k] for k in direction]
        results |= dict(zip(direction, _limit_one_way(model, cases, chosen, scope, fixed), strict=True))
    return tuple(results[k] for k in range(len(activations)))


def change_mva(model: GridModel, activation: Activation) -> Complexes:
    """Return the injection (complex, MVA) of a full activation at every connection point of the model."""
    change = np.zeros(len(model.point_names), dtype=complex)
    for name, share in activation.points:
        change[model.point(name)] += share * activation.p_mw * (1 + 1j * activation.q_per_p)
    return change


def _limit_one_way(
    model: GridModel, cases: Sequence[Case], chosen: list[Activation], scope: Scope, fixed: Sequence[Activation]
) -> list[Allowed]:
    if not chosen:
        return []
    alone = [_Walk(model, cases, ()).allow(each) for each in chosen] if scope != "prefix" else []
    if scope == "single":
        return alone
    up = chosen[0].p_mw >= 0
    walk = _Walk(model, cases, [each for each in fixed if scope == "prefix" or (each.p_mw >= 0) == up])
    together = [walk.allow(each, alone[k].p_mw if alone else None) for k, each in enumerate(chosen)]
    return [a if a.p_mw == t.p_mw and a.binding else t for a, t in zip(alone or together, together, strict=True)]


class _Walk:
    """Walks along activations, keeping what was allowed so far switched on."""

    def __init__(self, model: GridModel, cases: Sequence[Case], fixed: Sequence[Activation]) -> None:
        self._model, self._cases = model, cases
        self._constraints = Constraints(model)
        self._on = np.zeros(len(model.point_names), dtype=complex)
        for activation in fixed:
            self._on += change_mva(model, activation)
        self._bounds = [self._constraints.bounds(values[0]) for values in self._values(self._on[None, :])]

    def allow(self, activation: Activation, at_most_mw: float | None = None) -> Allowed:
        """Return how much of an activation fits on top of what is on, and switch it on."""
        asked_mw = activation.p_mw if at_most_mw is None else at_most_mw
        full = change_mva(self._model, activation)
        ceiling = 1.0 if activation.p_mw == 0 else asked_mw / activation.p_mw
        fraction, binding = self._largest(full, ceiling, abs(activation.p_mw))
        p_mw = self._rounded(activation, fraction, ceiling, asked_mw)
        if activation.p_mw:
            self._on = self._on + full * (p_mw / activation.p_mw)
        return Allowed(activation.id, p_mw, binding)

    @staticmethod
    def _rounded(activation: Activation, fraction: float, ceiling: float, asked_mw: float) -> float:
        """Return signed MW, rounded towards zero to 1 W unless nothing was cut."""
        if fraction >= ceiling:
            return float(asked_mw)
        p_mw = float(np.trunc(activation.p_mw * fraction * 1e6) / 1e6)
        return 0.0 if abs(p_mw) < max(activation.min_mw, RESOLUTION_MW) else p_mw

    def _largest(self, full: Complexes, ceiling: float, p_mw: float) -> tuple[float, Binding | None]:
        low, high = 0.0, ceiling
        beyond: list[Floats] | None = None
        while True:
            fractions = np.linspace(low, high, _FRACTIONS + 1)[1:]
            values = self._values(self._on[None, :] + fractions[:, None] * full[None, :])
            first = self._first_infeasible(values)
            if first is None:
                return high, None if beyond is None else self._binding(beyond, full, ceiling)
            low, high = (float(fractions[first - 1]) if first else low), float(fractions[first])
            beyond = [each[first] for each in values]
            if (high - low) * p_mw <= RESOLUTION_MW or high - low < _SMALLEST_FRACTION:
                return low, self._binding(beyond, full, ceiling)

    def _values(self, change: Complexes) -> list[Floats]:
        solved = [self._model.solver(s.taps, s.out).solve(self._model.energised(s), change) for _, s in self._cases]
        return [self._constraints.values(solution) for solution in solved]

    def _first_infeasible(self, values: list[Floats]) -> int | None:
        feasible = np.ones(len(values[0]), dtype=bool)
        for each, bounds in zip(values, self._bounds, strict=True):
            feasible &= np.all(each <= bounds, axis=1) & np.isfinite(each).all(axis=1)
        return None if feasible.all() else int(np.argmin(feasible))

    def _binding(self, beyond: list[Floats], full: Complexes, ceiling: float) -> Binding:
        """Name the worst constraint just past what is allowed, with the value it would have at what was asked for."""
        excess = [np.max(v - b) if np.isfinite(v).all() else np.inf for v, b in zip(beyond, self._bounds, strict=True)]
        case = int(np.argmax(excess))
        name, bounds = self._cases[case][0], self._bounds[case]
        if not np.isfinite(beyond[case]).all():
            return no_solution(name)
        index = self._constraints.index_of_worst(beyond[case], bounds)
        asked = self._values(self._on[None, :] + ceiling * full[None, :])[case][0]
        shown = asked if np.isfinite(asked).all() and asked[index] > beyond[case][index] else beyond[case]
        return self._constraints.binding(index, shown, name)
