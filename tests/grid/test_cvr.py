"""Tap steps as indivisible blocks of power, for voltage-dependent loads."""

from __future__ import annotations

import pytest

from gridpact.grid.cvr import block_power_mva, options
from gridpact.grid.model import GridModel
from gridpact.grid.profiles import Profiles
from gridpact.grid.studies import GridStudies

NOON_US = 12 * 3_600_000_000
START = (-1, -1)


@pytest.mark.parametrize(("taps", "freed_mw"), [((0, -1), 0.335), ((-1, 0), 0.287), ((0, 0), 0.622), ((1, 1), 1.220)])
def test_a_tap_step_frees_power(model: GridModel, profiles: Profiles, taps: tuple[int, ...], freed_mw: float) -> None:
    state = profiles.forecast(NOON_US).with_taps(START)
    assert block_power_mva(model, state, taps).real == pytest.approx(freed_mw, abs=0.001)


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
    power = -block_power_mva(model, state, (0, 0)).real / before.interface_mva[0].sum().real
    assert power / voltage == pytest.approx(1.10, abs=0.03)


def test_taps_at_the_end_of_their_range_offer_nothing_beyond(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps((9, 9))
    assert all(max(block.taps) <= 9 for block in options(model, state))
