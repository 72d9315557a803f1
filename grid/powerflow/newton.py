"""Newton's method for many states near one whose Jacobian is known, and for buses that a generator holds.

    one state ─▶ Jacobian ─▶ inverse ─▶ V ← V − J⁻¹·r(V) for all states together ─▶ those still moving: J of their own

The residual r is exact (sparse admittances, at every pass); only the Jacobian is that of a neighbour, so what converges
is a solution of the state itself. Near the neighbour two or three passes do what takes the fixed point ten. Complex
numbers are kept as real parts above imaginary ones (2n rows), because the Jacobian is not complex-linear.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.lapack import dgetrf, dgetri
from scipy.sparse.linalg import splu

from ..arrays import Booleans, Complexes, Floats, Integers
from ..compiled import compiled
from .fixed_point import TOLERANCE_PU
from .sensitivity import factors_of

DENSE_UP_TO_BUSES = 600
BLOCK = 128
PASSES, MAX_NEWTON = 16, 20
# The error that is left after a step is at most rate / (1 − rate) of it; a rate is trusted below the first of these,
# and beyond the second a state is left to others.
FAST, SLOW = 0.3, 1.0
COMPACT = 0.7
FARTHEST_PU = 0.5
Solve = Callable[[Floats], Floats]
Diagonals = Sequence[Sequence[Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Powers:
    """What is injected: constant power (buses × states, complex, per unit), constant current and impedance (buses)."""

    power: Complexes
    current: Complexes
    impedance: Complexes

    def only(self, states: Integers | slice) -> Powers:
        """Return these powers for some of the states."""
        return Powers(self.power[:, states], self.current, self.impedance)


@compiled("void(f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], c16[:,::1])")
def add_drawn(found: Floats, x: Floats, active: Floats, reactive: Floats, passive: Complexes) -> None:
    """Add the currents that are injected at voltages x (2n × states), conj(S/V), in place.

    active, reactive (n × states): constant power · passive (2 × n): constant current, and impedance.
    """
    n, states = active.shape
    for k in range(n):
        current, impedance = passive[0, k], passive[1, k]
        for s in range(states):
            e, f = x[k, s], x[n + k, s]
            share = 1.0 / (e * e + f * f)
            root = math.sqrt(share)
            p = active[k, s] * share + current.real * root + impedance.real
            q = reactive[k, s] * share + current.imag * root + impedance.imag
            found[k, s] += p * e + q * f
            found[n + k, s] += p * f - q * e


class Balance:
    """The equations of a network: currents balance at every bus, or active power and voltage where it is held."""

    def __init__(self, ybus: sp.csr_matrix, source: Complexes, held: Integers, held_vm_pu: Floats) -> None:
        """`ybus` (n × n) between the buses below the source · `source` (n): current from there · `held`: positions."""
        self._y = _real(ybus)
        dense = ybus.shape[0] <= DENSE_UP_TO_BUSES
        self._dense = np.asfortranarray(-self._y.toarray()) if dense else None
        self._source = _stacked(source)[:, None]
        self._held, self._square = held, (held_vm_pu**2)[:, None]

    def residual(self, x: Floats, active: Floats, reactive: Floats, given: Powers) -> Floats:
        """Return what does not balance (2n × states) at voltages x (2n × states)."""
        found: Floats = self._source - self._y @ x
        if len(self._held):
            return self._with_held(found, x, active, reactive, given)
        add_drawn(found, x, active, reactive, np.array((given.current, given.impedance)))
        return found

    def _with_held(self, found: Floats, x: Floats, active: Floats, reactive: Floats, given: Powers) -> Floats:
        """Where a voltage is held, reactive power is free: Re(V·conj(I)) must fit, and |V|."""
        n, at = len(active), self._held
        into, held = found[np.concatenate((at, n + at))], x[np.concatenate((at, n + at))]
        add_drawn(found, x, active, reactive, np.array((given.current, given.impedance)))
        (i_re, i_im), (e, f) = np.split(into, 2), np.split(held, 2)
        square = e * e + f * f
        p = active[at] + given.current.real[at, None] * np.sqrt(square) + given.impedance.real[at, None] * square
        found[at], found[n + at] = p + e * i_re + f * i_im, self._square - square
        return found

    def jacobian(self, voltage: Complexes, power: Complexes, given: Powers) -> sp.csc_matrix | Floats:
        """Return dr/dx (2n × 2n) at one state: voltages and constant power (n); dense where that is quicker."""
        n, e, f = len(voltage), voltage.real, voltage.imag
        a, b = factors_of(power, given.current, given.impedance, voltage)
        diagonals = (a.real + b.real, b.imag - a.imag), (a.imag + b.imag, a.real - b.real)
        into = self._source[:, 0] - self._y @ _stacked(voltage)
        vm = np.abs(voltage)
        slope = given.current.real / vm + 2 * given.impedance.real  # of the load's active power, per |V| of |V|
        holds = (slope * e + into[:n], slope * f + into[n:]), (-2 * e, -2 * f)
        at = np.zeros(n, dtype=np.bool_)
        at[self._held] = True
        rows = [[np.where(at, held[k], plain[k]) for k in (0, 1)] for held, plain in zip(holds, diagonals, strict=True)]
        if self._dense is not None:
            return self._densely(voltage, rows)
        left = sp.diags(np.where(at, e, 1.0)) @ self._y[:n] + sp.diags(np.where(at, f, 0.0)) @ self._y[n:]
        right = sp.diags(np.where(at, 0.0, 1.0)) @ self._y[n:]
        return sp.csc_matrix(sp.bmat([[sp.diags(each) for each in row] for row in rows]) - sp.vstack([left, right]))

    def _densely(self, voltage: Complexes, diagonals: Diagonals) -> Floats:
        assert self._dense is not None
        found, n, at = self._dense.copy(order="F"), len(voltage), self._held
        every = np.arange(n)
        if len(at):
            found[at] = voltage.real[at, None] * found[at] + voltage.imag[at, None] * found[n + at]
            found[n + at] = 0.0
        for k, row in enumerate(diagonals):
            for m, diagonal in enumerate(row):
                found[k * n + every, m * n + every] += diagonal
        return found

    def direction(self, voltage: Complexes, at: Integers, injected: Complexes) -> Floats:
        """Return dr (2n × directions) for powers injected (directions, per unit), each at its bus, at one state."""
        n, every = len(voltage), np.arange(len(at))
        current, held = np.conj(injected / voltage[at]), np.isin(at, self._held)
        found = np.zeros((2 * n, len(at)))
        found[at, every] = np.where(held, injected.real, current.real)
        found[n + at, every] = np.where(held, 0.0, current.imag)
        return found


class Tangent:
    """The inverse of the Jacobian at one state, with which states near it are solved."""

    def __init__(self, balance: Balance, voltage: Complexes, power: Complexes, given: Powers) -> None:
        """`voltage`, `power` (n): of that state. Raises ArithmeticError where the Jacobian cannot be inverted."""
        self._balance, self.voltage = balance, voltage
        self.solve_for = _inverse(balance.jacobian(voltage, power, given))

    def solve(
        self, given: Powers, start: Complexes | None = None, tolerance_pu: float = TOLERANCE_PU
    ) -> tuple[Complexes, Booleans]:
        """Return voltages (n × states) and which states converged; `start` (n): where from, instead of this state."""
        count = given.power.shape[1]
        voltage, converged = np.empty(given.power.shape, dtype=complex), np.zeros(count, dtype=np.bool_)
        start = self.voltage if start is None else start
        for first in range(0, count, BLOCK):
            part = slice(first, first + BLOCK)
            voltage[:, part], converged[part] = self._block(given.only(part), start, tolerance_pu)
        return voltage, converged

    def derivative(self, at: Integers, injected: Complexes) -> Complexes:
        """Return dV (n × directions) for powers injected (directions, per unit), each at its bus, at this state."""
        change = self.solve_for(self._balance.direction(self.voltage, at, injected))
        n = len(self.voltage)
        return -(change[:n] + 1j * change[n:])

    def _block(self, given: Powers, start: Complexes, tolerance_pu: float) -> tuple[Complexes, Booleans]:
        """Solve states that fit the cache together; what has converged, or is too far to, does not hold up the rest."""
        n, count = given.power.shape
        voltage, converged = np.empty_like(given.power), np.zeros(count, dtype=np.bool_)
        todo, before = np.arange(count), np.full(count, np.nan)
        active, reactive = np.ascontiguousarray(given.power.real), np.ascontiguousarray(given.power.imag)
        x = np.repeat(_stacked(start)[:, None], count, axis=1)
        for last in (False,) * (PASSES - 1) + (True,):
            change = self.solve_for(self._balance.residual(x, active, reactive, given))
            x -= change
            step = np.maximum(change.max(axis=0), -change.min(axis=0))
            rate = 2 * step / before  # doubled, because the first steps are those of half the way
            left = np.where(rate < FAST, step * rate / (1 - rate), step)
            moving = (left > tolerance_pu) & ~(rate > SLOW)
            if last or moving.sum() <= COMPACT * len(todo):
                voltage[:, todo], converged[todo] = x[:n] + 1j * x[n:], left <= tolerance_pu
                if last or not moving.any():
                    break
                todo, step = todo[moving], step[moving]
                x, active, reactive = (np.compress(moving, each, axis=1) for each in (x, active, reactive))
            before = step
        far = np.abs(np.abs(voltage) - np.abs(self.voltage)[:, None]).max(axis=0, initial=0.0) > FARTHEST_PU
        return voltage, np.asarray(converged & ~far, dtype=np.bool_)


def newton(
    balance: Balance, given: Powers, start: Complexes, tolerance_pu: float = TOLERANCE_PU
) -> tuple[Complexes, bool]:
    """Return the voltages (n) of one state, and whether Newton's method with its own Jacobians finds them."""
    power, voltage, n = given.power[:, 0], start, len(start)
    active, reactive = power.real[:, None].copy(), power.imag[:, None].copy()
    for _ in range(MAX_NEWTON):
        residual = balance.residual(_stacked(voltage)[:, None], active, reactive, given)[:, 0]
        try:
            change = _solved(balance.jacobian(voltage, power, given), residual)
        except ArithmeticError:
            return voltage, False
        voltage = voltage - (change[:n] + 1j * change[n:])
        size = float(np.abs(change).max(initial=0.0))
        if not size < 1e3:
            return voltage, False
        if size <= tolerance_pu:
            return voltage, True
    return voltage, False


