"""The frequency behaves as load-frequency control textbooks and the Continental European figures say."""

from typing import Any

import pytest
from pydantic import ValidationError

from gridpact.grid.area.area import Area, AreaError, AreaReading
from gridpact.grid.area.description import AreaDescription

SECOND = 1_000_000
NOON = 12 * 3600 * SECOND


def area(disturbance_mw: float = 0.0, **changes: Any) -> Area:
    steps = [{"at": "12:00:00", "mw": disturbance_mw}] if disturbance_mw else []
    return Area(AreaDescription.model_validate({"disturbances": steps} | changes), NOON, 0)


def continental_europe(trip_mw: float) -> Area:
    fcr = {"droop_mw_per_hz": 15_000, "limit_mw": 3000, "lag_s": 2, "full_activation_s": 30}
    return area(trip_mw, load_mw=150_000, inertia_s=10, self_regulation_mw_per_hz=1500, fcr=fcr)


def follow(one: Area, for_s: int, *, tick_s: float = 0.1, deviation_mw: float = 0.0) -> list[AreaReading]:
    ticks = round(for_s / tick_s)
    return [one.advance(NOON + round(k * tick_s * SECOND), deviation_mw) for k in range(1, ticks + 1)]


def test_a_trip_of_3000_mw_in_continental_europe() -> None:
    seen = follow(continental_europe(-3000), 300)
    lowest = min(seen, key=lambda reading: reading.frequency_hz)
    assert lowest.frequency_hz - 50 == pytest.approx(-0.781, abs=0.0005)
    assert (lowest.at_us - NOON) / SECOND == pytest.approx(18.4, abs=0.1)
    assert seen[-1].frequency_hz - 50 == pytest.approx(-0.1818, abs=0.00005)


def test_the_initial_slope_is_set_by_inertia_alone() -> None:
    first = follow(continental_europe(-3000), 1, tick_s=0.05)[0]
    assert (50 - first.frequency_hz) / 0.05 == pytest.approx(0.100, rel=0.005)


def test_the_small_area_of_the_built_in_scenarios() -> None:
    seen = follow(area(-7.5), 300)
    lowest = min(seen, key=lambda reading: reading.frequency_hz)
    assert lowest.frequency_hz - 50 == pytest.approx(-0.160, abs=0.001)
    assert (lowest.at_us - NOON) / SECOND == pytest.approx(9, abs=0.2)
    assert seen[-1].frequency_hz - 50 == pytest.approx(-7.5 / 110, abs=1e-6)


@pytest.mark.parametrize("tick_s", [2.0, 4.0, 2.5, 20.0])
def test_the_result_does_not_depend_on_the_tick(tick_s: float) -> None:
    fine, coarse = area(-7.5), area(-7.5)
    assert follow(fine, 100, tick_s=1.0)[-1] == follow(coarse, 100, tick_s=tick_s)[-1]


@pytest.mark.parametrize("tick_s", [1.0, 2.0, 4.0])
def test_a_ramping_deviation_is_seen_alike_at_every_tick(tick_s: float) -> None:
    def ramped(step_s: float) -> AreaReading:
        one, reading = area(), None
        for k in range(1, round(40 / step_s) + 1):
            reading = one.advance(NOON + round(k * step_s * SECOND), 0.1 * k * step_s)
        assert reading is not None
        return reading

    assert ramped(tick_s).frequency_hz == pytest.approx(ramped(0.5).frequency_hz, abs=2e-6)


def test_ace_is_negative_when_the_area_is_short_and_its_size_is_the_shortage_in_steady_state() -> None:
    last = follow(area(-5.5), 300)[-1]
    assert last.ace_mw == pytest.approx(-5.5, abs=1e-4)
    assert follow(area(-5.5, frequency_bias_mw_per_hz=220), 300)[-1].ace_mw == pytest.approx(-11, abs=1e-3)


def test_fcr_is_proportional_saturates_and_is_released_when_the_balance_is_restored() -> None:
    one = area(-30.0, self_regulation_mw_per_hz=100)
    assert follow(one, 300)[-1].fcr_mw == pytest.approx(100 * 30 / 200, abs=1e-3)
    assert follow(area(-60.0, self_regulation_mw_per_hz=100), 300)[-1].fcr_mw == pytest.approx(20.0)
    released = [one.advance(NOON + (300 + k) * SECOND, 30.0) for k in range(1, 300)][-1]
    assert released.fcr_mw == pytest.approx(0.0, abs=1e-3)
    assert released.frequency_hz == pytest.approx(50.0, abs=1e-5)


def test_fcr_is_silent_within_its_dead_band() -> None:
    fcr = {"dead_band_mhz": 10}
    assert follow(area(-0.05, fcr=fcr), 300)[-1].fcr_mw == 0.0
    beyond = follow(area(-7.5, fcr=fcr), 300)[-1]
    assert beyond.fcr_mw == pytest.approx(100 * (50 - beyond.frequency_hz - 0.010), abs=1e-4)


def test_a_measured_surplus_of_interfaces_counts_like_a_disturbance() -> None:
    reading = area(-7.5).advance(NOON, 7.5)
    assert reading.frequency_hz == 50.0
    assert follow(area(-7.5), 300, deviation_mw=2.0)[-1].ace_mw == pytest.approx(-5.5, abs=1e-4)


def test_disturbances_add_up_at_their_clock_times() -> None:
    steps = [{"at": "12:02:00", "mw": -8.5}, {"at": "12:05", "mw": 3.0}, {"at": "36:00", "mw": 5.5}]
    one = Area(AreaDescription.model_validate({"disturbances": steps}), NOON, 0)
    day = 24 * 3600 * SECOND
    instants = [NOON, NOON + 120 * SECOND - 1, NOON + 120 * SECOND, NOON + 300 * SECOND, NOON + day]
    assert [one.disturbance_mw(at_us) for at_us in instants] == [0.0, 0.0, -8.5, -5.5, 0.0]
    follow(one, 130, tick_s=130)
    assert one.reading().disturbance_mw == -8.5
    assert one.reading().frequency_hz < 49.9


def test_without_self_regulation_the_area_still_answers() -> None:
    last = follow(area(-7.5, self_regulation_mw_per_hz=0), 300)[-1]
    assert last.frequency_hz - 50 == pytest.approx(-0.075, abs=1e-5)


def test_impossible_requests_are_refused() -> None:
    one = area()
    one.advance(NOON + SECOND, 0.0)
    with pytest.raises(AreaError, match="has been reached already"):
        one.advance(NOON, 0.0)
    with pytest.raises(AreaError, match="the deviation is nan MW"):
        one.advance(NOON + 2 * SECOND, float("nan"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"load_mw": 0}, "load_mw is 0, but it must be above 0"),
        ({"inertia_s": -1}, "inertia_s is -1, but it must be above 0"),
        ({"fcr": {"limit_mw": -20}}, "limit_mw is -20, but it is a size: a finite number, 0 or more"),
        ({"fcr": {"droop": 100}}, "droop"),
        ({"disturbances": [{"at": "25 o'clock", "mw": 1}]}, "must read HH:MM or HH:MM:SS"),
    ],
)
def test_an_impossible_area_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        AreaDescription.model_validate(changes)
