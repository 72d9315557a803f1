"""AC power flow of many states at once, on pandapower's own admittance matrix.

With w the voltages without load and Z the inverse of the admittance matrix between load buses,

    V ← w + Z·conj(S(|V|) / V),    S(|V|) = S_P + S_I·|V| + S_Z·|V|²

is iterated for all states together; loads are ZIP, each with its own shares (pandapower's own ZIP is wrong where a
generator shares the bus). It needs slack and PQ buses only. What does not converge to finite voltages, or has power
at a bus without supply, is reported as not converged, and means infeasible.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from .admittance import compile_admittance
from .arrays import Booleans, Complexes, Floats, Integers
from .engine import single_threaded
from .errors import SolverError
from .network import ZIP_COLUMNS
from .operating_point import OperatingPoint

DENSE_UP_TO_BUSES = 1500
DENSE_ROWS_UP_TO_BUSES = 250
TOLERANCE_PU = 1e-10
MAX_ITERATIONS = 80
SELF_CHECK_PU = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Results of a batch, one row per state; rows that are not converged hold NaN.

    vm_pu (n × buses, NaN without supply) · loading_percent (n × branches: lines, transformers, three-winding) ·
    interface_mva (n × interfaces, + = import from the overlying grid) · load_factor (n × loads): drawn per nominal,
    real part for P, imaginary part for Q.
    """

    vm_pu: Floats
    loading_percent: Floats
    interface_mva: Complexes
    load_factor: Complexes
    converged: Booleans


