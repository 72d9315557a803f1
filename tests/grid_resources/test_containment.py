"""Containment reserve of providers: proportional, with dead band, saturation, lag and rate, in units and pools."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gridpact.grid.area.area import Area
from gridpact.grid.area.containment import Droop
from gridpact.grid.area.description import AreaDescription
from gridpact.grid.resources.description import PoolDescription, Response, UnitDescription
from gridpact.grid.resources.pool import Pool
from gridpact.grid.resources.unit import Unit

SECOND = 1_000_000
NOON = 12 * 3600 * SECOND
BARE = {"fcr": {"droop_mw_per_hz": 0, "limit_mw": 0}, "self_regulation_mw_per_hz": 100}
LINEAR = Droop(mw_per_hz=10, up_mw=2, down_mw=2)


def area(disturbance_mw: float = 0.0, **changes: Any) -> Area:
    steps = [{"at": "12:00:00", "mw": disturbance_mw}] if disturbance_mw else []
    return Area(AreaDescription.model_validate({**BARE, "disturbances": steps} | changes), NOON, 0)


def settled(one: Area, from_s: int = 0, to_s: int = 300, deviation_mw: float = 0.0) -> float:
    for k in range(from_s + 4, to_s + 1, 4):
        reading = one.advance(NOON + k * SECOND, deviation_mw)
    return reading.frequency_hz - 50


def storage(**changes: Any) -> Pool:
    given = {"id": "p", "dfrs": 10, "buses": [1, 2], "kinds": {"storage": 1.0}, "up_mw": 1.0, "down_mw": 1.0}
    return Pool(PoolDescription.model_validate({**given, "storage_hours": 0.5, **changes}), 1, NOON)


def test_a_reserve_gives_its_slope_times_the_deviation_in_either_direction() -> None:
    for disturbance_mw in (-11.0, 11.0):
        one = area(disturbance_mw)
        one.set_reserve("unit", LINEAR)
        offset_hz = settled(one)
        assert offset_hz == pytest.approx(disturbance_mw / 110, abs=1e-6)
        assert one.reserves_mw() == {"unit": pytest.approx(-10 * offset_hz, abs=1e-5)}


def test_a_reserve_saturates_at_what_is_awarded() -> None:
    one = area(-60.0)
    one.set_reserve("unit", LINEAR)
    assert settled(one) == pytest.approx(-58 / 100, abs=1e-6)
    assert one.reserves_mw() == {"unit": 2.0}


def test_a_reserve_is_silent_within_its_dead_band_and_full_at_its_full_deviation_all_the_same() -> None:
    one = area(-0.9)
    one.set_reserve("unit", Droop(2 / 0.19, 2, 2, dead_band_hz=0.010))
    assert settled(one) == pytest.approx(-0.009, abs=1e-6)
    assert one.reserves_mw() == {"unit": 0.0}
    assert settled(one, 300, 600, deviation_mw=-21.1) == pytest.approx(-0.2, abs=1e-6)
    assert one.reserves_mw() == {"unit": pytest.approx(2.0, abs=1e-5)}


def test_a_reserve_is_half_there_after_15_seconds_and_full_after_30() -> None:
    """A step of 200 mHz, as the product is defined; what a unit of 30 s gives."""
    one = area()
    one.set_reserve("unit", Droop(10, 2, 2, 0.0, 0.5, 2 / 30, synthetic_hz=-0.2))
    found = {}
    for k in range(1, 41):
        reading = one.advance(NOON + k * SECOND, 0.0)
        found[k] = one.reserves_mw()["unit"]
    assert found[15] == pytest.approx(1.0, abs=0.03)
    assert found[30] == pytest.approx(2.0, abs=0.03)
    assert (found[40], reading.frequency_hz, reading.fcr_mw) == (2.0, 50.0, 0.0)  # a test is not felt by the area


def test_a_reserve_that_is_no_longer_kept_goes_back_at_its_own_rate() -> None:
    one = area(-11.0)
    one.set_reserve("unit", LINEAR._replace(rate_mw_per_s=0.1))
    settled(one)
    before_mw = one.reserves_mw()["unit"]
    one.set_reserve("unit", Droop(0, 0, 0, rate_mw_per_s=0.1))
    one.advance(NOON + 305 * SECOND, 0.0)
    assert one.reserves_mw()["unit"] == pytest.approx(before_mw - 0.5, abs=0.01)
    assert settled(one, 308, 600) == pytest.approx(-0.11, abs=1e-6)


def test_reserves_are_released_as_others_take_over() -> None:
    one = area(-11.0)
    one.set_reserve("unit", LINEAR)
    settled(one)
    assert settled(one, 300, 600, deviation_mw=11.0) == pytest.approx(0.0, abs=1e-6)
    assert one.reserves_mw()["unit"] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("tick_s", [0.1, 1.0, 4.0])
def test_dead_band_saturation_lag_and_rate_act_in_this_order_in_every_sub_step(tick_s: float) -> None:
    """Two reserves and a disturbance of either sign, once more in plain numbers."""
    one = area(disturbances=[{"at": "12:00:02", "mw": -30.0}, {"at": "12:00:45", "mw": 63.0}])
    droops = [Droop(20, 3, 2, 0.010, 2.0, 0.1), Droop(30, 4, 4, 0.0, 0.3)]
    for number, droop in enumerate(droops):
        one.set_reserve(f"{number}", droop)
    shown = [one.advance(NOON + round(k * tick_s * SECOND), 0.0) for k in range(1, round(120 / tick_s) + 1)]
    offsets_hz = list(_by_hand(one.description, droops, lambda s: -30.0 * (s >= 2) + 63.0 * (s >= 45)))
    expected = [50 + offsets_hz[round(k * tick_s / 0.05) - 1] for k in range(1, round(120 / tick_s) + 1)]
    assert [reading.frequency_hz for reading in shown] == pytest.approx(expected, abs=2e-6)
    assert max(expected) - min(expected) > 0.2


def _by_hand(description: AreaDescription, droops: list[Droop], mw: Callable[[float], float]) -> Iterator[float]:
    """Frequency deviations at the ends of 120 s of sub-steps of 50 ms."""
    per_s = description.nominal_hz / (description.inertia_s * description.load_mw)
    self_regulation = description.self_regulation_mw_per_hz
    keep = math.exp(-per_s * self_regulation * 0.05)
    offset_hz, lagged, given = 0.0, [0.0] * len(droops), [0.0] * len(droops)

    def after(power_mw: float) -> float:
        return keep * offset_hz + (1 - keep) / self_regulation * power_mw

    for step in range(2400):
        outer_mw, before = mw(step * 0.05), list(given)
        mean_hz = (offset_hz + after(outer_mw + sum(given))) / 2
        for k, droop in enumerate(droops):
            beyond = droop.mw_per_hz * max(abs(mean_hz) - droop.dead_band_hz, 0.0)
            wanted = min(beyond, droop.up_mw) if mean_hz < 0 else -min(beyond, droop.down_mw)
            lagged[k] = wanted + (lagged[k] - wanted) * math.exp(-0.05 / droop.lag_s)
            most = droop.rate_mw_per_s * 0.05
            given[k] += min(max(lagged[k] - given[k], -most), most)
        offset_hz = after(outer_mw + (sum(before) + sum(given)) / 2)
        yield offset_hz


def test_what_frequency_control_adds_is_part_of_a_units_power_beside_what_is_ordered() -> None:
    unit = Unit(UnitDescription(id="u", up_mw=3.0, down_mw=3.0), Response(preparation_s=0, ramping_s=0), NOON)
    unit.set_target(1.0, NOON)
    unit.contain(-0.25)
    assert (unit.power_mw(), unit.points()[0].p_mw, unit.state().p_mw) == (0.75, 0.75, 0.75)
    unit.contain(0.0)
    assert unit.power_mw() == 1.0


def test_a_unit_answers_the_frequency_as_fast_as_it_reacts_and_ramps() -> None:
    response = Response(reaction_s=1.0, preparation_s=1.0, ramping_s=30.0)
    assert Unit(UnitDescription(id="u", up_mw=3.0, down_mw=1.0), response, NOON).agility == (2.0, 0.1)


def test_frequency_control_drains_the_storages_of_a_pool_until_they_are_empty() -> None:
    pool = storage()
    pool.contain(0.5)
    pool.advance(NOON + 360 * SECOND)
    assert pool.energy_mwh.sum() == pytest.approx(0.25 - 0.05, abs=1e-6)
    assert sum(point.p_mw for point in pool.points()) == pytest.approx(0.5, abs=1e-5)
    pool.advance(NOON + 3600 * SECOND)
    pool.contain(0.5)
    assert (pool.power_mw(), pool.available_mw("up")) == (0.0, 0.0)
    pool.contain(-0.5)
    assert pool.power_mw() == pytest.approx(-0.5, abs=1e-6)


def test_a_pool_answers_with_its_mean_delay_and_its_slowest_ramp() -> None:
    pool = storage(delay_s=[1.0, 1.0], ramp_s=[10.0, 10.0])
    assert pool.agility == pytest.approx((1.0, 0.1))