def _solved(jacobian: sp.csc_matrix | Floats, residual: Floats) -> Floats:
    _refuse_endless(jacobian)
    try:
        if isinstance(jacobian, np.ndarray):
            return np.asarray(np.linalg.solve(jacobian, residual))
        return np.asarray(splu(jacobian).solve(residual))
    except (RuntimeError, np.linalg.LinAlgError) as error:
        raise ArithmeticError(f"the Jacobian of this state is singular ({error})") from error


def _inverse(jacobian: sp.csc_matrix | Floats) -> Solve:
    """Return the product with the inverse; dense up to some size, because a product is then the fastest there is."""
    _refuse_endless(jacobian)
    if isinstance(jacobian, np.ndarray):
        factors, pivots, singular = dgetrf(jacobian, overwrite_a=True)
        inverse, also = dgetri(factors, pivots, lwork=64 * len(factors), overwrite_lu=True)
        if singular or also:
            raise ArithmeticError("the Jacobian of this state is singular")
        return _product(np.ascontiguousarray(inverse, dtype=np.float32))
    try:
        solve: Solve = splu(jacobian).solve
    except RuntimeError as error:
        raise ArithmeticError(f"the Jacobian of this state is singular ({error})") from error
    return solve


def _product(inverse: NDArray[np.float32]) -> Solve:
    """Return the product with an inverse; a step is as good in half the digits, because the residual has them all."""
    return lambda residual: np.asarray(inverse @ residual.astype(np.float32), dtype=np.float64)


def _refuse_endless(jacobian: sp.csc_matrix | Floats) -> None:
    if not np.isfinite(jacobian.sum()):
        raise ArithmeticError("the Jacobian of this state is not finite")


def _real(matrix: sp.csr_matrix) -> sp.csr_matrix:
    real, imag = matrix.real, matrix.imag
    return sp.csr_matrix(sp.vstack([sp.hstack([real, -imag]), sp.hstack([imag, real])]))


def _stacked(values: Complexes) -> Floats:
    return np.concatenate([values.real, values.imag])
