"""Networks that the batch solver cannot represent, by pandapower's own power flow: slow, but never wrong.

    needs_power_flow ─▶ reason ─▶ PowerFlowSolver: per state, set powers ─▶ runpp ─▶ voltages ─▶ ZIP loads ─▶ runpp …

Same questions and answers as `BatchSolver`, one state after the other. Voltage-dependent loads are iterated here, each
with its own shares, because pandapower's own treatment is wrong where a generator shares the bus. A state counts as
converged only when powers and voltages agree; every state starts flat, so no result depends on another.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from ..engine import has_controllers, run_power_flow
from ..errors import SolverError
from ..network.building import TABLES
from ..network.slack import slack_generators
from .operating_point import OperatingPoint
from .self_check import branch_loadings, interface_powers_mva
from .solution import Solution, Solved

TOLERANCE = 1e-9
MAX_ITERATIONS = 40
# Tables whose elements bring equations that an admittance matrix, sources and held voltages do not have.
_REGULATING = {
    "svc": "static VAR compensators",
    "tcsc": "series compensators", "ssc": "static synchronous compensators", "vsc": "voltage source converters",
    "b2b_vsc": "back-to-back converters", "line_dc": "lines of a DC grid",
}  # fmt: skip


def needs_power_flow(net: Any) -> str | None:
    """Return why a network needs pandapower's own power flow, or None if the batch solver may try."""
    reasons = []
    if has_controllers(net):
        reasons.append(f"{int(net.controller.in_service.sum())} controllers")
    for table, name in _REGULATING.items():
        found = int(net[table].in_service.sum()) if table in net and len(net[table]) else 0
        reasons += [f"{found} {name}"] if found else []
    return " and ".join(reasons) or None


@dataclass(frozen=True, slots=True)
class _Flow:
    """One converged power flow: voltages per bus, loadings, interface powers, draw per nominal of each load."""

    vm_pu: Floats
    loading_percent: Floats
    interface_mva: Complexes
    load_factor: Complexes


