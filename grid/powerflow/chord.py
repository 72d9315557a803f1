"""Few states of a small grid, near one whose Jacobian is known: as few and as small numpy calls as will do.

The fixed point x = G(x) = w + Z·c(x), with c = conj(S(|V|)/V), is found along the chord of one state (x₀, S₀):

    x ← x − M·(x − G(x)) = [ I − M + M·Z·conj(S_Z) | M·Z | M·w ] · (x, c_P(x) + c_I(x), 1)         M = (I − G'(x₀))⁻¹

so a pass is one product with one matrix; the constant impedances are in it. It begins with the linear answer to what
is changed, M·Z·conj(dS/V₀), and near x₀ three to five passes do what takes the fixed point ten. The states themselves
are exact: only the Jacobian is that of the neighbour, and the error that is left is bounded by the steps' rate.
A grid of 15 buses costs what numpy costs to be called, so everything is laid out once: complex numbers as pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Complexes, Floats, Integers
from .admittance import Admittance
from .fixed_point import TOLERANCE_PU, FixedPoint
from .newton import Powers
from .sensitivity import factors_of

UP_TO_BUSES = 100
MOST_STATES = 4
PASSES = 14
# As in newton.py: the error that is left after a step is at most rate / (1 − rate) of it.
FAST = 0.3
FARTHEST_PU = 0.5  # over all buses and states together


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """What all states of one solver have in common, in its internal numbering (b buses, n of them below the source).

    impedance (n × n), no_load (n): of the fixed point · others, reference, v_reference · points (p × b): per unit of
    what is injected at connection points · flows (b × (rows + references)): from voltages to the loading of each side
    in percent and to the current at each source · pairs: whether every branch has two rows, else row_starts.
    """

    impedance: Complexes
    no_load: Complexes
    others: Integers
    reference: Integers
    v_reference: Complexes
    points: Complexes
    flows: Complexes
    row_starts: Integers
    base_mva: float

    @property
    def pairs(self) -> bool:
        """Whether every branch has two sides, so that no search is needed for the more loaded one."""
        rows = self.flows.shape[1] - len(self.reference)
        return bool(np.array_equal(self.row_starts, np.arange(0, rows, 2)))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found (states × …): voltages of all buses, their size, loadings in percent, power from the sources."""

    voltage: Complexes
    magnitude: Floats
    loading_percent: Floats
    interface_mva: Complexes


class Work:
    """The arrays of so many states at once, used again and again; `given` is (x, c, 1) of each as real pairs."""

    def __init__(self, states: int, wiring: Wiring) -> None:
        n = len(wiring.others)
        whole = np.zeros((states, 2 * n + 1), dtype=complex)
        whole[:, -1] = 1.0
        self.given: Floats = whole.view(float)
        self.x: Floats = self.given[:, : 2 * n]
        self.v, self.c = whole[:, :n], whole[:, n : 2 * n]
        self.size, self.updated, self.step = np.empty((states, n)), np.empty((states, 2 * n)), np.empty((states, 2 * n))


