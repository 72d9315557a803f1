"""The physical world: reserves follow the frequency between ticks, act on their grid, and are counted once."""

from typing import Any

import pytest

from gridpact.agents.actions import RESERVE, RESERVE_TEST, Actuate
from gridpact.agents.runtime.plants.physics import Holding, LocalControl, Physics, PhysicsError
from gridpact.grid.area.area import Area
from gridpact.grid.area.description import AreaDescription
from gridpact.grid.resources.description import PoolDescription, Response, UnitDescription
from gridpact.grid.resources.pool import Pool
from gridpact.grid.resources.unit import Unit

S = 1_000_000
NOON = 12 * 3600 * S
QUICK = Response(reaction_s=1.0, preparation_s=0.0, ramping_s=20.0)
OWN = {"fcr": {"droop_mw_per_hz": 80, "limit_mw": 16}}


def unit(name: str, mw: float = 2.0) -> Unit:
    return Unit(UnitDescription(id=name, up_mw=mw, down_mw=mw), QUICK, NOON)


def world(*resources: Any, trip_mw: float = -8.5, at: str = "12:00:10", dead_band_hz: float = 0.0) -> Physics:
    steps = [{"at": at, "mw": trip_mw}]
    area = Area(AreaDescription.model_validate({**OWN, "disturbances": steps}), NOON, 0)
    control = LocalControl(0.2, dead_band_hz)
    return Physics(area, {}, {}, {each.id: Holding("bsp", each, None, control) for each in resources}, NOON)


def arm(physics: Physics, name: str, mw: float, kind: str = RESERVE) -> None:
    physics.actuate("bsp", Actuate(kind + name, mw), physics.now_us)


def until(physics: Physics, seconds: float, tick_s: float = 4.0) -> float:
    """The lowest frequency on the way."""
    while physics.now_us < NOON + round(seconds * S):
        physics.advance(physics.now_us + round(tick_s * S))
    return physics.area.extremes_hz()[0]


def test_an_armed_reserve_raises_the_frequency_by_its_part_of_the_slope() -> None:
    with_it, without = world(unit("a")), world(unit("a"))
    arm(with_it, "a", 2.0)
    until(with_it, 300)
    until(without, 300)
    assert without.area.reading().frequency_hz - 50 == pytest.approx(-8.5 / 90, abs=1e-5)
    assert with_it.area.reading().frequency_hz - 50 == pytest.approx(-8.5 / 100, abs=1e-5)
    assert with_it.read("bsp", "meter", with_it.now_us).activated_mw == pytest.approx(0.85, abs=1e-4)


def test_a_participant_that_looks_between_two_ticks_sees_its_own_and_moves_nothing_else() -> None:
    physics = world(unit("a"))
    physics.actuate("bsp", Actuate("a", 2.0), NOON)
    looked_us = NOON + 11 * S  # a second of reaction, then half of the ramp
    assert physics.read("bsp", "availability", looked_us).activated_mw == pytest.approx(1.0, abs=1e-6)
    assert (physics.now_us, physics.area.reading().frequency_hz) == (NOON, 50.0)


def test_whoever_is_at_rest_is_left_alone_until_something_is_asked_of_it() -> None:
    physics = world(unit("a"))
    until(physics, 8)
    physics.moved()
    until(physics, 12)
    assert physics.moved() == ()
    physics.actuate("bsp", Actuate("a", 1.0), physics.now_us)
    until(physics, 16)
    assert physics.moved() == ("bsp",)
    until(physics, 60)
    physics.moved()
    until(physics, 64)
    assert physics.moved() == ()
    assert physics.read("bsp", "meter", physics.now_us).activated_mw == 1.0


def test_a_provider_with_an_armed_reserve_sees_it_as_it_is_between_two_ticks() -> None:
    physics = world(unit("a"))
    arm(physics, "a", 2.0)
    until(physics, 8)
    assert physics.read("bsp", "availability", NOON + 18 * S).activated_mw > 0.1


@pytest.mark.parametrize("tick_s", [0.1, 1.0, 2.0])
def test_the_nadir_is_the_same_within_2_mhz_at_every_tick(tick_s: float) -> None:
    found = {}
    for tick in (tick_s, 4.0):
        physics = world(unit("a"), unit("b", 3.0), dead_band_hz=0.01)
        arm(physics, "a", 2.0)
        arm(physics, "b", 3.0)
        found[tick] = until(physics, 60, tick), physics.area.reading().frequency_hz
    assert found[tick_s] == pytest.approx(found[4.0], abs=0.0001)  # 0.1 mHz


def test_a_provider_that_is_not_armed_gives_nothing() -> None:
    physics = world(unit("a"), unit("b"))
    arm(physics, "a", 2.0)
    until(physics, 60)
    assert physics.holdings["b"].resource.power_mw() == 0.0


