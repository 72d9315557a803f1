"""The fast solver against pandapower's own power flow, at every compilation: voltages, loadings, interface power."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Complexes, Floats
from ..engine import run_power_flow
from ..errors import SolverError
from ..network.slack import slack_generators

SELF_CHECK_PU = 1e-7
INTERFACE_MVA = 1e-4
Sources = tuple[tuple[int, ...], ...]


def branch_loadings(net: Any) -> Floats:
    """Return pandapower's loading results in percent: lines, transformers, three-winding; 0 where out of service."""
    tables = (net.res_line, net.res_trafo, net.res_trafo3w)
    parts = [table.loading_percent.to_numpy(dtype=float) if len(table) else np.zeros(0) for table in tables]
    loading: Floats = np.nan_to_num(np.concatenate(parts))
    return loading


def interface_powers_mva(net: Any, buses: Sources) -> Complexes:
    """Return the power (complex, MVA) that pandapower's sources at each set of buses give, + = into the grid."""
    return np.array([_at(net, list(each)) for each in buses], dtype=complex)


def _at(net: Any, buses: list[int]) -> complex:
    grids = net.res_ext_grid[net.ext_grid.bus.isin(buses).to_numpy()]
    total = complex(grids.p_mw.sum(), grids.q_mvar.sum())
    if len(net.gen):
        generators = net.res_gen[slack_generators(net) & net.gen.bus.isin(buses).to_numpy()]
        total += complex(generators.p_mw.sum(), generators.q_mvar.sum())
    return total


def compare(net: Any, vm_pu: Floats, loading_percent: Floats, interface: tuple[Complexes, Sources]) -> None:
    """Raise SolverError where a solution differs from the results that pandapower left in `net`.

    `vm_pu`: NaN at buses without supply · `interface`: power in MVA per source, and the buses of each. Allowed are
    1e-7 pu of voltage and of loading, and of power 100 VA or 1e-7 of the largest. Where they differ, pandapower is
    asked once more for more digits, because its own tolerance is one of power.
    """
    try:
        _compare(net, vm_pu, loading_percent, interface)
    except SolverError:
        if not run_power_flow(net, warm=True, tolerance_mva=1e-12):
            raise
        _compare(net, vm_pu, loading_percent, interface)


def _compare(net: Any, vm_pu: Floats, loading_percent: Floats, interface: tuple[Complexes, Sources]) -> None:
    found = np.abs(vm_pu - net.res_bus.vm_pu.to_numpy(dtype=float))[np.isfinite(vm_pu)].max(initial=0.0)
    _judge("bus voltages", found, SELF_CHECK_PU, "pu")
    theirs = branch_loadings(net)
    scale = 100.0 * np.maximum(1.0, theirs / 100.0)
    _judge("branch loadings", (np.abs(loading_percent - theirs) / scale).max(initial=0.0), SELF_CHECK_PU, "of rating")
    ours, expected = interface[0], interface_powers_mva(net, interface[1])
    allowed = max(INTERFACE_MVA, SELF_CHECK_PU * float(np.abs(expected).max(initial=0.0)))
    _judge("interface powers", np.abs(ours - expected).max(initial=0.0), allowed, "MVA")


def _judge(what: str, error: float, allowed: float, unit: str) -> None:
    if not error <= allowed:
        raise SolverError(f"the fast solver and pandapower differ in {what} by {error:.2e} {unit}, {allowed:g} allowed")
