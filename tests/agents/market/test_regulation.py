"""The frequency restoration controller, by itself and around a simple area."""

import math

import pytest

from gridpact.agents.market.regulation import Controller, Tuning, step

S = 1_000_000
TUNING = Tuning(beta=0.2, integration_us=150 * S, control_us=4 * S)
WIDE = (100.0, 100.0)


def run(aces: list[float], room: tuple[float, float] = WIDE, every_s: float = 4.0) -> list[Controller]:
    found, state = [], Controller()
    for number, ace_mw in enumerate(aces):
        tuning = TUNING._replace(control_us=round(every_s * S))
        state = step(state, ace_mw, round(number * every_s * S), room_mw=room, tuning=tuning)
        found.append(state)
    return found


def test_a_shortage_asks_upwards_at_once_in_proportion_and_then_more_and_more() -> None:
    first, *_, last = run([-5.0] * 31)
    assert first.demand_mw == pytest.approx(0.2 * 5.0)
    assert last.demand_mw == pytest.approx(0.2 * 5.0 + 5.0 * 120 / 150)


@pytest.mark.parametrize("every_s", [0.1, 1.0, 2.0, 4.0])
def test_the_integral_of_a_ramp_does_not_depend_on_the_cycle(every_s: float) -> None:
    steps = round(120 / every_s)
    last = run([-10.0 * number / steps for number in range(steps + 1)], every_s=every_s)[-1]
    assert last.integral_mw == pytest.approx(10.0 / 2 * 120 / 150)


def test_never_more_is_asked_for_than_there_is_and_nothing_winds_up() -> None:
    states = run([-5.0] * 200 + [+1.0], room=(3.0, 3.0))
    assert max(state.demand_mw for state in states) == 3.0
    assert states[-2].integral_mw <= 3.0
    assert states[-1].demand_mw < states[-2].demand_mw  # as soon as the error turns, so does the demand


def test_the_integral_rests_while_the_proportional_part_alone_fills_the_bound() -> None:
    states = run([-50.0] * 100, room=(6.0, 6.0))
    assert states[-1].integral_mw == 0.0
    assert states[-1].demand_mw == 6.0


def test_when_less_becomes_available_the_demand_follows_and_does_not_remember_the_rest() -> None:
    state = run([-5.0] * 100, room=(8.0, 8.0))[-1]
    at_us = (state.at_us or 0) + 4 * S
    state = step(state, -5.0, at_us, room_mw=(2.0, 8.0), tuning=TUNING)
    assert (state.demand_mw, state.integral_mw) == (2.0, 2.0)


def test_a_lost_measurement_freezes_the_demand_and_its_time_is_not_integrated() -> None:
    before = run([-5.0] * 20)[-1]
    at_us = before.at_us or 0
    lost = step(before, math.nan, at_us + 4 * S, room_mw=WIDE, tuning=TUNING)
    assert (lost.demand_mw, lost.integral_mw, lost.frozen) == (before.demand_mw, before.integral_mw, True)
    back = step(lost, -5.0, at_us + 400 * S, room_mw=WIDE, tuning=TUNING)
    assert back.integral_mw == before.integral_mw
    assert not back.frozen


def test_readings_that_stay_away_are_not_integrated_either() -> None:
    before = run([-5.0] * 20)[-1]
    back = step(before, -5.0, (before.at_us or 0) + 400 * S, room_mw=WIDE, tuning=TUNING)
    assert back.integral_mw == before.integral_mw


def test_a_step_is_restored_without_lasting_oscillation() -> None:
    """An area whose error is what is missing, and resources that begin after 20 s and ramp over 240 s."""
    state, delivered, asked, errors = Controller(), 0.0, [0.0] * 5, []
    for number in range(300):
        ace_mw = delivered - 5.0
        state = step(state, ace_mw, number * 4 * S, room_mw=(10.0, 10.0), tuning=TUNING)
        asked.append(state.demand_mw)
        most = 10.0 / 240 * 4
        delivered += max(-most, min(most, asked[-6] - delivered))
        errors.append(ace_mw)
    assert all(abs(error) < 0.1 for error in errors[225:])  # after 15 minutes
    assert max(errors) < 0.3 * 5.0
