"""AC power flow of many states at once, on pandapower's own admittance matrix.

With w the voltages without load and Z the inverse of the admittance matrix between load buses,

    V ← w + Z·conj(S(|V|) / V),    S(|V|) = S_P + S_I·|V| + S_Z·|V|²

is iterated for all states together; loads are ZIP, each with its own shares (pandapower's own ZIP is wrong where a
generator shares the bus). It needs slack and PQ buses only. What does not converge to finite voltages, or has power
at a bus without supply, is reported as not converged, and means infeasible.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from .admittance import compile_admittance
from .arrays import Booleans, Complexes, Floats, Integers, handy, size_of
from .engine import single_threaded
from .errors import SolverError
from .fixed_point import TOLERANCE_PU, FixedPoint
from .network import ZIP_COLUMNS
from .operating_point import OperatingPoint, state_of
from .self_check import compare
from .sensitivity import Sensitivity, factors_of
from .solution import Solution

DENSE_UP_TO_BUSES = 1500
SENSITIVITY_ACCURACY = 1e-3
DIRECT_UP_TO_STATES = 4


class BatchSolver:
    """The fixed point for one topology and one set of tap positions."""

    def __init__(self, net: Any, zip_percent: Floats) -> None:
        """Compile a network with constant-power loads; `zip_percent` (loads × 4) in the order of ZIP_COLUMNS.

        Raises SolverError if it cannot represent the network, or pandapower disagrees by more than 1e-7 pu.
        """
        self._last: tuple[OperatingPoint, tuple[Complexes, Complexes, Complexes], Complexes, Booleans] | None = None
        self._incidence: Any = None
        self._injected: deque[tuple[OperatingPoint, tuple[Complexes, Complexes, Complexes]]] = deque(maxlen=4)
        with single_threaded():
            self._admittance = compile_admittance(net)
            self._prepare_matrices()
        self._bus = np.array([self._admittance.at_bus[int(bus)] for bus in net.bus.index], dtype=np.int64)
        self._all_supplied = bool(self.supplied.all())
        self._place(net)
        self._set_shares(np.zeros((len(net.load), len(ZIP_COLUMNS))))
        self._check_against(net)
        self._set_shares(zip_percent / 100.0)

    @property
    def supplied(self) -> Booleans:
        """Return which of the network's buses are connected to an external grid."""
        return self._bus >= 0

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
        return self._live[table]

    def supplied_part(self, state: OperatingPoint) -> OperatingPoint:
        """Return a state without the power of what has no supply."""
        names = [(table, f"{table}_{kind}") for table in self._live for kind in ("p_mw", "q_mvar")]
        return replace(state, **{name: getattr(state, name) * self._live[table] for table, name in names})

    def solve(
        self,
        state: OperatingPoint,
        change_mva: Complexes | None = None,
        *,
        tolerance_pu: float = TOLERANCE_PU,
        near: Complexes | None = None,
    ) -> Solution:
        """Solve a state, or one state per row of `change_mva` (n × connection points, added injection in MVA).

        `near`: a row of `Solution.voltage` of a state that is near those of the batch; it only saves time.
        """
        with np.errstate(all="ignore"):
            stranded = self._is_stranded(state)
            start = self._start
            if change_mva is not None and len(change_mva) <= DIRECT_UP_TO_STATES:
                injections = self._injections(state)
            else:
                injections, base, converged = self._base(state)
                if change_mva is None:
                    return self._results(base, converged & (not stranded), (injections[0][:, None], *injections[1:]))
                start = base[self._admittance.others, 0] if converged[0] else start
            batch, lost = self._with_changes(injections[0], change_mva)
            voltage, converged = self._iterate(batch, injections[1:], self._near(near, start), tolerance_pu)
            return self._results(voltage, converged & ~lost & (not stranded), (batch, *injections[1:]))

    def _near(self, near: Complexes | None, otherwise: Complexes) -> Complexes:
        return near[self._admittance.others] if near is not None and np.isfinite(near).all() else otherwise

    def _base(self, state: OperatingPoint) -> tuple[tuple[Complexes, Complexes, Complexes], Complexes, Booleans]:
        """Return the injections and the solution of a state itself; many questions about one state follow another."""
        if self._last is None or self._last[0] is not state:
            injections = self._injections(state)
            solved = self._iterate(injections[0][:, None], injections[1:], self._start, TOLERANCE_PU)
            self._last = state, injections, *solved
        return self._last[1:]

    def sensitivity(
        self, state: OperatingPoint, voltage: Complexes, directions: tuple[Integers, Complexes], accuracy: float
    ) -> Sensitivity:
        """Return the derivatives of a solved state with respect to injections at connection points.

        `voltage` (internal buses): a row of the solution of this state, finite · `directions`: a connection point of
        each and the complex MVA injected there, for instance 1 − 0.3j · `accuracy`: relative.
        """
        points, direction = directions
        adm, others = self._admittance, self._admittance.others
        power, current, impedance = self._injections(state)
        first = len(self._at["sgen"]) - len(state.point_names)
        at, live = self._at["sgen"][first:][points], self._live["sgen"][first:][points]
        change = np.zeros((self._n_bus, len(points)), dtype=complex)
        change[at, np.arange(len(points))] = direction * live / adm.base_mva
        factors = factors_of(power[others], current[others], impedance[others], voltage[others])
        direct = self._fixed_point.impedance(np.conj(change[others] / voltage[others, None]))
        change_of_v = np.zeros_like(change)
        change_of_v[others] = self._fixed_point.derivative(factors, direct, accuracy)
        unit = voltage.conj() / np.abs(voltage)
        vm_pu = (unit[:, None] * change_of_v).real[self._bus]
        ref = adm.reference
        flow = voltage[ref, None] * np.conj(self._reference_rows @ change_of_v) - change[ref]
        return Sensitivity(
            vm_pu=np.where(self.supplied[:, None], vm_pu, 0.0),
            current=adm.rows @ change_of_v,
            base=adm.rows @ voltage,
            row_starts=adm.row_starts,
            interface_mva=flow * adm.base_mva,
        )

    def _prepare_matrices(self) -> None:
        adm = self._admittance
        yqq = sp.csc_matrix(adm.ybus[adm.others][:, adm.others])
        self._n_bus = adm.ybus.shape[0]
        no_load = -(adm.ybus[adm.others][:, adm.reference] @ adm.v_reference)
        if len(adm.others) <= DENSE_UP_TO_BUSES:
            dense: Complexes = np.linalg.inv(yqq.toarray())
            self._fixed_point = FixedPoint(dense @ no_load, dense.__matmul__)
        else:
            factors = splu(yqq)
            self._fixed_point = FixedPoint(factors.solve(no_load), factors.solve)
        self._start = self._fixed_point.no_load
        self._reference_rows, self._branch_rows = handy(adm.ybus[adm.reference]), handy(adm.rows)

    def _place(self, net: Any) -> None:
        numbering = self._admittance.at_bus
        buses = {
            name: np.array([numbering[int(bus)] for bus in net[name].bus], dtype=np.int64)
            for name in ("load", "sgen", "storage")
        }
        self._at = {name: np.maximum(at, 0) for name, at in buses.items()}
        self._live = {name: at >= 0 for name, at in buses.items()}
        self._all_live = all(live.all() for live in self._live.values())

    def _set_shares(self, shares: Floats) -> None:
        """Prepare the map from the powers of a state (loads, sgens, storages; P before Q) to injections at buses."""
        self._injected.clear()
        self._z = shares[:, 0], shares[:, 2]
        self._i = shares[:, 1], shares[:, 3]
        signs = {"load": -1.0, "sgen": 1.0, "storage": -1.0}
        at = np.concatenate([self._at[table] for table in signs])
        weights = np.concatenate([sign * self._live[table] for table, sign in signs.items()])
        others = np.zeros(len(at) - len(shares))
        blocks = []
        for kind in range(3):
            for k in range(2):
                own = (1 - self._i[k] - self._z[k], self._i[k], self._z[k])[kind]
                weight = weights * np.concatenate([own, others + (kind == 0)]) / self._admittance.base_mva
                blocks.append(sp.csr_matrix((weight, (at, np.arange(len(at)))), (self._n_bus, len(at))))
        pairs = [sp.block_diag(blocks[first : first + 2]) for first in (0, 2, 4)]
        self._to_buses = handy(sp.csr_matrix(sp.vstack(pairs)))

    def _injections(self, state: OperatingPoint) -> tuple[Complexes, Complexes, Complexes]:
        """Return constant-power, -current and -impedance injection per internal bus, per unit."""
        for known, injections in self._injected:
            if known is state:
                return injections
        self._injected.append((state, self._injected_by(state)))
        return self._injected[-1][1]

    def _injected_by(self, state: OperatingPoint) -> tuple[Complexes, Complexes, Complexes]:
        adm, n = self._admittance, self._n_bus
        active = state.load_p_mw, state.sgen_p_mw, state.storage_p_mw
        reactive = state.load_q_mvar, state.sgen_q_mvar, state.storage_q_mvar
        parts = (self._to_buses @ np.concatenate((*active, *reactive))).reshape(6, n)
        power, current, impedance = (parts[k] + 1j * parts[k + 1] for k in (0, 2, 4))
        return power + adm.constant_mva / adm.base_mva, current, impedance

    def _with_changes(self, power: Complexes, change_mva: Complexes) -> tuple[Complexes, Booleans]:
        """Return constant-power injections (buses × states) and which states change something without supply."""
        count = change_mva.shape[1]
        first = len(self._at["sgen"]) - count
        at, live = self._at["sgen"][first:], self._live["sgen"][first:]
        if self._incidence is None or self._incidence.shape[1] != count:
            entries = (live / self._admittance.base_mva, (at, np.arange(count)))
            self._incidence = handy(sp.csr_matrix(entries, (self._n_bus, count)))
        if self._all_live:
            stranded = np.zeros(len(change_mva), dtype=np.bool_)
            return self._incidence @ change_mva.T + power[:, None], stranded
        stranded = (change_mva[:, ~live] != 0).any(axis=1)
        return self._incidence @ change_mva.T + power[:, None], np.asarray(stranded, dtype=np.bool_)

    def _is_stranded(self, state: OperatingPoint) -> bool:
        """Return whether anything with power stands at a bus without supply, where a power flow would drop it."""
        if self._all_live:
            return False
        powers = {"load": (state.load_p_mw, state.load_q_mvar), "sgen": (state.sgen_p_mw, state.sgen_q_mvar)}
        powers["storage"] = (state.storage_p_mw, state.storage_q_mvar)
        return any(bool(array[~self._live[table]].any()) for table, pair in powers.items() for array in pair)

    def _iterate(
        self, power: Complexes, passive: tuple[Complexes, ...], start: Complexes, tolerance_pu: float
    ) -> tuple[Complexes, Booleans]:
        others = self._admittance.others
        current, impedance = (each[others] for each in passive)
        voltage, converged = self._fixed_point.solve(power[others], current, impedance, start, tolerance_pu)
        return self._complete(voltage), converged

    def _complete(self, voltage: Complexes) -> Complexes:
        full = np.empty((self._n_bus, voltage.shape[1]), dtype=complex)
        full[self._admittance.others] = voltage
        full[self._admittance.reference] = self._admittance.v_reference[:, None]
        return full

    def _results(self, voltage: Complexes, converged: Booleans, injections: tuple[Complexes, ...]) -> Solution:
        adm = self._admittance
        if not converged.all():
            voltage = np.where(converged, voltage, np.nan)
        magnitude = size_of(voltage)
        sides = size_of(self._branch_rows @ voltage)
        loading = np.maximum.reduceat(sides, adm.row_starts, axis=0) if len(adm.row_starts) else sides
        ref = adm.reference
        flow = voltage[ref] * np.conj(self._reference_rows @ voltage)
        power, current, impedance = injections[0][ref], injections[1][ref, None], injections[2][ref, None]
        own = power + magnitude[ref] * (current + magnitude[ref] * impedance)
        return Solution(
            vm_pu=self._at_buses(magnitude).T,
            loading_percent=loading.T,
            interface_mva=((flow - own) * adm.base_mva).T,
            load_factor=self._load_factor(magnitude).T,
            converged=converged & np.isfinite(magnitude.sum(axis=0)),
            voltage=voltage.T,
        )

    def _at_buses(self, magnitude: Floats) -> Floats:
        vm_pu: Floats = magnitude[self._bus]
        if not self._all_supplied:
            vm_pu[~self.supplied] = np.nan
        return vm_pu

    def _load_factor(self, magnitude: Floats) -> Complexes:
        v = magnitude[self._at["load"]]
        active, reactive = (
            1 + i[:, None] * (v - 1) + z[:, None] * (v * v - 1) for z, i in zip(self._z, self._i, strict=True)
        )
        factor = active + 1j * reactive
        return factor if self._all_live else np.where(self._live["load"][:, None], factor, 0.0)

    def _check_against(self, net: Any) -> None:
        """Compare with the power flow that pandapower ran while compiling, at constant power."""
        state = state_of(net)
        if self._is_stranded(state):
            return
        solution = self.solve(state)
        if not solution.converged[0]:
            raise SolverError("the fast solver does not converge where pandapower does")
        sources = tuple(tuple(int(bus) for bus in net.bus.index[at]) for at in self.interface_buses)
        compare(net, solution.vm_pu[0], solution.loading_percent[0], (solution.interface_mva[0], sources))
        assert solution.voltage is not None
        self._start, self._last = solution.voltage[0, self._admittance.others], None


def zip_shares(net: Any) -> Floats:
    """Return the ZIP shares of a network's loads in percent (loads × 4, in the order of ZIP_COLUMNS)."""
    shares: Floats = net.load[list(ZIP_COLUMNS)].to_numpy(dtype=float)
    return shares
