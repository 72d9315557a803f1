"""What the batch solver cannot represent is solved by pandapower itself, with the reason told; never a wrong answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandapower
import pandapower.control
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import quiet, run_power_flow
from gridpact.grid.limits.allowing import Activation, check, limit
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.powerflow.fallback import PowerFlowSolver
from gridpact.grid.powerflow.solver import BatchSolver
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies

Net = Any
CABLE = "NA2XS2Y 1x185 RM/25 12/20 kV"


def base() -> Net:
    """110 kV source, transformer, two cables, loads at both ends."""
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 20.0, 20.0)]
    pandapower.create_ext_grid(net, buses[0], vm_pu=1.02)
    pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV")
    for start, end in ((1, 2), (2, 3)):
        pandapower.create_line(net, buses[start], buses[end], 4.0, CABLE)
        pandapower.create_load(net, buses[end], 2.0, 0.5)
    return net


def with_ward(net: Net) -> None:
    pandapower.create_ward(net, 3, ps_mw=0.4, qs_mvar=0.1, pz_mw=0.3, qz_mvar=0.1)


def with_second_source(net: Net) -> None:
    pandapower.create_ext_grid(net, pandapower.create_bus(net, 20.0), vm_pu=1.01, va_degree=-150.0)
    pandapower.create_line(net, 4, 3, 3.0, CABLE)


def with_slack_generator(net: Net) -> None:
    far = pandapower.create_bus(net, 110.0)
    pandapower.create_line(net, 0, far, 20.0, "149-AL1/24-ST1A 110.0")
    pandapower.create_gen(net, far, p_mw=0.0, vm_pu=1.02, slack=True)


def with_three_windings(net: Net) -> None:
    low = pandapower.create_bus(net, 10.0)
    pandapower.create_transformer3w(net, 0, 1, low, std_type="63/25/38 MVA 110/20/10 kV")
    pandapower.create_load(net, low, 5.0, 1.0)


def with_xward(net: Net) -> None:
    pandapower.create_xward(net, 3, ps_mw=0.2, qs_mvar=0.1, pz_mw=0.0, qz_mvar=0.0, r_ohm=0.5, x_ohm=5.0, vm_pu=1.0)


def with_dcline(net: Net) -> None:
    pandapower.create_dcline(net, 1, 3, p_mw=1.0, loss_percent=1.0, loss_mw=0.01, vm_from_pu=1.0, vm_to_pu=1.0)


def with_controller(net: Net, tolerance_pu: float = 1e-9) -> None:
    with quiet():
        pandapower.control.ContinuousTapControl(net, element_index=0, vm_set_pu=1.0, tol=tolerance_pu)


REPRESENTED: dict[str, Callable[[Net], object]] = {
    "shunt": lambda net: pandapower.create_shunt(net, 2, q_mvar=-0.5, p_mw=0.05, step=2),
    "ward": with_ward,
    "impedance": lambda net: pandapower.create_impedance(net, 1, 3, 0.02, 0.05, 10.0),
    "motor": lambda net: pandapower.create_motor(net, 3, pn_mech_mw=0.5, cos_phi=0.9, efficiency_percent=95),
    "asymmetric load": lambda net: pandapower.create_asymmetric_load(net, 3, p_a_mw=0.3, p_b_mw=0.1, q_c_mvar=0.1),
    "asymmetric generator": lambda net: pandapower.create_asymmetric_sgen(net, 3, p_a_mw=0.3, p_b_mw=0.1),
    "storage": lambda net: pandapower.create_storage(net, 3, p_mw=0.7, max_e_mwh=1.0),
    "open line switch": lambda net: pandapower.create_switch(net, 2, 0, et="l", closed=True),
    "bus switch with impedance": lambda net: pandapower.create_switch(
        net, 1, pandapower.create_bus(net, 20.0), et="b", z_ohm=0.1
    ),
    "a second source": with_second_source,
    "a slack generator": with_slack_generator,
    "three windings": with_three_windings,
    "parallel lines": lambda net: pandapower.create_line(net, 1, 3, 6.0, CABLE, parallel=2),
}
HOLDING: dict[str, Callable[[Net], object]] = {
    "generator": lambda net: pandapower.create_gen(net, 3, p_mw=1.0, vm_pu=1.01),
    "two generators at a bus": lambda net: [pandapower.create_gen(net, 3, p_mw=p, vm_pu=1.01) for p in (0.3, 0.4)],
    "xward": with_xward,
    "dcline": with_dcline,
}
SLOW: dict[str, tuple[Callable[[Net], object], str]] = {"controller": (with_controller, "1 controllers")}


def modelled(net: Net, folder: Path, *points: ConnectionPoint, **fields: Any) -> tuple[GridDescription, GridModel]:
    with quiet():
        pandapower.to_json(net, str(folder / "net.json"))
    description = GridDescription.model_validate({"file": str(folder / "net.json"), **fields})
    return description, load_model(description, points)


@pytest.mark.parametrize("name", REPRESENTED)
def test_the_batch_solver_represents_what_is_linear(name: str, tmp_path: Path) -> None:
    net = base()
    REPRESENTED[name](net)
    description, model = modelled(net, tmp_path)
    assert model.fallback_reason is None
    assert isinstance(model.solver(model.initial_taps), BatchSolver)
    assert run_power_flow(net)
    solution = model.solve(Profiles(model, description).actual(0))
    assert np.abs(solution.vm_pu[0] - net.res_bus.vm_pu).max() <= 1e-7
    loading = np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent])
    assert np.abs(solution.loading_percent[0, : len(loading)] - loading).max() <= 1e-5


@pytest.mark.parametrize("name", HOLDING)
def test_what_holds_a_voltage_is_solved_in_batches_and_agrees(name: str, tmp_path: Path) -> None:
    net = base()
    HOLDING[name](net)
    description, model = modelled(net, tmp_path, ConnectionPoint("P", 2), ConnectionPoint("Q", 3))
    assert model.fallback_reason is None
    state = Profiles(model, description).actual(0)
    change = np.array([[0.4 + 0.1j, 0.0], [-2.0, 0.0], [1.0, 3.0 + 1.0j], [0.0, 9.0]])
    batch = model.solver(state.taps).solve(state, change)
    assert batch.converged.all()
    for bus in (2, 3):
        pandapower.create_sgen(net, bus, 0.0)
    for row, (first, second) in enumerate(change):
        net.sgen["p_mw"], net.sgen["q_mvar"] = [first.real, second.real], [first.imag, second.imag]
        assert run_power_flow(net)
        assert batch.vm_pu[row] == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-7)
        assert batch.interface_mva[row].real == pytest.approx(net.res_ext_grid.p_mw.to_numpy(), abs=1e-6)
        loading = np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent])
        assert batch.loading_percent[row] == pytest.approx(loading, abs=1e-5)


def test_beside_a_generator_limits_are_exact_and_the_held_bus_stays_where_it_is(tmp_path: Path) -> None:
    net = base()
    HOLDING["generator"](net)
    description, model = modelled(
        net, tmp_path, ConnectionPoint("P", 2), ConnectionPoint("Q", 3), zip_percent={"z": 40, "i": 30, "p": 30}
    )
    state = Profiles(model, description).actual(0)
    asked = [Activation(name, ((name, 1.0),), 20.0) for name in "PQ"]
    allowed = [each.p_mw for each in limit(model, [("now", state)], asked)]
    assert 0 < sum(allowed) < 40
    slow = PowerFlowSolver(model.placed(model.initial_taps, ()), model._zip_percent)
    found = slow.solve(state, np.array([allowed], dtype=complex))
    assert found.vm_pu[0, 3] == pytest.approx(1.01, abs=1e-9)
    worst = (found.loading_percent[0] / 100.0).max()
    assert worst == pytest.approx(1 - 2e-4, abs=1e-5)


@pytest.mark.parametrize("name", SLOW)
def test_what_regulates_voltage_falls_back_with_the_reason_and_agrees(name: str, tmp_path: Path) -> None:
    net = base()
    change, reason = SLOW[name]
    change(net)
    description, model = modelled(net, tmp_path, ConnectionPoint("P", 2))
    assert model.fallback_reason is not None
    assert reason.split()[1] in model.fallback_reason
    assert any("runpp" in note and reason.split()[1] in note for note in model.notes)
    pandapower.create_sgen(net, 2, 0.4, 0.1)
    assert run_power_flow(net, controlled=name == "controller")
    state = Profiles(model, description).actual(0).with_changes({"P": 0.4}, {"P": 0.1})
    for _ in range(2):
        solution = model.solve(state)
        assert solution.vm_pu[0] == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-7)
        assert solution.interface_mva[0].real == pytest.approx(net.res_ext_grid.p_mw.to_numpy(), abs=1e-6)


def test_the_fallback_answers_as_the_batch_solver_does_where_both_can(model: GridModel, profiles: Profiles) -> None:
    slow = PowerFlowSolver(model.placed(model.initial_taps, ()), model._zip_percent)
    fast = model.solver(model.initial_taps)
    change = np.zeros((3, len(model.points)), dtype=complex)
    change[1, 0], change[2, 1] = 2.5, -1.0 + 0.3j
    found, expected = (solver.solve(profiles.actual(0), change) for solver in (slow, fast))
    assert found.converged.all()
    assert found.vm_pu == pytest.approx(expected.vm_pu, abs=1e-7)
    assert found.loading_percent == pytest.approx(expected.loading_percent, abs=1e-5)
    assert found.interface_mva == pytest.approx(expected.interface_mva, abs=1e-5)
    assert found.load_factor == pytest.approx(expected.load_factor, abs=1e-7)
    assert np.array_equal(slow.supplied, fast.supplied)
    assert [each.tolist() for each in slow.interface_buses] == [each.tolist() for each in fast.interface_buses]


@pytest.mark.parametrize("change", [HOLDING["generator"], with_controller])
def test_plant_studies_and_limits_work_on_a_network_that_regulates(
    change: Callable[[Net], object], tmp_path: Path
) -> None:
    net = base()
    change(net)
    points = (ConnectionPoint("P", 3),)
    description, model = modelled(net, tmp_path, *points)
    plant, studies = GridPlant("g", description, points), GridStudies("g", description, points)
    assert plant.solve().converged
    assert studies.assess(plant.readings(0)).interface_p_mw == plant.solve().interface_p_mw
    states = Profiles(model, description).planning_cases()
    asked = [Activation(f"{p_mw}", (("P", 1.0),), p_mw) for p_mw in (1.0, 30.0)]
    worst = [check(model, states, [each]) for each in asked]
    assert worst[0] is None
    assert worst[1] is not None
    assert worst[1].kind == "loading_percent"
    exported = plant.export(plant.snapshot(0))
    assert run_power_flow(exported, controlled=change is with_controller)
    assert exported.res_bus.vm_pu.to_numpy() == pytest.approx(plant.solve().vm_pu, abs=1e-6)


@pytest.mark.parametrize("scope", ["all", "prefix"])
def test_offers_that_all_fit_are_allowed_on_a_network_with_controllers(scope: Any, tmp_path: Path) -> None:
    """Nothing is left to be looked at closely: no state at all is a question too."""
    net = base()
    with_controller(net, 1e-3)  # which it finds sooner: there are many states to solve
    description, model = modelled(net, tmp_path, ConnectionPoint("P", 3), ConnectionPoint("Q", 2))
    cases = Profiles(model, description).planning_cases()
    asked = [Activation(name, ((name, 1.0),), 0.2) for name in "PQ"]
    assert [each.p_mw for each in limit(model, cases, asked, scope)] == [0.2, 0.2]


@pytest.mark.parametrize("change", [HOLDING["generator"], with_controller])
def test_without_solution_what_regulates_is_infeasible_too(change: Callable[[Net], object], tmp_path: Path) -> None:
    net = base()
    change(net)
    description, model = modelled(net, tmp_path, ConnectionPoint("P", 2))
    state = Profiles(model, description).actual(0)
    for p_mw in (1e4, -1e4, float("nan"), float("inf")):
        assert not model.solve(state.with_changes({"P": p_mw})).converged[0]
        assert model.solve(state).converged[0]


def test_a_hard_state_is_not_lost_before_newton_s_method_has_been_tried(tmp_path: Path) -> None:
    """Close to the collapse of the voltage the fixed point is slow; what pandapower can solve must be found."""
    net = base()
    net.line["length_km"] = 12.0
    description, model = modelled(net, tmp_path, ConnectionPoint("P", 3))
    state = Profiles(model, description).actual(0)
    solver, slow = model.solver(state.taps), PowerFlowSolver(model.placed(state.taps, ()), model._zip_percent)
    change = -np.arange(10.0, 60.0, 0.25).astype(complex)[:, None]
    given_up = change[~solver.solve(state, change).converged]
    first, last = (state.with_change_mva(each) for each in (given_up[0], given_up[-1]))
    assert model.solve(first).vm_pu == pytest.approx(slow.solve(first).vm_pu, abs=1e-7)
    assert not model.solve(last).converged[0]


@pytest.mark.parametrize("cut", [True, False])
def test_a_de_energised_bus_has_no_voltage_and_bears_no_power(tmp_path: Path, cut: bool) -> None:
    net = base()
    island = pandapower.create_bus(net, 20.0)
    pandapower.create_switch(net, 3, island, et="b", closed=not cut)
    description, model = modelled(net, tmp_path)
    solution = model.solve(Profiles(model, description).actual(0))
    assert bool(np.isnan(solution.vm_pu[0, -1])) is cut
    assert f"bus {island}" not in model.ratings.bus_names or not cut