class Chord:
    """The matrices at one state, and the passes of those near it."""

    def __init__(self, wiring: Wiring, given: Powers, voltage: Complexes) -> None:
        """`given` (b, one state), `voltage` (n): of the state itself. LinAlgError where J is singular."""
        below, at = wiring.others, wiring.reference
        power, current, impedance = given.power[below, 0], given.current[below], given.impedance[below]
        self._wiring, self._below, self._pairs = wiring, below, wiring.pairs
        self._own = given.power[at, 0] + _at_source(given, wiring)
        self._power, self._current = np.conj(power), np.conj(current)
        reach = _paired(wiring.impedance)
        slopes = _paired_slopes(*factors_of(power, current, impedance, voltage))
        moves = np.linalg.inv(np.eye(len(reach)) - reach @ slopes)
        through = moves @ reach
        passive = _paired(np.diag(np.conj(impedance)))
        start = moves @ wiring.no_load.view(float)
        table = [np.eye(len(reach)) - moves + through @ passive, through, start[:, None], np.zeros((len(reach), 1))]
        self._table = np.ascontiguousarray(np.hstack(table).T)
        self._first = np.ascontiguousarray((through @ _paired(np.diag(1 / np.conj(voltage)))).T)
        self._at = voltage.view(float).copy()
        self._points = np.ascontiguousarray(wiring.points[:, below])
        self._points_at_source = wiring.points[:, at] if wiring.points[:, at].any() else None
        self._work: dict[int, Work] = {}

    def solve(self, change_mva: Complexes, tolerance_pu: float = TOLERANCE_PU) -> Found | None:
        """Return the states with `change_mva` (states × connection points) injected; None unless all converge."""
        work = self._work.get(len(change_mva))
        if work is None:
            work = self._work[len(change_mva)] = Work(len(change_mva), self._wiring)
        moved = np.dot(np.conj(change_mva), self._points)
        updated = np.dot(moved.view(float), self._first, out=work.updated)
        if not np.vdot(updated, updated) <= FARTHEST_PU**2:
            return None
        updated += self._at
        moved += self._power
        if not self._passes(work, moved, tolerance_pu):
            return None
        return self._result(updated.view(complex), change_mva)

    def _passes(self, work: Work, power: Complexes, tolerance_pu: float) -> bool:
        x, v, c, size, updated = work.x, work.v, work.c, work.size, work.updated
        given, current, table, before = work.given, self._current, self._table, 0.0
        for count in range(PASSES):
            x[...] = updated
            np.abs(v, out=size)
            np.divide(power, size, out=c)
            c += current
            c /= size
            c *= v
            np.dot(given, table, out=updated)
            if count == 0:
                continue
            step = np.subtract(updated, x, out=work.step)
            length = math.sqrt(np.vdot(step, step))
            rate, before = length / before if before else math.inf, length
            if length == 0.0 or (length * rate / (1 - rate) if rate < FAST else length) <= tolerance_pu:
                return True
        return False

    def _result(self, below: Complexes, change_mva: Complexes) -> Found:
        wiring = self._wiring
        voltage = np.empty((len(below), wiring.points.shape[1]), dtype=complex)
        voltage[:, self._below] = below
        voltage[:, wiring.reference] = wiring.v_reference
        flows = np.dot(voltage, wiring.flows)
        rows = flows.shape[1] - len(wiring.reference)
        sides = np.abs(flows[:, :rows])
        if self._pairs:
            loading = np.maximum(sides[:, ::2], sides[:, 1::2])
        else:
            loading = np.maximum.reduceat(sides, wiring.row_starts, axis=1)
        power = wiring.v_reference * np.conj(flows[:, rows:]) - self._own
        if self._points_at_source is not None:
            power -= np.dot(change_mva, self._points_at_source)
        return Found(voltage, np.abs(voltage), loading, power * wiring.base_mva)


def wiring_of(admittance: Admittance, fixed: FixedPoint, incidence: Floats) -> Wiring:
    """What all states have in common; `incidence` (b × p): what a MVA at each connection point injects, per unit."""
    assert fixed.matrix is not None
    flows = np.vstack((admittance.rows.toarray(), admittance.ybus[admittance.reference].toarray())).T
    return Wiring(
        impedance=fixed.matrix,
        no_load=fixed.no_load,
        others=admittance.others,
        reference=admittance.reference,
        v_reference=admittance.v_reference,
        points=incidence.T.astype(complex),
        flows=np.ascontiguousarray(flows),
        row_starts=admittance.row_starts,
        base_mva=admittance.base_mva,
    )


def chord_at(wiring: Wiring, given: Powers, voltage: Complexes) -> Chord | None:
    """The chord of a state; None where its Jacobian has no inverse."""
    try:
        return Chord(wiring, given, voltage)
    except np.linalg.LinAlgError:
        return None


def _at_source(given: Powers, wiring: Wiring) -> Complexes:
    """What constant currents and impedances at the source inject, where the voltage never changes."""
    vm_pu, at = np.abs(wiring.v_reference), wiring.reference
    return np.asarray(vm_pu * (given.current[at] + vm_pu * given.impedance[at]))


def _paired(matrix: Complexes) -> Floats:
    """A complex matrix as a real one of twice the size, for vectors of pairs (real, imaginary)."""
    found = np.empty((2 * matrix.shape[0], 2 * matrix.shape[1]))
    found[::2, ::2] = found[1::2, 1::2] = matrix.real
    found[1::2, ::2] = matrix.imag
    found[::2, 1::2] = -matrix.imag
    return found


def _paired_slopes(a: Complexes, b: Complexes) -> Floats:
    """dc = a·dV + b·conj(dV) at every bus, as a real matrix for pairs."""
    found, even = np.zeros((2 * len(a), 2 * len(a))), np.arange(0, 2 * len(a), 2)
    found[even, even], found[even, even + 1] = a.real + b.real, b.imag - a.imag
    found[even + 1, even], found[even + 1, even + 1] = a.imag + b.imag, a.real - b.real
    return found
