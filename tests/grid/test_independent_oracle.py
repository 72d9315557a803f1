"""An independent power flow, power-grid-model, says the same as the batch solver, its own traps handled.

Its traps: SI units and parameters per branch instead of per length; a source has an impedance of its own, so it is made
stiff; a transformer's magnetising branch is halved to both sides, so it is left out; the clock of a transformer counts
the other way, so there is none; loading of transformers is by apparent power, so lines are compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandapower
import power_grid_model as pgm
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.network.building import build
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.powerflow.solver import BatchSolver

STIFF_VA = 1e17
KINDS = (pgm.LoadGenType.const_power, pgm.LoadGenType.const_current, pgm.LoadGenType.const_impedance)


def table(name: str, **columns: Any) -> Any:
    rows = pgm.initialize_array("input", name, len(next(iter(columns.values()))))
    for column, values in columns.items():
        rows[column] = values
    return rows


def oracle(net: Any, state: OperatingPoint, shares: np.ndarray[Any, Any]) -> tuple[Any, Any, complex]:
    """Return voltages in pu, line loadings in percent, and the power of the source in MVA; ZIP shares per load."""
    ids = iter(range(10_000, 99_999))
    take = lambda count: [next(ids) for _ in range(count)]  # noqa: E731
    line, trafo, grid = net.line, net.trafo, net.ext_grid.iloc[0]
    shut = {(int(s.element), int(s.bus)) for s in net.switch.itertuples() if s.et == "l" and not s.closed}
    on = lambda side: [int((k, b) not in shut) for k, b in zip(line.index, line[side], strict=True)]  # noqa: E731
    omega, whole = 2 * np.pi * 50, line.length_km * line.parallel
    lines = table(
        "line", id=take(len(line)), from_node=line.from_bus, to_node=line.to_bus, from_status=on("from_bus"),
        to_status=on("to_bus"), r1=line.r_ohm_per_km * line.length_km / line.parallel,
        x1=line.x_ohm_per_km * line.length_km / line.parallel, c1=line.c_nf_per_km * 1e-9 * whole,
        tan1=line.g_us_per_km * 1e-6 / (omega * line.c_nf_per_km * 1e-9), i_n=line.max_i_ka * 1e3 * line.parallel,
    )  # fmt: skip
    trafos = table(
        "transformer", id=take(len(trafo)), from_node=trafo.hv_bus, to_node=trafo.lv_bus, from_status=1, to_status=1,
        u1=trafo.vn_hv_kv * 1e3, u2=trafo.vn_lv_kv * 1e3, sn=trafo.sn_mva * 1e6, uk=trafo.vk_percent / 100,
        pk=trafo.vkr_percent / 100 * trafo.sn_mva * 1e6, i0=0.0, p0=0.0, winding_from=1, winding_to=1, clock=0,
        tap_side=0, tap_pos=trafo.tap_pos.astype(int), tap_min=-9, tap_max=9, tap_nom=0,
        tap_size=trafo.tap_step_percent / 100 * trafo.vn_hv_kv * 1e3,
    )  # fmt: skip
    parts = (1 - shares[:, 0] - shares[:, 1], shares[:, 1], shares[:, 0])
    loads = [
        table("sym_load", id=take(len(net.load)), node=net.load.bus, status=1, type=kind,
              p_specified=state.load_p_mw * 1e6 * part, q_specified=state.load_q_mvar * 1e6 * part)
        for kind, part in zip(KINDS, parts, strict=True)
    ]  # fmt: skip
    gens = table("sym_gen", id=take(len(net.sgen)), node=net.sgen.bus, status=1, type=KINDS[0],
                 p_specified=state.sgen_p_mw * 1e6, q_specified=state.sgen_q_mvar * 1e6)  # fmt: skip
    model = pgm.PowerGridModel({
        "node": table("node", id=net.bus.index, u_rated=net.bus.vn_kv * 1e3), "line": lines, "transformer": trafos,
        "sym_load": np.concatenate(loads), "sym_gen": gens,
        "source": table("source", id=take(1), node=[grid.bus], status=1, u_ref=grid.vm_pu, sk=STIFF_VA),
    }, system_frequency=50.0)  # fmt: skip
    result = model.calculate_power_flow(error_tolerance=1e-12, max_iterations=50)
    source = result["source"][0]
    return result["node"]["u_pu"], result["line"]["loading"] * 100, complex(source["p"], source["q"]) / 1e6


@pytest.mark.parametrize("taps", [(0, 0), (2, -3)])
def test_an_independent_power_flow_agrees_with_loads_of_different_shares(taps: tuple[int, ...]) -> None:
    description = {"network": "cigre_mv_der", "storage_scaling": 0, "source_vm_pu": 1.03, "taps": {"position": 0}}
    net = build(GridDescription.model_validate(description)).net
    net.trafo[["i0_percent", "pfe_kw", "shift_degree"]] = 0.0
    net.trafo["tap_pos"] = [float(tap) for tap in taps]
    rng = np.random.default_rng(8)
    shares = np.repeat(rng.dirichlet((1, 1, 1), len(net.load))[:, :2], 2, axis=1)[:, [0, 2, 1, 3]]
    solver = BatchSolver(net, shares * 100)
    powers = {f"{t}_{c}": net[t][c].to_numpy(float) for t in ("load", "sgen", "storage") for c in ("p_mw", "q_mvar")}
    for scale in (0.3, 0.8, 1.2):
        varied = {name: values * scale * rng.uniform(0.5, 1.5, len(values)) for name, values in powers.items()}
        state = OperatingPoint(**varied | {"storage_p_mw": powers["storage_p_mw"] * 0}, taps=())  # type: ignore[arg-type]
        ours = solver.solve(state)
        vm_pu, loading, source_mva = oracle(net, state, shares[:, [0, 1]])
        assert ours.vm_pu[0] == pytest.approx(vm_pu, abs=1e-7)
        assert ours.loading_percent[0, : len(net.line)] == pytest.approx(loading, abs=1e-4)
        assert ours.interface_mva[0, 0] == pytest.approx(source_mva, abs=1e-4)


def test_the_oracle_sees_what_pandapower_s_own_zip_misses() -> None:
    """A constant-impedance load and a generator of the same 1 MW at one bus, at 0.95 pu."""
    net = pandapower.create_empty_network()
    source, bus = pandapower.create_bus(net, 20.0), pandapower.create_bus(net, 20.0)
    pandapower.create_ext_grid(net, source, vm_pu=0.95)
    pandapower.create_line_from_parameters(net, source, bus, 1.0, 1e-4, 1e-4, 0.01, max_i_ka=1.0)
    pandapower.create_load(net, bus, 1.0)
    pandapower.create_sgen(net, bus, 1.0)
    net.trafo["tap_pos"] = net.trafo.tap_pos.astype(float)
    powers = {f"{t}_{c}": net[t][c].to_numpy(float) for t in ("load", "sgen", "storage") for c in ("p_mw", "q_mvar")}
    state = OperatingPoint(**powers, taps=(), point_names=(), out=())
    shares = np.array([[1.0, 0.0, 1.0, 0.0]])
    ours = BatchSolver(net, shares * 100).solve(state).interface_mva[0, 0]
    assert ours.real == pytest.approx(-0.0975, abs=1e-5)
    assert oracle(net, state, shares[:, [0, 1]])[2].real == pytest.approx(ours.real, abs=1e-6)
