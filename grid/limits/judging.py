"""Whether states are allowed: AC power flow of a batch in every case, held against the bounds of the base states.

    changes (states × columns) ─▶ each case: batch power flow ─▶ values ─▶ excess over bounds ─▶ verdict

Nothing is called allowed that has not been solved here. What a base state itself violates may stay as bad as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from ..powerflow.newton import Tangent
from ..powerflow.solution import Solution
from ..powerflow.solver import BatchSolver
from .cases import Hearing
from .constraints import Binding, no_solution

TOLERANCE_PU = 1e-9
STATES_AT_ONCE = 1024
# A Jacobian costs what some dozen states cost; it serves states whose voltages are about this near.
WORTH_STATES = 48
MOVED_PU = 0.01
WORTH_MERGING = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was found for each state of a batch: one row a state.

    `excess`: of the worst constraint over all cases, relative to its limit; ≤ 0 is allowed, infinite has no solution ·
    `by_case`: the same, cases × states · `gaps` (states × constraints of all cases): the same of each constraint ·
    `interface_mva` (states × interfaces): import in the first case · `jump_pu`: how far the voltages are from those of
    the state before (NaN if unknown).
    """

    excess: Floats
    by_case: Floats
    gaps: Floats
    interface_mva: Complexes
    jump_pu: Floats

    @property
    def allowed(self) -> Booleans:
        """Which states are allowed in every case."""
        return np.asarray(self.excess <= 0, dtype=np.bool_)

    def by_state(self) -> tuple[Floats, Floats, Floats, Complexes, Floats]:
        """Return all that was found with states as rows, in the order of `of`."""
        return self.excess, self.by_case.T, self.gaps, self.interface_mva, self.jump_pu

    @classmethod
    def of(cls, excess: Any, by_state: Any, gaps: Any, interface_mva: Any, jump_pu: Any) -> Verdict:
        """Make a verdict of what `by_state` returns."""
        return cls(excess, by_state.T, gaps, interface_mva, jump_pu)


