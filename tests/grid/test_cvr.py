"""Voltage reduction: tap steps as blocks of power, loads that recover, and regulators that hold a set-point."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.errors import NetworkError
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies
from gridpact.grid.voltage.cvr import Behaviour, options, positions

Vary = Callable[..., GridDescription]
SECOND_US = 1_000_000
NOON_US = 12 * 3_600_000_000
TRAFO = "transformer 0-1"
START = (-1, -1)


def freed_by(model: GridModel, state: OperatingPoint, taps: tuple[int, ...]) -> float:
    """MW less import when the taps stand elsewhere, by two power flows."""
    before, after = model.solve(state), model.solve(state.with_taps(taps))
    return float(before.interface_mva[0].sum().real - after.interface_mva[0].sum().real)


@pytest.mark.parametrize(("taps", "freed_mw"), [((0, -1), 0.335), ((-1, 0), 0.287), ((0, 0), 0.622), ((1, 1), 1.220)])
def test_a_tap_step_frees_power(model: GridModel, profiles: Profiles, taps: tuple[int, ...], freed_mw: float) -> None:
    state = profiles.forecast(NOON_US).with_taps(START)
    assert freed_by(model, state, taps) == pytest.approx(freed_mw, abs=0.001)


def test_blocks_come_in_an_order_that_stays_inside_the_limits(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps(START)
    up = [block for block in options(model, state) if block.p_mw > 0]
    assert [block.transformer for block in up[:4]] == ["transformer 0-1", "transformer 0-12"] * 2
    assert sum(block.p_mw for block in up[:4]) == pytest.approx(1.220, abs=0.001)
    assert up[1].vm_min_pu == pytest.approx(0.966, abs=0.001)
    assert up[3].vm_min_pu == pytest.approx(0.9506, abs=0.0001)


def test_a_third_step_is_refused_by_voltage(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps(START)
    blocks = options(model, state)
    assert max(block.taps[0] for block in blocks) == 1
    third = model.solve(state.with_taps((2, 2)))
    assert third.vm_pu[0, model.ratings.buses].min() == pytest.approx(0.936, abs=0.001)


def test_raising_the_voltage_is_down_regulation_in_steps_the_other_way(studies: GridStudies) -> None:
    down = [block for block in studies.cvr(NOON_US, START) if block.p_mw < 0]
    assert down
    assert all(block.steps == -1 and block.vm_max_pu <= 1.05 for block in down)


def test_the_factor_is_that_of_the_loads(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps(START)
    before, after = model.solve(state), model.solve(state.with_taps((0, 0)))
    buses = model.ratings.buses
    voltage = (after.vm_pu[0, buses].mean() - before.vm_pu[0, buses].mean()) / before.vm_pu[0, buses].mean()
    power = -freed_by(model, state, (0, 0)) / before.interface_mva[0].sum().real
    assert power / voltage == pytest.approx(1.10, abs=0.03)


def test_taps_at_the_end_of_their_range_offer_nothing_beyond(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps((9, 9))
    assert all(max(block.taps) <= 9 for block in options(model, state))


def test_every_position_of_a_transformer_is_listed_with_what_it_does(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps(START)
    listed = {each.taps: each for each in positions(model, state, 0, Behaviour(seconds_per_step=10.0))}
    assert listed[START].p_mw == listed[START].step_s == 0.0
    assert listed[0, -1].p_mw == pytest.approx(0.335, abs=0.001)
    assert (listed[0, -1].step_s, listed[2, -1].step_s) == (10.0, 30.0)
    assert sorted(taps[0] for taps in listed) == list(range(-9, 10))
    assert listed[0, -1].vm_min_pu > listed[1, -1].vm_min_pu > listed[2, -1].vm_min_pu
    assert [taps[0] for taps, each in listed.items() if each.allowed] == [-2, -1, 0, 1]


def test_all_transformers_together_reach_what_is_just_inside_the_band(model: GridModel, profiles: Profiles) -> None:
    listed = {each.taps: each for each in positions(model, profiles.forecast(NOON_US).with_taps(START))}
    assert (listed[1, 1].p_mw, listed[1, 1].allowed) == (pytest.approx(1.220, abs=0.001), True)
    assert (listed[2, 2].vm_min_pu, listed[2, 2].allowed) == (pytest.approx(0.936, abs=0.001), False)
    assert listed[0, 0].q_mvar != 0


def test_a_block_says_how_long_it_takes_and_what_lasts(vary: Vary) -> None:
    recovery = {"share": 0.25, "time_s": 600}
    studies = GridStudies("g", vary(load_recovery=recovery), ())
    block = studies.cvr(NOON_US, START)[0]
    assert block.step_s == 10.0
    assert block.lasting_mw == pytest.approx(0.75 * block.p_mw, abs=1e-6)


def freed_mw(plant: GridPlant, at_s: int, before_mw: float) -> float:
    plant.advance(at_s * SECOND_US)
    return before_mw - plant.solve().interface_p_mw


def test_what_a_tap_step_frees_decays_as_loads_recover_and_is_paid_back(vary: Vary) -> None:
    plant = GridPlant("g", vary(load_recovery={"share": 0.4, "time_s": 300}), ())
    before_mw = plant.solve().interface_p_mw
    plant.set_tap_target(TRAFO, 1, 0)
    at_once = freed_mw(plant, 10, before_mw)
    assert at_once == pytest.approx(0.33, abs=0.03)
    for at_s, left in ((310, 1 - 0.4 * (1 - np.exp(-1))), (3010, 0.6)):
        assert freed_mw(plant, at_s, before_mw) == pytest.approx(left * at_once, rel=0.02)
    recovered_mwh = plant.recovered_mwh
    assert recovered_mwh == pytest.approx(0.4 * at_once * (3000 - 300) / 3600, rel=0.03)
    plant.set_tap_target(TRAFO, 0, 3010 * SECOND_US)
    assert freed_mw(plant, 3021, before_mw) == pytest.approx(-0.4 * at_once, rel=0.05)
    assert plant.load_recovery_mw == pytest.approx(0.4 * at_once, rel=0.05)
    assert freed_mw(plant, 8000, before_mw) == pytest.approx(0.0, abs=1e-4)
    assert plant.recovered_mwh > recovered_mwh


def test_recovery_depends_on_no_tick(vary: Vary) -> None:
    found = []
    for tick_s in (1, 7, 900):
        plant = GridPlant("g", vary(), ())
        plant.set_tap_target(TRAFO, 1, 0)
        for at_s in range(tick_s, 900, tick_s):
            plant.advance(at_s * SECOND_US)
        plant.advance(900 * SECOND_US)
        found.append(plant.solve().interface_p_mw)
    assert found[0] == found[1] == found[2]


def test_without_recovery_a_step_frees_the_same_for_ever(vary: Vary) -> None:
    plant = GridPlant("g", vary(load_recovery={"share": 0.0}), ())
    before_mw = plant.solve().interface_p_mw
    plant.set_tap_target(TRAFO, 1, 0)
    assert freed_mw(plant, 10, before_mw) == freed_mw(plant, 4000, before_mw)


REGULATED = {
    "side": "hv", "min": -9, "max": 9, "step_percent": 1.5, "position": 0, "seconds_per_step": 10,
    "regulator": {"vm_set_pu": 1.01, "dead_band_pu": 0.02, "delay_s": 30},
}  # fmt: skip


def test_a_regulator_holds_its_bus_and_begins_where_it_has_come_to_rest(vary: Vary) -> None:
    plant = GridPlant("g", vary(taps=REGULATED, profiles={"load": {"forecast": 0.8, "actual": {"12:00:00": 1.1}}}), ())
    assert abs(plant.solve().vm_pu[1] - 1.01) <= 0.01
    settled = plant.taps
    plant.advance(NOON_US)
    assert abs(plant.solve().vm_pu[1] - 1.01) > 0.01
    plant.advance(NOON_US + 25 * SECOND_US)
    assert plant.taps == settled
    plant.advance(NOON_US + 120 * SECOND_US)
    assert plant.taps[0] < settled[0]
    assert abs(plant.solve().vm_pu[1] - 1.01) <= 0.01


def test_with_a_regulator_a_block_is_a_set_point_that_makes_it_step(vary: Vary) -> None:
    description = vary(taps=REGULATED, load_recovery={"share": 0.0})
    plant, studies = GridPlant("g", description, ()), GridStudies("g", description, ())
    assert studies.expected(0).taps == plant.taps
    block = studies.cvr(0)[0]
    assert block.vm_set_pu is not None
    assert 0.95 <= block.vm_set_pu < 1.01
    before_mw = plant.solve().interface_p_mw
    plant.set_voltage_target(block.transformer, block.vm_set_pu, 0)
    plant.advance(120 * SECOND_US)
    assert plant.taps == block.taps
    assert before_mw - plant.solve().interface_p_mw == pytest.approx(block.p_mw, abs=1e-4)


def test_a_set_point_out_of_range_or_without_a_regulator_is_refused(plant: GridPlant, vary: Vary) -> None:
    with pytest.raises(NetworkError, match="have no voltage regulators"):
        plant.set_voltage_target(TRAFO, 1.0, 0)
    with pytest.raises(NetworkError, match=r"1\.2 pu is outside the range 0\.95 … 1\.05"):
        GridPlant("g", vary(taps=REGULATED), ()).set_voltage_target(TRAFO, 1.2, 0)


def test_a_regulator_that_would_hunt_is_refused(vary: Vary) -> None:
    with pytest.raises(ValidationError, match=r"must be at least one tap step, 0\.015, or it hunts"):
        vary(taps=REGULATED | {"regulator": {"vm_set_pu": 1.0, "dead_band_pu": 0.01}})


def test_the_step_of_tap_changers_is_the_network_s_own_where_the_scenario_says_nothing(model: GridModel) -> None:
    assert model.tap_step_percent == 1.5
    fixed = load_model(GridDescription(network="cigre_mv_der"), ())
    assert fixed.tap_step_percent == 0.0
    own = load_model(GridDescription(network="oberrhein"), ())
    assert own.tap_step_percent == 1.5