class PowerFlowSolver:
    """One `runpp` and more per state, for one topology and one set of tap positions."""

    def __init__(self, net: Any, zip_percent: Floats) -> None:
        """`net` has constant-power loads; `zip_percent` (loads × 4) as for BatchSolver.

        Raises SolverError if no power flow converges, not even without load.
        """
        self._net, self._controlled = deepcopy(net), has_controllers(net)
        self._shares = zip_percent / 100.0
        self._converge(self._net)
        self.supplied: Booleans = np.isfinite(self._net.res_bus.vm_pu.to_numpy(dtype=float))
        self.interface_buses = self._sources()
        held = [position for each in self.interface_buses for position in each]
        self.reference: Booleans = np.isin(np.arange(len(net.bus)), held)
        self._sources_of = tuple(tuple(int(bus) for bus in net.bus.index[at]) for at in self.interface_buses)
        self._bus = {table: net.bus.index.get_indexer(net[table].bus) for table in TABLES}
        self._live = {table: self.supplied[at] for table, at in self._bus.items()}

    def _converge(self, net: Any) -> None:
        for scale in (1.0, 0.3, 0.0):
            for table in TABLES:
                net[table]["scaling"] = scale
            if run_power_flow(net, controlled=self._controlled):
                for table in TABLES:
                    net[table]["scaling"] = 1.0
                return
        raise SolverError("pandapower finds no power flow for this network, not even without load")

    def _sources(self) -> tuple[Integers, ...]:
        """Return, per source, the positions of its bus and of those that switches fuse with it."""
        net = self._net
        inside = np.asarray(net._pd2ppc_lookups["bus"])[net.bus.index.to_numpy()]
        buses = [*net.ext_grid.bus[net.ext_grid.in_service], *net.gen.bus[slack_generators(net)]]
        numbers = sorted({int(net._pd2ppc_lookups["bus"][bus]) for bus in buses})
        at = [np.flatnonzero((inside == number) & self.supplied) for number in numbers]
        return tuple(each.astype(np.int64) for each in at if len(each))

    def live(self, table: str) -> Booleans:
        """Return which elements of a table (load, sgen, storage) have supply."""
        live: Booleans = self._live[table]
        return live

    def supplied_part(self, state: OperatingPoint) -> OperatingPoint:
        """Return a state without the power of what has no supply."""
        return state.where(self._live)

    def solve(
        self,
        state: OperatingPoint,
        change_mva: Complexes | None = None,
        *,
        at: Integers | None = None,
        tolerance_pu: float = TOLERANCE,
    ) -> Solution:
        """Solve a state, or one state per row of `change_mva` (n × connection points, added injection in MVA).

        `at`: the connection points of the columns, without it all · `tolerance_pu`: how far the loads' voltage
        dependence may still be from its fixed point.
        """
        batch = np.zeros((1, 0), dtype=complex) if change_mva is None else change_mva
        flows = [
            self._flow(state.with_change_mva(row, None if change_mva is None else at), tolerance_pu) for row in batch
        ]
        return Solved(
            vm_pu=self._stacked([flow and flow.vm_pu for flow in flows], len(self.supplied)),
            loading_percent=self._stacked([flow and flow.loading_percent for flow in flows], self._branches()),
            interface_mva=self._stacked([flow and flow.interface_mva for flow in flows], len(self.interface_buses)),
            factor=lambda: self._stacked([flow and flow.load_factor for flow in flows], len(self._shares)),
            converged=np.array([flow is not None for flow in flows], dtype=np.bool_),
        )

    def _branches(self) -> int:
        return len(self._net.line) + len(self._net.trafo) + len(self._net.trafo3w)

    @staticmethod
    def _stacked(rows: list[Any], width: int) -> Any:
        full = [np.full(width, np.nan) if row is None else row for row in rows]
        return np.array(full).reshape(len(rows), width)  # no state at all is a table without rows

    def _flow(self, state: OperatingPoint, tolerance_pu: float) -> _Flow | None:
        """Iterate the loads' voltage dependence around the power flow; None where there is no solution."""
        powers = {table: _powers(state, table) for table in TABLES}
        if any(not np.isfinite(each).all() or each[~self._live[table]].any() for table, each in powers.items()):
            return None
        net = deepcopy(self._net) if self._controlled else self._net
        factor: Complexes = np.full(len(self._shares), 1 + 1j)
        for attempt in range(MAX_ITERATIONS):
            _set(net, powers, factor)
            if not run_power_flow(net, warm=attempt > 0 and not self._controlled, controlled=self._controlled):
                return None
            updated = self._factor(net)
            if np.abs(updated - factor).max(initial=0.0) <= tolerance_pu:
                return self._result(net, updated)
            factor = updated
        return None

    def _factor(self, net: Any) -> Complexes:
        v = np.nan_to_num(net.res_bus.vm_pu.to_numpy(dtype=float)[self._bus["load"]])
        z_p, i_p, z_q, i_q = self._shares.T
        active, reactive = (1 + i * (v - 1) + z * (v * v - 1) for z, i in ((z_p, i_p), (z_q, i_q)))
        return np.where(self._live["load"], active + 1j * reactive, 0.0)

    def _result(self, net: Any, factor: Complexes) -> _Flow | None:
        vm_pu = np.where(self.supplied, net.res_bus.vm_pu.to_numpy(dtype=float), np.nan)
        interface = interface_powers_mva(net, self._sources_of)
        finite = np.isfinite(vm_pu[self.supplied]).all() and np.isfinite(interface).all()
        return _Flow(vm_pu, branch_loadings(net), interface, factor) if finite else None


def _powers(state: OperatingPoint, table: str) -> Complexes:
    powers: Complexes = getattr(state, f"{table}_p_mw") + 1j * getattr(state, f"{table}_q_mvar")
    return powers


def _set(net: Any, powers: dict[str, Complexes], factor: Complexes) -> None:
    drawn = powers | {"load": powers["load"].real * factor.real + 1j * powers["load"].imag * factor.imag}
    for table, values in drawn.items():
        net[table]["p_mw"], net[table]["q_mvar"] = values.real, values.imag
