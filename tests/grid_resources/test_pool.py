"""A pool shares an activation out, and its resources follow with delays, ramps and the energy they have."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.grid.resources.description import PoolDescription
from gridpact.grid.resources.pool import Pool
from gridpact.grid.resources.resource import ResourceError
from gridpact.grid.resources.split import split

SECOND = 1_000_000
HOUR = 3600 * SECOND


def pool(seed: int = 7, **changes: object) -> Pool:
    described = {"id": "p", "dfrs": 40, "buses": (12, 13, 14), "up_mw": 1.0, "down_mw": 0.8} | changes
    return Pool(PoolDescription.model_validate(described), seed, 0)


def storages(**changes: object) -> Pool:
    return pool(kinds={"storage": 1.0}, storage_hours=2.0, **changes)


LIMITS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=30)


@given(st.floats(-40, 40), LIMITS)
def test_a_split_stays_within_limits_and_sums_to_the_target_where_it_can(
    target: float, rows: list[tuple[float, float, float]]
) -> None:
    weights, up, down = np.array(rows).T
    shares = weights / weights.sum() if weights.sum() > 0 else weights
    parts = split(target, shares, up, down)
    limits = up if target >= 0 else down
    assert (np.abs(parts) <= limits).all()
    assert (parts * np.sign(target) >= 0).all()
    assert parts.sum() == pytest.approx(np.sign(target) * min(abs(target), limits.sum()), abs=1e-9)


def test_a_split_is_in_proportion_until_a_limit_binds_and_then_the_others_take_the_excess() -> None:
    shares, up = np.array([0.5, 0.25, 0.25]), np.array([0.3, 1.0, 1.0])
    assert split(0.4, shares, up, up) == pytest.approx([0.2, 0.1, 0.1])
    assert split(1.0, shares, up, up) == pytest.approx([0.3, 0.35, 0.35])
    assert split(-1.0, shares, up, up) == pytest.approx([-0.3, -0.35, -0.35])


def test_a_resource_without_a_share_helps_only_when_the_others_are_exhausted() -> None:
    shares, up = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert split(0.5, shares, up, up) == pytest.approx([0.5, 0.0])
    assert split(0.7, shares, up, up) == pytest.approx([0.5, 0.2])


def test_the_same_seed_draws_the_same_resources_and_another_seed_or_name_others() -> None:
    def sizes(one: Pool) -> list[float]:
        return one.fleet.up_mw.tolist()

    assert sizes(pool(7)) == sizes(pool(7))
    assert sizes(pool(7)) != sizes(pool(8))
    assert sizes(pool(7)) != sizes(pool(7, id="q"))


def test_the_resources_add_up_to_the_description() -> None:
    fleet = pool(kinds={"storage": 0.6, "load": 0.3, "generator": 0.1}).fleet
    assert fleet.up_mw.sum() == pytest.approx(1.0)
    assert fleet.down_mw.sum() == pytest.approx(0.8)
    assert [fleet.kind.count(kind) for kind in ("generator", "load", "storage")] == [4, 12, 24]


def test_the_activation_scheme_sums_to_one_in_either_direction() -> None:
    one = pool(down_mw=0.0)
    assert one.activation_scheme("up").sum() == pytest.approx(1.0)
    assert one.activation_scheme("down").sum() == pytest.approx(1.0)
    assert sum(share for _, share in one.site_shares()) == pytest.approx(1.0)
    assert [name for name, _ in one.site_shares()] == [site.name for site in one.sites()] == ["p@12", "p@13", "p@14"]


def test_the_order_is_delivered_after_delays_and_ramps_and_seen_per_bus() -> None:
    one = pool()
    one.set_target(0.8, 0)
    one.advance(SECOND)
    assert one.power_mw() == 0.0
    one.advance(round(one.full_activation_s * SECOND))
    assert one.power_mw() == pytest.approx(0.8, abs=1e-5)
    assert list(one.power_by_bus()) == [12, 13, 14]
    assert sum(one.power_by_bus().values()) == pytest.approx(one.power_mw(), abs=3e-6)
    assert [point.p_mw for point in one.points()] == list(one.power_by_bus().values())


def test_no_resource_moves_before_its_delay_or_faster_than_its_ramp() -> None:
    one = pool(ramp_s=(20, 20), delay_s=(10, 10))
    one.set_target(1.0, 0)
    seen = []
    for second in range(0, 40, 2):
        one.advance(second * SECOND)
        seen.append(one.power_mw())
    assert seen[:6] == [0.0] * 6
    assert max(b - a for a, b in pairwise(seen)) <= 0.1 + 1e-5
    assert seen[15] == pytest.approx(1.0)


@pytest.mark.parametrize("ticks", [1, 2, 4, 7.3])
def test_the_result_does_not_depend_on_the_tick(ticks: float) -> None:
    fine, coarse = pool(storage_hours=0.05), pool(storage_hours=0.05)
    for at_s, target in ((0, 0.7), (33, -0.5), (41, 0.9), (400, 0.0), (500, -0.8)):
        for now in np.arange(fine._now_us / SECOND + ticks, at_s, ticks).tolist():
            fine.advance(round(now * SECOND))
        fine.set_targets(target * fine.fleet.up_mw, at_s * SECOND)
        coarse.set_targets(target * coarse.fleet.up_mw, at_s * SECOND)
    fine.advance(701 * SECOND)
    for _ in range(100):
        fine.advance(fine._now_us + SECOND)
    coarse.advance(fine._now_us)
    assert fine.power_mw() == pytest.approx(coarse.power_mw(), abs=2e-6)
    assert fine.energy_mwh == pytest.approx(coarse.energy_mwh, abs=1e-9)


def test_an_empty_storage_stops_and_can_be_charged_again() -> None:
    one = storages(ramp_s=(0, 0), delay_s=(0, 0))
    one.set_target(1.0, 0)
    one.advance(HOUR - SECOND)  # half of two hours at full power
    assert one.power_mw() == 1.0
    one.advance(HOUR + SECOND)
    assert one.power_mw() == 0.0 == one.available_mw("up")
    assert one.energy_mwh == pytest.approx(np.zeros(40))
    one.set_target(-0.8, HOUR + SECOND)
    one.advance(2 * HOUR)
    assert one.power_mw() == -0.8
    assert one.available_mw("up") == 1.0


def test_a_full_storage_stops_drawing() -> None:
    one = storages(ramp_s=(0, 0), delay_s=(0, 0), down_mw=1.0)
    one.set_target(-1.0, 0)
    one.advance(2 * HOUR)
    assert one.power_mw() == 0.0 == one.available_mw("down")
    assert one.energy_mwh.sum() == pytest.approx(2.0)


def test_what_is_available_shrinks_with_the_time_it_must_be_held() -> None:
    one = storages()
    assert one.available_mw("up", 3600) == pytest.approx(1.0)
    assert one.available_mw("up", 7200) == pytest.approx(0.5)
    assert one.available_mw("down", 7200) == pytest.approx(0.5)


def test_when_storages_run_empty_the_others_take_over_with_the_next_order() -> None:
    one = pool(ramp_s=(0, 0), delay_s=(0, 0))
    one.set_target(0.4, 0)
    one.advance(3 * HOUR)
    assert one.power_mw() < 0.4
    one.set_target(0.4, 3 * HOUR)
    one.advance(3 * HOUR + SECOND)
    assert one.power_mw() == pytest.approx(0.4)


def test_energy_is_the_integral_of_power_through_a_reversal() -> None:
    one = storages(ramp_s=(60, 60), delay_s=(0, 0), down_mw=1.0)
    one.set_target(1.0, 0)
    one.advance(600 * SECOND)
    one.set_target(-1.0, 600 * SECOND)
    one.advance(1200 * SECOND)
    # ramp up 60 s, 540 s at 1 MW, back 60 s, out 60 s, 480 s at -1 MW; the ramps to and fro cancel but for the first
    delivered_mws = 0.5 * 60 + 540 + 0 - 480
    assert one.fleet.start_mwh.sum() - one.energy_mwh.sum() == pytest.approx(delivered_mws / 3600)


@given(st.lists(st.tuples(st.integers(1, 900), st.floats(-1.5, 1.5)), min_size=1, max_size=10))
def test_power_and_energy_stay_within_bounds(orders: list[tuple[int, float]]) -> None:
    one, now = pool(storage_hours=0.2), 0
    for wait_s, target in orders:
        now += wait_s * SECOND
        one.set_target(target, now)
        one.advance(now + SECOND // 2)
        assert -0.8 - 1e-6 <= one.power_mw() <= 1.0 + 1e-6
        energy = one.energy_mwh
        assert ((one.fleet.floor_mwh - 1e-12 <= energy) & (energy <= one.fleet.roof_mwh + 1e-12)).all()
        now += SECOND


def test_impossible_requests_are_refused_by_name() -> None:
    one = pool()
    with pytest.raises(ResourceError, match="p: the target is inf MW"):
        one.set_target(float("inf"), 0)
    one.advance(SECOND)
    with pytest.raises(ResourceError, match="p: asked for 0 µs"):
        one.advance(0)


def test_a_pool_that_holds_shows_the_very_same_until_something_changes() -> None:
    held = pool(kinds={"load": 1.0})
    held.set_target(0.3, 0)
    held.advance(1000 * SECOND)
    state, points = held.state(), held.points()
    held.advance(1004 * SECOND)
    assert held.state() is state
    assert held.points() is points
    held.set_target(0.2, 1004 * SECOND)
    assert held.state() is not state
