"""States near one, solved along its chord: the same as by themselves, wherever the path has been before."""

from __future__ import annotations

import numpy as np
import pytest

from gridpact.grid.arrays import Complexes
from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import run_power_flow
from gridpact.grid.model import GridModel
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.powerflow.chord import Neighbours
from gridpact.grid.powerflow.passes import healthy, passed
from gridpact.grid.powerflow.solution import Solution
from gridpact.grid.powerflow.vicinity import Vicinity, stacked
from gridpact.grid.series.profiles import Profiles

SECOND = 1_000_000


def vicinity(model: GridModel, profiles: Profiles) -> Vicinity:
    """One that has been asked twice, so that it has a chord."""
    state = profiles.forecast(0)
    near = Vicinity(model.solver(state.taps), state)
    for _ in range(2):
        near.solve(np.zeros((1, len(model.points)), dtype=complex))
    return near


def steps(model: GridModel, count: int, states: int) -> list[Complexes]:
    """A path of changes that grow to some MW, with jumps."""
    drawn = np.random.default_rng(1)
    shape = states, len(model.points)
    return [(drawn.normal(size=shape) + 0.3j * drawn.normal(size=shape)) * k / count for k in range(count)]


def assert_same(found: Solution, expected: Solution) -> None:
    assert np.abs(found.vm_pu - expected.vm_pu).max() <= 1e-9
    assert np.abs(found.loading_percent - expected.loading_percent).max() <= 1e-6
    assert np.abs(found.interface_mva - expected.interface_mva).max() <= 1e-7
    assert np.abs(found.load_factor - expected.load_factor).max() <= 1e-8
    assert found.converged.tolist() == expected.converged.tolist()


@pytest.mark.parametrize("states", [1, 2, 4])
def test_a_state_near_another_is_the_same_as_by_itself(model: GridModel, profiles: Profiles, states: int) -> None:
    near = vicinity(model, profiles)
    along = 0
    for change in steps(model, 60, states):
        found = near.solve(change)
        assert_same(found, near.solver.solve(near.state, change))
        along += isinstance(found, Neighbours)
    assert along >= 55


def test_what_is_found_does_not_depend_on_what_was_asked_before(model: GridModel, profiles: Profiles) -> None:
    one, other = vicinity(model, profiles), vicinity(model, profiles)
    path = steps(model, 30, 1)
    there = [one.solve(change).vm_pu for change in path]
    back = [other.solve(change).vm_pu for change in reversed(path)]
    assert all(np.array_equal(a, b) for a, b in zip(there, reversed(back), strict=True))


@pytest.mark.parametrize("p_mw", [1e4, -1e4, 1e300, float("nan"), float("inf")])
def test_a_neighbour_without_solution_is_infeasible(model: GridModel, profiles: Profiles, p_mw: float) -> None:
    near = vicinity(model, profiles)
    change = np.zeros((2, len(model.points)), dtype=complex)
    change[1, 0] = p_mw
    assert near.solve(change).converged.tolist() == [True, False]


def test_solutions_of_a_path_are_one_solution(model: GridModel, profiles: Profiles) -> None:
    near = vicinity(model, profiles)
    changes = steps(model, 40, 1)
    parts = [near.solve(change) for change in changes]
    assert_same(stacked(parts), near.solver.solve(near.state, np.concatenate(changes)))
    mixed = [near.solver.solve(near.state, changes[0]), *parts[1:]]
    assert_same(stacked(mixed), stacked(parts))


def test_a_plant_that_moves_agrees_with_pandapower_at_every_tick() -> None:
    points = (ConnectionPoint("A", 9), ConnectionPoint("B", 11))
    plant = GridPlant("g", GridDescription.model_validate({"network": "cigre_mv_der", "load_scaling": 0.8}), points)
    for tick in range(1, 7):
        plant.set_point_power("A", 0.5 * tick, 0.1 * tick)
        plant.set_point_power("B", -0.3 * tick)
        net = plant.export(plant.snapshot(tick * SECOND))
        assert run_power_flow(net)
        assert plant.solve().vm_pu == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=2e-6)
        assert plant.solve().interface_p_mw == pytest.approx(net.res_ext_grid.p_mw.sum(), abs=2e-5)


def test_moments_are_tabulated_as_each_is_shown() -> None:
    plant = GridPlant("g", GridDescription.model_validate({"network": "cigre_mv_der"}), (ConnectionPoint("A", 9),))
    moments, rows, shown = [], [], []
    for tick in (1, 2, 2, 3, 4):
        plant.set_point_power("A", 0.4 * tick)
        moments.append(plant.moment())
        rows.append(plant.snapshot_values(tick * SECOND))
        state = plant.solve()
        shown.append([state.interface_p_mw, state.worst_loading_percent, state.vm_min_pu, state.vm_max_pu])
    states, figures, _ = plant.tabulated(moments)
    assert states == pytest.approx(np.array(rows), abs=1.1e-6)
    assert figures[:, [0, 2, 3, 4]] == pytest.approx(np.array(shown), abs=1.1e-6)


def test_a_state_of_low_voltage_is_seen_beside_others_of_high_voltage() -> None:
    high, low = np.ones((1, 3), dtype=complex), np.full((1, 3), 0.6, dtype=complex)
    assert healthy(high)
    assert not healthy(np.vstack((high, low, high)))


@pytest.mark.parametrize(("vm_pu", "found"), [(1.0, True), (0.6, False)])
def test_what_converges_to_a_low_voltage_is_left_to_others(vm_pu: float, found: bool) -> None:
    start, none = np.ones((2, 3), dtype=complex), np.zeros(3, dtype=complex)
    table = np.zeros((13, 6))
    table[-1, ::2] = vm_pu  # a pass that leads to the same voltage from everywhere
    assert passed(start, np.zeros((2, 3), dtype=complex), none, table) == found
    assert start == pytest.approx(np.full((2, 3), vm_pu + 0j))
