"""Whatever is picked of what is allowed stays feasible: every corner of the box, on four grids, up, down and mixed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gridpact.grid.limits.allowing import Activation, limit
from gridpact.grid.limits.marginal import bracket
from gridpact.grid.model import GridModel
from gridpact.grid.series.profiles import Profiles

sys.path.insert(0, str(Path(__file__).parent))
from subset_oracle import DIRECTIONS, GRIDS, corners, excess, greedy_mw, trial

NOON_US = 12 * 3_600_000_000


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("grid", sorted(GRIDS))
def test_no_subset_of_what_is_allowed_violates_a_limit(grid: str, direction: str) -> None:
    for seed in range(2):
        given = trial(grid, direction, 8, seed)
        allowed = limit(given.model, [("now", given.state)], given.activations, "subset")
        p_mw = np.array([each.p_mw for each in allowed])
        assert excess(given, p_mw, corners(8), margin=False).max() <= 0
        parts = np.random.default_rng(seed).uniform(size=(256, 8))
        assert excess(given, p_mw, parts, margin=False).max() <= 0
        for offer, each in zip(given.activations, allowed, strict=True):
            assert each.p_mw == offer.p_mw or each.binding is not None


@pytest.mark.parametrize(("grid", "direction"), [("cigre_mv_der", "mixed"), ("case33bw", "up"), ("cigre_lv", "down")])
def test_as_much_is_allowed_as_an_exhaustive_search_in_the_same_order_finds(grid: str, direction: str) -> None:
    given = trial(grid, direction, 6, 3)
    allowed = limit(given.model, [("now", given.state)], given.activations, "subset")
    assert sum(abs(each.p_mw) for each in allowed) >= 0.99 * np.abs(greedy_mw(given)).sum()


def test_the_worked_example_for_whatever_is_picked(
    model: GridModel, profiles: Profiles, abc: tuple[Activation, ...]
) -> None:
    cases = [("forecast", profiles.forecast(NOON_US))]
    up = limit(model, cases, abc, "subset")
    assert [each.p_mw for each in up[:2]] == [2.5, 2.5]
    assert up[2].p_mw == pytest.approx(0.93, abs=0.05)
    down_state = [("taps −2", profiles.forecast(NOON_US).with_taps((-2, -2)))]
    down = [Activation(name, ((name, 1.0),), -1.5) for name in ("L6", "L10", "L3")]
    picked = limit(model, down_state, down, "subset")
    assert picked[0].p_mw == -1.5
    assert sum(each.p_mw for each in picked) == pytest.approx(-2.4, abs=0.5)
    mixed = limit(model, cases, [Activation("d", (("B", 1.0),), -2.0), *abc], "subset")
    assert [each.p_mw for each in mixed[1:]] == pytest.approx([each.p_mw for each in up], abs=0.02)


def test_what_may_be_picked_leaves_the_rest_no_relief_to_count_on(
    model: GridModel, profiles: Profiles, abc: tuple[Activation, ...]
) -> None:
    base = profiles.forecast(NOON_US).with_changes({"A": 2.4, "B": 2.4, "C": 1.1})
    offers = [Activation("relief", (("A", 1.0),), -2.0), Activation("burden", (("B", 1.0),), 2.0)]
    relief, burden = limit(model, [("tight", base)], offers, "subset")
    assert relief.p_mw == -2.0
    assert burden.p_mw < 0.05
    assert burden.binding is not None
    assert burden.binding.element == "line 3-8"


def test_a_boundary_is_found_though_its_end_is_within_by_a_rounding() -> None:
    def excess(_: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
        return at - 0.7 - 1e-15 * (at == 0.7)

    low, high = bracket(excess, np.array([0.0]), np.array([0.7]), np.array([1e-6]))
    assert low[0] == pytest.approx(0.7, abs=1e-5)
    assert low[0] <= high[0]
