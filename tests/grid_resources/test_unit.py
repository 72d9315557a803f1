"""A unit does what was ordered: not before its reaction, not faster than its ramp, never beyond its range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.grid.resources.description import Response, UnitDescription
from gridpact.grid.resources.resource import PointPower, ResourceError, Site
from gridpact.grid.resources.unit import Unit

SECOND = 1_000_000
MFRR = Response(preparation_s=30, ramping_s=240, deactivation_s=120, reaction_s=0)


def unit(response: Response = MFRR, *, up_mw: float = 2.4, down_mw: float = 1.2, q_per_p: float = 0.0) -> Unit:
    description = UnitDescription(id="a1", bus=9, up_mw=up_mw, down_mw=down_mw, baseline_mw=-1.0, q_per_p=q_per_p)
    return Unit(description, response, 0)


def test_nothing_happens_before_the_preparation_is_over_and_then_it_ramps_linearly() -> None:
    one = unit()
    one.set_target(2.4, 0)
    seen = [one.power_at(s * SECOND) for s in (0, 15, 30, 90, 150, 270, 600)]
    assert seen == [0.0, 0.0, 0.0, 0.6, 1.2, 2.4, 2.4]


def test_full_activation_takes_preparation_and_ramping() -> None:
    one = unit()
    assert one.full_activation_s == 270
    one.set_target(2.4, 0)
    assert one.power_at(270 * SECOND - 100_000) < 2.4 == one.power_at(270 * SECOND)


def test_deactivation_needs_no_preparation() -> None:
    one = unit()
    one.set_target(2.4, 0)
    one.set_target(0.0, 600 * SECOND)
    assert [one.power_at((600 + s) * SECOND) for s in (0, 60, 120, 500)] == [2.4, 1.2, 0.0, 0.0]


def test_a_target_beyond_the_range_is_clipped() -> None:
    one = unit()
    one.set_target(9.0, 0)
    assert one.ordered_mw == 2.4
    one.set_target(-9.0, SECOND)
    assert one.ordered_mw == -1.2


def test_an_order_lowered_while_it_is_prepared_is_never_exceeded_and_does_not_start_anew() -> None:
    one = unit()
    one.set_target(2.4, 0)
    one.set_target(1.0, 10 * SECOND)
    assert one.power_at(30 * SECOND) == 0.0
    assert one.power_at(31 * SECOND) == 0.01
    assert max(one.power_at(s * SECOND) for s in range(10, 600)) == 1.0


def test_a_new_target_in_mid_ramp_continues_from_the_present_power() -> None:
    one = unit()
    one.set_target(2.4, 0)
    one.set_target(1.8, 150 * SECOND)
    assert one.power_mw() == 1.2
    assert [one.power_at(s * SECOND) for s in (180, 210, 400)] == [1.5, 1.8, 1.8]


def test_a_repeated_order_changes_nothing() -> None:
    once, often = unit(), unit()
    once.set_target(2.0, 0)
    for second in range(0, 200, 4):
        often.set_target(2.0, second * SECOND)
    assert often.power_at(201 * SECOND) == once.power_at(201 * SECOND)


def test_a_rising_set_point_is_followed_after_the_reaction_and_not_held_up_by_each_new_one() -> None:
    one = unit(Response(preparation_s=0, ramping_s=0, deactivation_s=0, reaction_s=20))
    for second in range(0, 100, 4):
        one.set_target(0.01 * second, second * SECOND)
        assert one.power_mw() == pytest.approx(max(0.01 * (second - 20), 0.0))


def test_a_change_of_direction_goes_back_through_zero_before_it_prepares_the_other_side() -> None:
    one = unit()
    one.set_target(2.4, 0)
    one.set_target(-1.2, 300 * SECOND)
    assert [one.power_at((300 + s) * SECOND) for s in (30, 60, 120)] == [1.8, 1.2, 0.0]
    assert one.power_at(480 * SECOND) == pytest.approx(-0.3)
    assert one.power_at(900 * SECOND) == -1.2


def test_reactive_power_follows_in_proportion_and_the_site_carries_the_baseline() -> None:
    one = unit(q_per_p=-0.25)
    one.set_target(2.4, 0)
    one.advance(1000 * SECOND)
    assert one.points() == (PointPower("a1", 2.4, -0.6),)
    assert one.sites() == (Site("a1", 9, "generator", -1.0),)
    assert one.state().ordered_mw == one.state().p_mw == 2.4


def test_time_never_runs_backwards_and_a_target_is_a_number() -> None:
    one = unit()
    one.advance(10 * SECOND)
    with pytest.raises(ResourceError, match="a1: asked for 9000000 µs, but 10000000 µs has been reached"):
        one.advance(9 * SECOND)
    with pytest.raises(ResourceError, match="a1: the target is nan MW"):
        one.set_target(float("nan"), 10 * SECOND)


ORDERS = st.lists(
    st.tuples(st.integers(0, 60_000_000), st.floats(-2, 3).map(lambda p: round(p, 3))), min_size=1, max_size=12
)
RESPONSES = st.builds(
    Response,
    preparation_s=st.sampled_from([0.0, 7.5, 30.0]),
    ramping_s=st.sampled_from([0.0, 60.0, 240.0]),
    deactivation_s=st.sampled_from([0.0, 30.0, 120.0]),
    reaction_s=st.sampled_from([0.0, 5.0, 30.0]),
)


@given(ORDERS, RESPONSES, st.lists(st.integers(0, 800_000_000), max_size=20))
def test_how_often_it_is_asked_changes_no_bit(
    orders: list[tuple[int, float]], response: Response, looks: list[int]
) -> None:
    quiet, watched = unit(response), unit(response)
    now = 0
    for wait_us, p_mw in orders:
        for look in sorted(look for look in looks if now <= look <= now + wait_us):
            watched.advance(look)
            watched.power_mw()
        now += wait_us
        quiet.set_target(p_mw, now)
        watched.set_target(p_mw, now)
    assert watched.power_at(now + 77 * SECOND) == quiet.power_at(now + 77 * SECOND)


@given(ORDERS, RESPONSES)
def test_it_is_never_beyond_what_was_ordered_within_its_delay_and_ends_at_the_last_order(
    orders: list[tuple[int, float]], response: Response
) -> None:
    one, now = unit(response), 0
    for wait_us, p_mw in orders:
        now += wait_us
        one.set_target(p_mw, now)
        assert -1.2 <= one.power_mw() <= 2.4
    last = min(max(orders[-1][1], -1.2), 2.4)
    assert one.power_at(now + 1000 * SECOND) == last
