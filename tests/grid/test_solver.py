"""The batch solver against pandapower and against arithmetic by hand; what has no solution is never feasible."""

from __future__ import annotations

import numpy as np
import pandapower
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import run_power_flow
from gridpact.grid.limits.allowing import Activation, check, limit
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.powerflow.solver import BatchSolver
from gridpact.grid.series.profiles import Profiles


@pytest.mark.parametrize("name", ["cigre_mv", "cigre_mv_der", "cigre_lv", "oberrhein", "case33bw"])
def test_agrees_with_pandapower_on_every_built_in_network(name: str) -> None:
    plant = GridPlant("dso", GridDescription.model_validate({"network": name}), (ConnectionPoint("P", 3),))
    plant.set_point_power("P", 0.05, 0.01)
    net = plant.export(plant.snapshot(0))
    assert run_power_flow(net)
    solution = BatchSolver(net, np.zeros((len(net.load), 4))).solve(stiff_state(net))
    assert np.abs(solution.vm_pu[0] - net.res_bus.vm_pu).max() <= 1e-7
    assert plant.solve().vm_pu == pytest.approx(solution.vm_pu[0], abs=1e-6)
    loading = np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent])
    assert np.abs(solution.loading_percent[0] - loading).max() <= 1e-4
    assert solution.interface_mva[0].real == pytest.approx(net.res_ext_grid.p_mw.to_numpy(), abs=1e-6)


def test_two_buses_by_hand_with_a_generator_at_the_bus_of_a_constant_impedance_load() -> None:
    net = two_buses(load_mw=[1.0], sgen_mw=1.0)
    solution = BatchSolver(net, np.array([[100.0, 0.0, 100.0, 0.0]])).solve(stiff_state(net))
    assert solution.interface_mva[0, 0].real == pytest.approx(-0.0975, abs=1e-6)


def test_two_buses_by_hand_with_loads_of_different_shares() -> None:
    net = two_buses(load_mw=[9.0, 1.0], sgen_mw=0.0)
    solution = BatchSolver(net, np.array([[0.0] * 4, [100.0, 0.0, 100.0, 0.0]])).solve(stiff_state(net))
    assert solution.interface_mva[0, 0].real == pytest.approx(9.9025, abs=1e-5)


def test_a_constant_current_load_draws_in_proportion_to_voltage() -> None:
    net = two_buses(load_mw=[2.0], sgen_mw=0.0)
    solution = BatchSolver(net, np.array([[0.0, 100.0, 0.0, 100.0]])).solve(stiff_state(net))
    assert solution.interface_mva[0, 0].real == pytest.approx(1.9, abs=1e-5)
    assert solution.load_factor[0, 0].real == pytest.approx(0.95, abs=1e-6)


def test_a_three_winding_transformer_is_loaded_as_pandapower_says() -> None:
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110, 20, 10)]
    pandapower.create_ext_grid(net, buses[0])
    pandapower.create_transformer3w(net, *buses, std_type="63/25/38 MVA 110/20/10 kV")
    for bus in buses[1:]:
        pandapower.create_load(net, bus, 5.0, 1.0)
    solver = BatchSolver(net, np.zeros((2, 4)))
    assert solver.solve(stiff_state(net)).loading_percent[0] == pytest.approx(net.res_trafo3w.loading_percent, abs=1e-5)


def test_a_batch_gives_each_state_its_own_result(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(0)
    change = np.zeros((3, len(model.points)), dtype=complex)
    change[1, 0], change[2, 1] = 2.5, -1.0 + 0.3j
    batch = model.solver(state.taps).solve(state, change)
    for row in range(3):
        alone = model.solve(state.with_change_mva(change[row]))
        assert batch.vm_pu[row] == pytest.approx(alone.vm_pu[0], abs=1e-9)


@pytest.mark.parametrize("p_mw", [1e4, -1e4, 1e300, float("nan"), float("inf")])
def test_a_state_without_solution_is_infeasible(model: GridModel, profiles: Profiles, p_mw: float) -> None:
    state = profiles.forecast(0).with_changes({"A": p_mw})
    assert not model.solve(state).converged[0]
    worst = check(model, [("x", state)], ())
    assert worst is not None
    assert worst.kind == "no_solution"
    assert limit(model, [("x", state)], [Activation("B", (("B", 1.0),), 1.0)])[0].p_mw == 0.0


def test_power_at_an_island_is_infeasible_not_dropped() -> None:
    net = two_buses(load_mw=[1.0], sgen_mw=0.0)
    island = pandapower.create_bus(net, 20.0)
    pandapower.create_load(net, island, 0.5)
    solution = BatchSolver(net, np.zeros((2, 4))).solve(stiff_state(net))
    assert not solution.converged[0]


def test_a_generator_holds_its_voltage_with_whatever_reactive_power_that_takes() -> None:
    """Behind j·x: Q = V·(V − E·cos δ)/x with sin δ = P·x/(V·E), here 0.2 pu of reactance on 1 MVA."""
    net = two_buses(load_mw=[0.5], sgen_mw=0.0)
    net.line["r_ohm_per_km"], net.line["x_ohm_per_km"] = 0.0, 0.2 * 20.0**2
    pandapower.create_gen(net, 1, p_mw=0.1, vm_pu=0.96)
    solution = BatchSolver(net, np.array([[100.0, 0.0, 100.0, 0.0]])).solve(stiff_state(net))
    imported = 0.5 * 0.96**2 - 0.1
    delta = np.arcsin(imported * 0.2 / (0.96 * 0.95))
    assert solution.vm_pu[0, 1] == pytest.approx(0.96, abs=1e-9)
    assert solution.interface_mva[0, 0].real == pytest.approx(imported, abs=1e-8)
    assert solution.interface_mva[0, 0].imag == pytest.approx(0.95 * (0.95 - 0.96 * np.cos(delta)) / 0.2, abs=1e-8)


def test_equal_structures_share_one_compiled_model(worked_example: GridDescription, model: GridModel) -> None:
    one, other = (load_model(each, model.points) for each in (worked_example, worked_example.forecast_only()))
    assert one is other


def two_buses(load_mw: list[float], sgen_mw: float) -> pandapower.pandapowerNet:
    """A bus behind a line of almost no impedance at 0.95 pu, so that results can be written down."""
    net = pandapower.create_empty_network()
    source, bus = pandapower.create_bus(net, 20.0), pandapower.create_bus(net, 20.0)
    pandapower.create_ext_grid(net, source, vm_pu=0.95)
    pandapower.create_line_from_parameters(net, source, bus, 1.0, 1e-6, 1e-6, 0.0, max_i_ka=1.0)
    for p_mw in load_mw:
        pandapower.create_load(net, bus, p_mw)
    pandapower.create_sgen(net, bus, sgen_mw)
    return net


def stiff_state(net: pandapower.pandapowerNet) -> OperatingPoint:
    powers = {f"{t}_{c}": net[t][c].to_numpy(float) for t in ("load", "sgen", "storage") for c in ("p_mw", "q_mvar")}
    return OperatingPoint(**powers, taps=())
