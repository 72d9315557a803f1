"""AC power flow of many states at once, on pandapower's own admittance matrix.

With w the voltages without load and Z the inverse of the admittance matrix between load buses,

    V ← w + Z·conj(S(|V|) / V),    S(|V|) = S_P + S_I·|V| + S_Z·|V|²

is iterated for all states together; loads are ZIP, each with its own shares (pandapower's own ZIP is wrong where a
generator shares the bus). Many states near one, and networks whose generators hold a voltage, are solved by Newton's
method (`newton.py`). What does not converge to finite voltages, or has power
at a bus without supply, is reported as not converged, and means infeasible.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers, size_of
from ..engine import single_threaded
from ..errors import SolverError
from ..network.building import ZIP_COLUMNS
from .admittance import Admittance, compile_admittance
from .chord import UP_TO_BUSES, Chord, Wiring, chord_at, wiring_of
from .fixed_point import TOLERANCE_PU
from .injections import Injections
from .matrices import matrices_of
from .newton import DENSE_UP_TO_BUSES, Powers, Tangent, newton
from .operating_point import OperatingPoint, state_of
from .self_check import compare
from .sensitivity import Sensitivity, factors_of
from .solution import Solution, Solved

DIRECT_UP_TO_STATES = 4


class BatchSolver:
    """The power flow for one topology and one set of tap positions."""

    def __init__(self, net: Any, zip_percent: Floats, *, alike: BatchSolver | None = None) -> None:
        """Compile a network with constant-power loads; `zip_percent` (loads × 4) in the order of ZIP_COLUMNS.

        `alike`: a solver of the same network in the same position with other connection points, which has been
        compared already. Raises SolverError if it cannot represent the network, or pandapower disagrees by more than
        1e-7 pu.
        """
        self._last: tuple[OperatingPoint, Powers, Complexes, Booleans] | None = None
        self._last_tangent: tuple[OperatingPoint, Tangent | None] | None = None
        self._own: Tangent | None = None
        self._wiring: Wiring | None = None
        with single_threaded():
            self._admittance: Admittance = compile_admittance(net) if alike is None else alike._admittance
            self._injections = Injections(net, self._admittance, np.zeros((len(net.load), len(ZIP_COLUMNS))))
            self._prepare_matrices()
        self._bus = np.array([self._admittance.at_bus[int(bus)] for bus in net.bus.index], dtype=np.int64)
        self.supplied: Booleans = np.asarray(self._bus >= 0, dtype=np.bool_)
        self._all_supplied = bool(self.supplied.all())
        if alike is None:
            self._check_against(net)
        else:
            self._start: Complexes = alike._start
        self._injections.set_shares(zip_percent / 100.0)
        self._settle(state_of(net))

    @property
    def reference(self) -> Booleans:
        """Return which of the network's buses are held by an external grid."""
        return np.isin(self._bus, self._admittance.reference)

    @property
    def interface_buses(self) -> tuple[Integers, ...]:
        """Return, per interface, the positions in the bus table of its bus and those that switches fuse with it."""
        return tuple(np.flatnonzero(self._bus == ref).astype(np.int64) for ref in self._admittance.reference)

    def live(self, table: str) -> Booleans:
        """Return which elements of a table (load, sgen, storage) have supply."""
        return self._injections.live[table]

    def supplied_part(self, state: OperatingPoint) -> OperatingPoint:
        """Return a state without the power of what has no supply."""
        return self._injections.supplied_part(state)

    def solve(
        self,
        state: OperatingPoint,
        change_mva: Complexes | None = None,
        *,
        at: Integers | None = None,
        tolerance_pu: float = TOLERANCE_PU,
        near: Complexes | None = None,
        tangent: Tangent | None = None,
    ) -> Solution:
        """Solve a state, or one state per row of `change_mva` (n × connection points, added injection in MVA).

        `at`: the connection points of the columns, without it all · `near`: a row of `Solution.voltage` of a state that
        is near those of the batch, `tangent`: of such a state; both only save time.
        """
        with np.errstate(all="ignore"):
            stranded = self._injections.is_stranded(state)
            start = self._start
            if change_mva is not None and len(change_mva) <= DIRECT_UP_TO_STATES:
                given = self._given(state)
            else:
                given, base, converged = self._base(state)
                if change_mva is None:
                    return self._results(base, converged & (not stranded), given)
                start = base[self._admittance.others, 0] if converged[0] else start
            power, lost = self._injections.with_changes(given.power[:, 0], change_mva, at, len(state.point_names))
            batch = Powers(power, given.current, given.impedance)
            voltage, converged = self._iterate(batch, self._near(near, start), tolerance_pu, tangent or self._own)
            return self._results(voltage, converged & ~lost & (not stranded), batch)

    def chord(self, state: OperatingPoint) -> Chord | None:
        """Return what makes few states near this one quick to solve, None where it would not pay."""
        fixed, others = self._fixed_point, self._admittance.others
        if fixed is None or len(others) > UP_TO_BUSES or not self._injections.all_live:
            return None
        given, base, converged = self._base(state)
        if self._wiring is None or len(self._wiring.at_sources) != len(state.point_names):
            points, _ = self._injections.of_points(len(state.point_names))
            self._wiring = wiring_of(self._admittance, fixed, points, self._bus, self._injections.load_factor)
        return chord_at(self._wiring, given, base[others, 0]) if converged[0] else None

    def _near(self, near: Complexes | None, otherwise: Complexes) -> Complexes:
        return near[self._admittance.others] if near is not None and np.isfinite(near).all() else otherwise

    def _given(self, state: OperatingPoint) -> Powers:
        power, current, impedance = self._injections.of(state)
        return Powers(power[:, None], current, impedance)

    def _base(self, state: OperatingPoint) -> tuple[Powers, Complexes, Booleans]:
        """Return the injections and the solution of a state itself; many questions about one state follow another."""
        if self._last is None or self._last[0] is not state:
            given = self._given(state)
            voltage, converged = self._iterate(given, self._start, TOLERANCE_PU, self._own)
            if not converged[0] and self._fixed_point is not None:
                voltage, converged = self._at_last(given)
            self._last = state, given, voltage, converged
        return self._last[1:]

    def _at_last(self, given: Powers) -> tuple[Complexes, Booleans]:
        """Close to the collapse of the voltage the fixed point is slow; Newton's method is not."""
        voltage, found = newton(self._balance, self._others(given), self._start)
        return self._complete(voltage[:, None]), np.array([found])

    def tangent(self, state: OperatingPoint, voltage: Complexes) -> Tangent | None:
        """Return what makes states near this one (internal buses) quick to solve; None where it would not pay."""
        others = self._admittance.others
        if len(others) > DENSE_UP_TO_BUSES or not np.isfinite(voltage).all():
            return None
        if self._last_tangent is None or self._last_tangent[0] is not state:
            self._last_tangent = state, self._tangent_at(voltage[others], self._others(self._given(state)))
        return self._last_tangent[1]

    def _tangent_at(self, voltage: Complexes, given: Powers) -> Tangent | None:
        try:
            return Tangent(self._balance, voltage, given.power[:, 0], given)
        except ArithmeticError:
            return None

    def sensitivity(
        self, state: OperatingPoint, voltage: Complexes, directions: tuple[Integers, Complexes], accuracy: float
    ) -> Sensitivity:
        """Return the derivatives of a solved state with respect to injections at connection points.

        `voltage` (internal buses): a row of the solution of this state, finite · `directions`: a connection point of
        each and the complex MVA injected there, for instance 1 − 0.3j · `accuracy`: relative.
        """
        points, direction = directions
        adm, others = self._admittance, self._admittance.others
        buses, live = self._injections.of_points(len(state.point_names))
        at, change = buses[points], direction * live[points] / adm.base_mva
        change_of_v = np.zeros((len(voltage), len(points)), dtype=complex)
        change_of_v[others] = self._derivative(state, voltage[others], (self._below[at], change), accuracy)
        unit = voltage.conj() / np.abs(voltage)
        vm_pu = (unit[:, None] * change_of_v).real[self._bus]
        own = np.where(at == adm.reference[:, None], change, 0.0)
        flow = voltage[adm.reference, None] * np.conj(self._reference_rows @ change_of_v) - own
        return Sensitivity(
            vm_pu=np.where(self.supplied[:, None], vm_pu, 0.0),
            current=self._branch_rows @ change_of_v,
            base=self._branch_rows @ voltage,
            row_starts=adm.row_starts,
            interface_mva=flow * adm.base_mva,
        )

    def _derivative(
        self, state: OperatingPoint, voltage: Complexes, directions: tuple[Integers, Complexes], accuracy: float
    ) -> Complexes:
        """Return dV below the source for powers (per unit) injected at single buses there; −1: at the source."""
        given = self._others(self._base(state)[0] if self._last and self._last[0] is state else self._given(state))
        (at, change), below = directions, directions[0] >= 0
        change, at = np.where(below, change, 0.0), np.maximum(at, 0)
        if self._fixed_point is None:
            return Tangent(self._balance, voltage, given.power[:, 0], given).derivative(at, change)
        factors = factors_of(given.power[:, 0], given.current, given.impedance, voltage)
        direct = self._fixed_point.of_currents(np.conj(change / voltage[at]), at)
        return self._fixed_point.derivative(factors, direct, accuracy)

    def _prepare_matrices(self) -> None:
        made = self._matrices = matrices_of(self._admittance)
        self._admittance = replace(self._admittance, ybus=made.ybus, rows=made.rows)
        self._balance, self._below = made.balance, made.below
        self._reference_rows, self._branch_rows = made.reference_rows, made.branch_rows
        self._fixed_point, self._own = made.fixed_point, None
        adm = self._admittance
        self._start = adm.v_compiled[adm.others] if made.fixed_point is None else made.fixed_point.no_load

    def _others(self, given: Powers) -> Powers:
        """Return the injections below the source."""
        others = self._admittance.others
        return Powers(given.power[others], given.current[others], given.impedance[others])

    def _iterate(
        self, given: Powers, start: Complexes, tolerance_pu: float, tangent: Tangent | None
    ) -> tuple[Complexes, Booleans]:
        given = self._others(given)
        if tangent is None:
            voltage, converged = self._slowly(given, start, tolerance_pu)
        else:
            voltage, converged = tangent.solve(given, start, tolerance_pu)
            far = np.flatnonzero(~converged)
            if len(far):
                voltage[:, far], converged[far] = self._slowly(given.only(far), start, tolerance_pu)
        return self._complete(voltage), converged

    def _slowly(self, given: Powers, start: Complexes, tolerance_pu: float) -> tuple[Complexes, Booleans]:
        """Solve states that are near no other: by the fixed point, or where voltages are held, one by one."""
        if self._fixed_point is not None:
            return self._fixed_point.solve(given.power, given.current, given.impedance, start, tolerance_pu)
        states = range(given.power.shape[1])
        found = [newton(self._balance, given.only(slice(k, k + 1)), start, tolerance_pu) for k in states]
        voltage = np.array([each for each, _ in found], dtype=complex).reshape(len(found), len(start)).T
        return voltage, np.array([converged for _, converged in found], dtype=np.bool_)

    def _complete(self, voltage: Complexes) -> Complexes:
        full = np.empty((self._admittance.ybus.shape[0], voltage.shape[1]), dtype=complex)
        full[self._admittance.others] = voltage
        full[self._admittance.reference] = self._admittance.v_reference[:, None]
        return full

    def _results(self, voltage: Complexes, converged: Booleans, given: Powers) -> Solution:
        adm = self._admittance
        if not converged.all():
            voltage = np.where(converged, voltage, np.nan)
        magnitude = size_of(voltage)
        sides = size_of(self._branch_rows @ voltage)
        loading = np.maximum.reduceat(sides, adm.row_starts, axis=0) if len(adm.row_starts) else sides
        ref = adm.reference
        flow = voltage[ref] * np.conj(self._reference_rows @ voltage)
        own = given.power[ref] + magnitude[ref] * (
            given.current[ref, None] + magnitude[ref] * given.impedance[ref, None]
        )
        return Solved(
            vm_pu=self._at_buses(magnitude).T,
            loading_percent=loading.T,
            interface_mva=((flow - own) * adm.base_mva).T,
            factor=lambda: self._injections.load_factor(magnitude.T),
            converged=converged & np.isfinite(magnitude).all(axis=0),
            voltage=voltage.T,
        )

    def _at_buses(self, magnitude: Floats) -> Floats:
        vm_pu: Floats = magnitude[self._bus]
        if not self._all_supplied:
            vm_pu[~self.supplied] = np.nan
        return vm_pu

    def _check_against(self, net: Any) -> None:
        """Compare with the power flow that pandapower ran while compiling, at constant power."""
        state = state_of(net)
        if self._injections.is_stranded(state):
            return
        solution = self.solve(state)
        if not solution.converged[0]:
            raise SolverError("the fast solver does not converge where pandapower does")
        sources = tuple(tuple(int(bus) for bus in net.bus.index[at]) for at in self.interface_buses)
        compare(net, solution.vm_pu[0], solution.loading_percent[0], (solution.interface_mva[0], sources))
        assert solution.voltage is not None
        self._start, self._last = solution.voltage[0, self._admittance.others], None

    def _settle(self, state: OperatingPoint) -> None:
        """Where voltages are held, be ready for states near that of the network's file, loads as they really are."""
        if self._fixed_point is None:
            voltage, converged = self._base(state)[1:]
            self._start = voltage[self._admittance.others, 0] if converged[0] else self._start
            self._own, self._last = self._tangent_at(self._start, self._others(self._given(state))), None