class BatchSolver:
    """The fixed point for one topology and one set of tap positions."""

    def __init__(self, net: Any, zip_percent: Floats) -> None:
        """Compile a network with constant-power loads; `zip_percent` (loads × 4) in the order of ZIP_COLUMNS.

        Raises SolverError if pandapower disagrees by more than 1e-7 pu.
        """
        with single_threaded():
            self._admittance = compile_admittance(net)
            self._prepare_matrices()
        self._bus = np.array([self._admittance.at_bus[int(bus)] for bus in net.bus.index], dtype=np.int64)
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

    def solve(self, state: OperatingPoint, change_mva: Complexes | None = None) -> Solution:
        """Solve a state, or one state per row of `change_mva` (n × connection points, added injection in MVA)."""
        batch = np.zeros((1, 0), dtype=complex) if change_mva is None else change_mva
        with np.errstate(all="ignore"):
            injections = self._injections(state)
            power, stranded = self._with_changes(injections[0], batch)
            voltage, converged = self._iterate(power, injections[1], injections[2])
            converged &= ~(stranded | self._is_stranded(state))
            return self._results(voltage, converged, (power, injections[1], injections[2]))

    def _prepare_matrices(self) -> None:
        adm = self._admittance
        yqq = sp.csc_matrix(adm.ybus[adm.others][:, adm.others])
        self._n_bus = adm.ybus.shape[0]
        no_load = -(adm.ybus[adm.others][:, adm.reference] @ adm.v_reference)
        if len(adm.others) <= DENSE_UP_TO_BUSES:
            self._impedance: Complexes | None = np.linalg.inv(yqq.toarray())
            self._no_load: Complexes = self._impedance @ no_load
        else:
            self._impedance, self._factors = None, splu(yqq)
            self._no_load = self._factors.solve(no_load)
        self._rows: Any = adm.rows.toarray() if self._n_bus <= DENSE_ROWS_UP_TO_BUSES else adm.rows
        self._reference_rows = adm.ybus[adm.reference]

    def _place(self, net: Any) -> None:
        numbering = self._admittance.at_bus
        buses = {
            name: np.array([numbering[int(bus)] for bus in net[name].bus], dtype=np.int64)
            for name in ("load", "sgen", "storage")
        }
        self._at = {name: np.maximum(at, 0) for name, at in buses.items()}
        self._live = {name: at >= 0 for name, at in buses.items()}

    def _set_shares(self, shares: Floats) -> None:
        self._z = shares[:, 0], shares[:, 2]
        self._i = shares[:, 1], shares[:, 3]

    def _sum_to_buses(self, table: str, p_mw: Floats, q_mvar: Floats) -> Complexes:
        at, live, n = self._at[table], self._live[table], self._n_bus
        active = np.bincount(at, weights=p_mw * live, minlength=n)
        return active + 1j * np.bincount(at, weights=q_mvar * live, minlength=n)

    def _injections(self, state: OperatingPoint) -> tuple[Complexes, Complexes, Complexes]:
        """Return constant-power, -current and -impedance injection per internal bus, per unit."""
        adm, p, q = self._admittance, state.load_p_mw, state.load_q_mvar
        current = self._sum_to_buses("load", p * self._i[0], q * self._i[1])
        impedance = self._sum_to_buses("load", p * self._z[0], q * self._z[1])
        nominal = self._sum_to_buses("load", p, q)
        power = adm.constant_mva + self._sum_to_buses("sgen", state.sgen_p_mw, state.sgen_q_mvar)
        power -= self._sum_to_buses("storage", state.storage_p_mw, state.storage_q_mvar)
        power -= nominal - current - impedance
        return power / adm.base_mva, -current / adm.base_mva, -impedance / adm.base_mva

    def _with_changes(self, power: Complexes, change_mva: Complexes) -> tuple[Complexes, Booleans]:
        """Return constant-power injections (buses × states) and which states change something without supply."""
        batch = np.repeat(power[:, None], len(change_mva), axis=1)
        first = len(self._at["sgen"]) - change_mva.shape[1]
        for k, (bus, live) in enumerate(zip(self._at["sgen"][first:], self._live["sgen"][first:], strict=True)):
            if live:
                batch[bus] += change_mva[:, k] / self._admittance.base_mva
        stranded = (change_mva[:, ~self._live["sgen"][first:]] != 0).any(axis=1)
        return batch, np.asarray(stranded, dtype=np.bool_)

    def _is_stranded(self, state: OperatingPoint) -> bool:
        """Return whether anything with power stands at a bus without supply, where a power flow would drop it."""
        powers = {"load": (state.load_p_mw, state.load_q_mvar), "sgen": (state.sgen_p_mw, state.sgen_q_mvar)}
        powers["storage"] = (state.storage_p_mw, state.storage_q_mvar)
        return any(bool(array[~self._live[table]].any()) for table, pair in powers.items() for array in pair)

    def _iterate(self, power: Complexes, current: Complexes, impedance: Complexes) -> tuple[Complexes, Booleans]:
        others = self._admittance.others
        power, current, impedance = power[others], current[others, None], impedance[others, None]
        voltage = np.repeat(self._no_load[:, None], power.shape[1], axis=1)
        step: Floats = np.full(power.shape[1], np.inf)
        for _ in range(MAX_ITERATIONS):
            magnitude = np.abs(voltage)
            drawn = np.conj((power + magnitude * (current + magnitude * impedance)) / voltage)
            product = self._impedance @ drawn if self._impedance is not None else self._factors.solve(drawn)
            updated = self._no_load[:, None] + product
            step = np.asarray(np.abs(updated - voltage).max(axis=0, initial=0.0))
            voltage = updated
            if not (step > TOLERANCE_PU).any():
                break
        return self._complete(voltage), np.asarray(step <= TOLERANCE_PU, dtype=np.bool_)

    def _complete(self, voltage: Complexes) -> Complexes:
        full = np.empty((self._n_bus, voltage.shape[1]), dtype=complex)
        full[self._admittance.others] = voltage
        full[self._admittance.reference] = self._admittance.v_reference[:, None]
        return full

    def _results(self, voltage: Complexes, converged: Booleans, injections: tuple[Complexes, ...]) -> Solution:
        adm = self._admittance
        voltage = np.where(converged, voltage, np.nan)
        magnitude = np.abs(voltage)
        sides = np.abs(self._rows @ voltage)
        loading = np.maximum.reduceat(sides, adm.row_starts, axis=0) if len(adm.row_starts) else sides
        ref = adm.reference
        flow = voltage[ref] * np.conj(self._reference_rows @ voltage)
        power, current, impedance = injections[0][ref], injections[1][ref, None], injections[2][ref, None]
        own = power + magnitude[ref] * (current + magnitude[ref] * impedance)
        return Solution(
            vm_pu=np.where(self.supplied[:, None], magnitude[self._bus], np.nan).T,
            loading_percent=loading.T,
            interface_mva=((flow - own) * adm.base_mva).T,
            load_factor=self._load_factor(magnitude).T,
            converged=converged & np.isfinite(magnitude).all(axis=0),
        )

    def _load_factor(self, magnitude: Floats) -> Complexes:
        v = magnitude[self._at["load"]]
        active, reactive = (
            1 + i[:, None] * (v - 1) + z[:, None] * (v * v - 1) for z, i in zip(self._z, self._i, strict=True)
        )
        return np.where(self._live["load"][:, None], active + 1j * reactive, 0.0)

    def _check_against(self, net: Any) -> None:
        """Compare with the power flow that pandapower ran while compiling, at constant power."""
        state = _scaled_state(net)
        if self._is_stranded(state):
            return
        solution = self.solve(state)
        if not solution.converged[0]:
            raise SolverError("the fast solver does not converge where pandapower does")
        error = np.abs(solution.vm_pu[0] - net.res_bus.vm_pu.to_numpy(dtype=float))[self.supplied].max()
        if not error <= SELF_CHECK_PU:
            raise SolverError(f"the fast solver and pandapower differ by {error:.2e} pu; {SELF_CHECK_PU} is allowed")


def _scaled_state(net: Any) -> OperatingPoint:
    powers = {
        f"{table}_{column}": (net[table][column] * net[table].scaling).to_numpy(dtype=float)
        for table in ("load", "sgen", "storage")
        for column in ("p_mw", "q_mvar")
    }
    return OperatingPoint(**powers, taps=())


def zip_shares(net: Any) -> Floats:
    """Return the ZIP shares of a network's loads in percent (loads × 4, in the order of ZIP_COLUMNS)."""
    shares: Floats = net.load[list(ZIP_COLUMNS)].to_numpy(dtype=float)
    return shares