class Judge:
    """Judges batches of changes against the same cases, with `fixed_mva` (columns) on throughout."""

    def __init__(self, hearings: Sequence[Hearing], fixed_mva: Complexes) -> None:
        self.hearings, self.fixed_mva = tuple(hearings), fixed_mva
        self._at = self.hearings[0].model.columns.points if self.hearings else np.zeros(0, dtype=np.int64)
        self._near: list[Complexes | None] = [None] * len(self.hearings)
        self._here_mva: Complexes = np.zeros_like(fixed_mva)
        self._tangents: list[tuple[Tangent, Complexes] | None] = [None] * len(self.hearings)
        self._scattered = False
        self._asked = [0] * len(self.hearings)
        self._base: list[Complexes | None] = []
        nothing = np.zeros((1, len(fixed_mva)), dtype=complex)
        known = fixed_mva.any()
        base = [self.solution(case, nothing) if known else each.at_rest for case, each in enumerate(self.hearings)]
        pairs = list(zip(self.hearings, base, strict=True))
        self._bounds = [each.constraints.bounds(each.constraints.values(solution)[0]) for each, solution in pairs]
        self._base = [solution.voltage for solution in base]
        self.base_interface_mva = base[0].interface_mva[0] if base else np.zeros(0, dtype=complex)

    def judge(self, change_mva: Complexes, *, path: bool = True) -> Verdict:
        """Return the verdict on states given by their change (states × columns, MVA) from the base.

        `path`: jumps are measured from row to row, otherwise from the base.
        """
        if len(change_mva) <= STATES_AT_ONCE:
            return self._judge(change_mva, path)
        found = []
        for first in range(0, len(change_mva), STATES_AT_ONCE):
            before = int(path and first > 0)  # the last state of the part before, from which the first one jumps
            verdict = self._judge(change_mva[first - before : first + STATES_AT_ONCE], path)
            found.append([part[before:] for part in verdict.by_state()])
        return Verdict.of(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def bindings(self, beyond_mva: Complexes, asked_mva: Complexes) -> list[Binding]:
        """Name the worst constraint of states just beyond what is allowed, with its value at what was asked for.

        Both are states × columns; the value just beyond is shown where the one asked for has none or a better one.
        """
        found: list[Binding] = []
        for first in range(0, len(beyond_mva), STATES_AT_ONCE):
            part = slice(first, first + STATES_AT_ONCE)
            found += self._bindings(beyond_mva[part], asked_mva[part])
        return found

    def _bindings(self, beyond_mva: Complexes, asked_mva: Complexes) -> list[Binding]:
        beyond, asked = self._values(beyond_mva), self._values(asked_mva)
        pairs = list(zip(self.hearings, beyond, self._bounds, strict=True))
        excess = np.array([each.constraints.excess(rows, bounds) for each, rows, bounds in pairs])
        cases = np.argmax(excess, axis=0)
        found = []
        for row, case in enumerate(cases):
            hearing, values, bounds = self.hearings[case], beyond[case][row], self._bounds[case]
            if not np.isfinite(values).all():
                found.append(no_solution(hearing.name))
                continue
            index = hearing.constraints.index_of_worst(values, bounds)
            at_asked = asked[case][row]
            better = not np.isfinite(at_asked[index]) or at_asked[index] <= values[index]
            found.append(hearing.constraints.binding(index, values if better else at_asked, hearing.name))
        return found

    def worst(self, case: int, change_mva: Complexes) -> tuple[int, Floats]:
        """Return the constraint of a state that is nearest to its bound or farthest beyond, and all values."""
        row = self._values(change_mva[None, :])[case][0]
        return self.hearings[case].constraints.index_of_worst(row, self._bounds[case]), row

    def bounds(self, case: int) -> Floats:
        """Return the bounds that hold in a case."""
        return self._bounds[case]

    def approach(self, change_mva: Complexes) -> None:
        """Make ready for questions about states near this one (columns, MVA): they are solved sooner."""
        states = change_mva[None, :]
        self._near = [self.solution(case, states).voltage for case in range(len(self.hearings))]
        self._here_mva = change_mva
        for case, (known, near) in enumerate(zip(self._tangents, self._near, strict=True)):
            if known is not None and near is not None and not np.abs(near[0] - known[1]).max() < MOVED_PU:
                self._tangents[case] = None

    def scatter(self) -> None:
        """Make ready for questions about states far from each other: none is near enough for its Jacobian to help."""
        self._tangents, self._scattered = [None] * len(self.hearings), True

    def solution(self, case: int, change_mva: Complexes) -> Solution:
        """Solve changes (states × columns) in one case."""
        hearing = self.hearings[case]
        solver = hearing.model.solver(hearing.state.taps, hearing.state.out)
        near = self._near[case]
        here = None if near is None else near[0]
        change = change_mva + self.fixed_mva
        if not isinstance(solver, BatchSolver):
            return solver.solve(hearing.state, change, at=self._at, tolerance_pu=TOLERANCE_PU)
        tangent = self._tangent(case, solver, len(change))
        return solver.solve(hearing.state, change, at=self._at, tolerance_pu=TOLERANCE_PU, near=here, tangent=tangent)

    def _tangent(self, case: int, solver: BatchSolver, count: int) -> Tangent | None:
        """Return the Jacobian at the state that was approached last, once there are enough questions."""
        if self._scattered:
            return None
        self._asked[case] += count
        if self._tangents[case] is None and self._asked[case] > WORTH_STATES and case < len(self._base):
            near = self._base[case] if self._near[case] is None else self._near[case]
            state, moved = self.hearings[case].state, self._here_mva + self.fixed_mva
            state = state.with_change_mva(moved, self._at) if moved.any() else state
            found = None if near is None else solver.tangent(state, near[0])
            self._tangents[case] = None if found is None or near is None else (found, near[0])
        known = self._tangents[case]
        return None if known is None else known[0]

    def _values(self, change_mva: Complexes) -> list[Floats]:
        distinct, of_state = _distinct(change_mva)
        found = [each.constraints.values(self.solution(k, distinct)) for k, each in enumerate(self.hearings)]
        return [each[of_state] for each in found]

    def _judge(self, change_mva: Complexes, path: bool) -> Verdict:
        distinct, of_state = _distinct(change_mva)
        solutions = [self.solution(case, distinct) for case in range(len(self.hearings))]
        found = zip(self.hearings, solutions, self._bounds, strict=True)
        gaps = [each.constraints.gaps(each.constraints.values(solution), bounds) for each, solution, bounds in found]
        by_case = np.array([each.max(axis=1) for each in gaps])[:, of_state]
        together = gaps[0] if len(gaps) == 1 else np.concatenate(gaps, axis=1)
        pairs = zip(solutions, self._base, strict=True)
        jumps = np.max([_jumps(solution, of_state, None if path else base) for solution, base in pairs], axis=0)
        interface = solutions[0].interface_mva[of_state]
        return Verdict(by_case.max(axis=0), by_case, together[of_state], interface, jumps)


def _distinct(change_mva: Complexes) -> tuple[Complexes, Integers | slice]:
    """Return the states of a batch that differ, and which of them each state is: many offers at a bus are alike."""
    marks = change_mva @ _turns(change_mva.shape[1])  # of equal states equal
    if len(np.unique(marks)) > WORTH_MERGING * len(marks):
        return change_mva, slice(None)
    known: dict[bytes, int] = {}
    of_state = np.array([known.setdefault(row.tobytes(), len(known)) for row in change_mva], dtype=np.int64)
    _, first = np.unique(of_state, return_index=True)
    return change_mva[first], of_state


@lru_cache(maxsize=32)
def _turns(columns: int) -> Complexes:
    return np.asarray(np.exp(1j * np.arange(columns) ** 2))


def _jumps(solution: Solution, of_state: Integers | slice, base: Complexes | None) -> Floats:
    """Return the largest change of a complex voltage from the state before (the first: 0), or from the base."""
    if solution.voltage is None:
        return np.full(len(solution.converged[of_state]), np.nan)
    steps = np.diff(solution.voltage[of_state], axis=0) if base is None else solution.voltage - base
    square = steps.real**2 + steps.imag**2
    found = np.sqrt(square.max(axis=1, initial=0.0))
    return np.concatenate([[0.0], found]) if base is None else np.asarray(found[of_state])
