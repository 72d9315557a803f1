"""The one adapter to what pandapower knows but does not publish: its admittance matrices after a power flow.

`net._ppc["internal"]` holds, per unit and without what is out of service, Ybus, Yf, Yt and the numbering of buses that
switches have fused or cut. These are private: whatever changes there is caught here, or by the solver's self-check.
Loading follows pandapower's definition: lines by max_i_ka·df·parallel, transformers by rated current of each side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import Complexes, Floats, Integers
from ..engine import run_power_flow
from ..errors import BlackoutError, SolverError
from ..network.building import TABLES

_P_DEMAND, _Q_DEMAND, _BASE_KV = 2, 3, 9
_GEN_BUS, _GEN_P, _GEN_STATUS = 0, 1, 7


@dataclass(frozen=True, slots=True)
class Admittance:
    """A compiled network: matrices in pandapower's internal numbering, per unit on `base_mva`.

    ybus (n × n) · rows (r × n): |rows·V| is the loading of one side of a branch in percent, `row_starts` the first
    row of each branch element (lines, transformers, three-winding transformers) · at_bus: internal number of each
    network bus, −1 where there is no supply · constant_mva (n): injections of elements that no state changes ·
    held, vm_held_pu: buses below the source whose voltage a generator holds · v_compiled (n): of pandapower's solution.
    """

    base_mva: float
    ybus: sp.csr_matrix
    reference: Integers
    others: Integers
    v_reference: Complexes
    at_bus: dict[int, int]
    rows: sp.csr_matrix
    row_starts: Integers
    constant_mva: Complexes
    held: Integers
    vm_held_pu: Floats
    v_compiled: Complexes


def compile_admittance(net: Any) -> Admittance:
    """Run one AC power flow in place and return the matrices behind it.

    `net` must have constant-power loads. Raises SolverError where no power flow converges, not even without load.
    """
    _converge(net)
    internal = net._ppc["internal"]
    if "pv" not in internal:
        raise BlackoutError
    n_bus = internal["Ybus"].shape[0]
    at_bus = _numbering(net, n_bus)
    rows, starts = _loading_rows(net, internal)
    reference, held = (np.asarray(internal[kind], dtype=np.int64) for kind in ("ref", "pv"))
    voltage = np.asarray(internal["V"])
    return Admittance(
        base_mva=float(internal["baseMVA"]),
        ybus=sp.csr_matrix(internal["Ybus"]),
        reference=reference,
        others=np.setdiff1d(np.arange(n_bus), reference),
        v_reference=voltage[reference],
        at_bus=at_bus,
        rows=rows,
        row_starts=starts,
        constant_mva=_constant_injection(net, internal, at_bus) + _generated(internal, reference),
        held=np.sort(held),
        vm_held_pu=np.abs(voltage[np.sort(held)]),
        v_compiled=voltage,
    )


def _converge(net: Any) -> None:
    """Admittances do not depend on the loads, so a hopeless state is compiled at a lighter one."""
    for scale in (1.0, 0.3, 0.0):
        for table in TABLES:
            net[table]["scaling"] = scale
        if run_power_flow(net):
            return
    raise SolverError("pandapower finds no power flow for this network, not even without load")


def _numbering(net: Any, n_bus: int) -> dict[int, int]:
    lookup = net._pd2ppc_lookups["bus"]
    return {int(bus): int(lookup[bus]) if 0 <= lookup[bus] < n_bus else -1 for bus in net.bus.index}


def _constant_injection(net: Any, internal: Any, at_bus: dict[int, int]) -> Complexes:
    """Return what motors, wards and the like inject: the sum that pandapower made, less loads, sgens and storages."""
    total: Complexes = -(internal["bus"][:, _P_DEMAND] + 1j * internal["bus"][:, _Q_DEMAND]).astype(complex)
    for table, sign in (("load", -1), ("sgen", 1), ("storage", -1)):
        frame = net[table]
        power_mva = sign * (frame.p_mw + 1j * frame.q_mvar) * frame.scaling * frame.in_service
        for bus, value in zip(frame.bus, power_mva, strict=True):
            if at_bus[int(bus)] >= 0:
                total[at_bus[int(bus)]] -= value
    total[np.abs(total) < 1e-9] = 0.0
    return total


def _generated(internal: Any, reference: Integers) -> Complexes:
    """Return the active power of generators that hold a voltage below the source; what else they inject is solved."""
    total = np.zeros(len(internal["bus"]), dtype=complex)
    for generator in internal["gen"]:
        bus = int(generator[_GEN_BUS].real)
        if generator[_GEN_STATUS].real > 0 and bus not in reference:
            total[bus] += generator[_GEN_P].real
    return total


def _loading_rows(net: Any, internal: Any) -> tuple[sp.csr_matrix, Integers]:
    """Stack, per branch element, the rows that turn voltages into loading in percent."""
    position = np.cumsum(internal["branch_is"]) - 1
    position[~internal["branch_is"]] = -1
    sides = {"f": sp.csr_matrix(internal["Yf"]), "t": sp.csr_matrix(internal["Yt"])}
    blocks, starts, count = [], [], 0
    for element in _sides(net):
        starts.append(count)
        for side, branch, percent_per_pu in element:
            row = sides[side][position[branch]] if position[branch] >= 0 else sp.csr_matrix((1, sides["f"].shape[1]))
            blocks.append(row * percent_per_pu * _current_base(internal, side, position[branch]))
            count += 1
    n_bus = internal["Ybus"].shape[0]
    rows = sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix((0, n_bus), dtype=complex)
    return rows, np.array(starts, dtype=np.int64)


def _current_base(internal: Any, side: str, branch: int) -> float:
    """Return kA per unit of current at one end of a branch."""
    if branch < 0:
        return 0.0
    bus = int(internal["branch"][branch, 0 if side == "f" else 1].real)
    return float(internal["baseMVA"] / (internal["bus"][bus, _BASE_KV].real * np.sqrt(3.0)))


def _sides(net: Any) -> Iterator[list[tuple[str, int, float]]]:
    """Yield per branch element (side, position in pandapower's branch table, percent per kA)."""
    lookup = net._pd2ppc_lookups["branch"]
    for offset, i_max_ka in enumerate(_line_ratings_ka(net)):
        branch = lookup["line"][0] + offset
        yield [(side, branch, 100.0 / i_max_ka) for side in "ft"]
    for offset, trafo in enumerate(net.trafo.itertuples()):
        branch, rated_mva = lookup["trafo"][0] + offset, trafo.sn_mva * trafo.parallel * trafo.df
        volts = (("f", trafo.vn_hv_kv), ("t", trafo.vn_lv_kv))
        yield [(side, branch, 100.0 * kv * np.sqrt(3.0) / rated_mva) for side, kv in volts]
    count = len(net.trafo3w)
    for offset, trafo in enumerate(net.trafo3w.itertuples()):
        first = lookup["trafo3w"][0] + offset
        ends = [("f", 0, trafo.vn_hv_kv, trafo.sn_hv_mva), ("t", 1, trafo.vn_mv_kv, trafo.sn_mv_mva)]
        ends.append(("t", 2, trafo.vn_lv_kv, trafo.sn_lv_mva))
        yield [(side, first + k * count, 100.0 * kv * np.sqrt(3.0) / mva) for side, k, kv, mva in ends]


def _line_ratings_ka(net: Any) -> Floats:
    line = net.line
    ratings: Floats = (line.max_i_ka * line.df * line.parallel).to_numpy(dtype=float)
    return ratings