def test_a_test_with_a_synthetic_frequency_moves_the_unit_and_is_no_imbalance() -> None:
    physics = world(unit("a"), trip_mw=0.0)
    arm(physics, "a", -2.0, RESERVE_TEST)
    until(physics, 60)
    assert physics.holdings["a"].resource.power_mw() == pytest.approx(-2.0, abs=1e-3)
    assert physics.area.reading().frequency_hz == 50.0
    arm(physics, "a", 0.0, RESERVE_TEST)
    until(physics, 120)
    assert physics.holdings["a"].resource.power_mw() == pytest.approx(0.0, abs=1e-3)


def test_a_pool_that_runs_empty_gives_less_reserve_and_the_frequency_feels_it() -> None:
    given = {"id": "p", "buses": [1], "kinds": {"storage": 1.0}, "up_mw": 4.0, "down_mw": 4.0, "storage_hours": 0.02}
    pool = Pool(PoolDescription.model_validate({**given, "delay_s": [1, 1], "ramp_s": [5, 5]}), 1, NOON)
    physics = world(pool)
    arm(physics, "p", 4.0)
    until(physics, 40)
    first_hz = physics.area.reading().frequency_hz
    assert pool.contained_mw == pytest.approx(20 * (50 - first_hz), abs=0.05)
    until(physics, 600)
    assert pool.contained_mw == 0.0
    assert physics.area.reading().frequency_hz - 50 == pytest.approx(-8.5 / 90, abs=1e-4)


def test_nobody_arms_what_is_not_his_or_has_no_local_control() -> None:
    physics = world(unit("a"))
    with pytest.raises(PhysicsError, match="b moves a, which is not its own"):
        physics.actuate("b", Actuate(RESERVE + "a", 1.0), NOON)
    bare = Physics(physics.area, {}, {}, {"u": Holding("bsp", unit("u"), None)}, NOON)
    with pytest.raises(PhysicsError, match="u has no local frequency control"):
        arm(bare, "u", 1.0)


def test_reserve_in_a_grid_acts_on_its_connection_point_and_is_counted_once() -> None:
    """Its MW arrive at the interface too, which are left out there, because the area adds them in its sub-steps."""
    from gridpact.scenarios.operation import plants
    from gridpact.scenarios.reading.loading import load_scenario

    scenario = load_scenario("frequency-trip", {"area.disturbances": "[{at: '12:02:00', mw: -8.5}]"})
    physics = plants.physics(scenario, plants.resources(scenario))
    start_us = scenario.time.at_clock("12:00:00")
    physics.advance(start_us)
    before_mw = physics.grids["north"].solve().interface_p_mw
    physics.actuate("fcr-battery", Actuate(RESERVE + "battery-f", 1.0), start_us)
    for k in range(1, 76):
        physics.advance(start_us + k * 4 * S)
    reading = physics.area.reading()
    battery_mw = physics.holdings["battery-f"].resource.power_mw()
    assert battery_mw == pytest.approx(5 * (50 - reading.frequency_hz), abs=1e-4)
    assert before_mw - physics.grids["north"].solve().interface_p_mw == pytest.approx(battery_mw, abs=0.05)
    assert reading.frequency_hz - 50 == pytest.approx(-8.5 / (80 + 10 + 5), abs=0.0005)
    assert reading.fcr_mw == pytest.approx(85 * (50 - reading.frequency_hz), abs=0.001)


def test_what_collapses_its_grid_is_lost_with_it_and_paid_for_nothing() -> None:
    from gridpact.grid.description.grid import GridDescription
    from gridpact.grid.network.points import ConnectionPoint
    from gridpact.grid.plant.plant import GridPlant

    glutton = UnitDescription(id="a", bus=9, down_mw=900.0, up_mw=0.0)
    unit = Unit(glutton, QUICK, NOON)
    grid = GridPlant("g", GridDescription.model_validate({"network": "cigre_mv_der"}), (ConnectionPoint("a", 9),), NOON)
    area = Area(AreaDescription.model_validate(OWN), NOON, 0)
    physics = Physics(area, {"g": grid}, {}, {"a": Holding("bsp", unit, "g")}, NOON, report=lambda grid, what: None)
    physics.actuate("bsp", Actuate("a", -900.0), NOON)
    dark_s = []
    for k in range(1, 31):
        physics.advance(NOON + 4 * k * S)
        if grid.lost_points:
            dark_s.append(4 * k)
            assert physics.read("bsp", "meter", physics.now_us).activated_mw == 0.0
    assert dark_s
    assert dark_s[-1] < 100
    assert grid.solve().converged
    assert physics.read("bsp", "meter", physics.now_us).activated_mw == 0.0
