"""The long tests of limits, run by `make soak`: hundreds of random lists in every corner, 10⁵ random subsets, and lists
of 200 against an exhaustive greedy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gridpact.grid.engine import single_threaded
from gridpact.grid.limits.allowing import Activation, limit

sys.path.insert(0, str(Path(__file__).parents[1] / "grid"))
from subset_oracle import ASKED_MW, DIRECTIONS, GRIDS, Trial, corners, excess, greedy_mw, prefix_greedy_mw, trial

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
SEEDS = range(100, 126)
COUNTS = (4, 7, 9, 11)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("grid", sorted(GRIDS))
def test_every_corner_of_random_lists(grid: str, direction: str) -> None:
    """26 lists on each of 4 grids in 3 directions: 312 cases of 4 to 11 offers, all subsets."""
    with single_threaded():
        for seed in SEEDS:
            count = COUNTS[seed % len(COUNTS)]
            given = trial(grid, direction, count, seed)
            p_mw = _limits(given)
            assert excess(given, p_mw, corners(count), margin=False).max() <= 0, (seed, count)
            if count < max(COUNTS):
                most_mw = np.abs(greedy_mw(given)).sum()
                assert np.abs(p_mw).sum() >= 0.99 * most_mw, (seed, count)


@pytest.mark.parametrize("count", [200, 1000])
@pytest.mark.parametrize("grid", ["cigre_mv_der", "oberrhein"])
def test_a_hundred_thousand_random_subsets_of_a_long_list(grid: str, count: int) -> None:
    with single_threaded():
        given = _long(grid, count)
        p_mw = _limits(given)
        generator = np.random.default_rng(count)
        for _ in range(100):
            picked = generator.uniform(size=(1000, count)) < generator.uniform(0.02, 0.98, (1000, 1))
            parts = np.where(generator.uniform(size=(1000, 1)) < 0.7, 1.0, generator.uniform(size=(1000, count)))
            assert excess(given, p_mw, picked * parts, margin=False).max() <= 0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("grid", ["case33bw", "cigre_mv_der", "oberrhein"])
def test_a_long_list_gets_what_each_in_turn_can_have(grid: str, seed: int) -> None:
    """Scope prefix, 200 offers, far more than fits: against bisection by AC power flow, one offer after the other."""
    with single_threaded():
        given = _long(grid, 200, signs=(1.0,), seed=seed)
        found = limit(given.model, [("now", given.state)], given.activations, "prefix")
        assert sum(each.p_mw for each in found) >= 0.99 * prefix_greedy_mw(given).sum()


def _limits(given: Trial) -> np.ndarray:
    return np.array([each.p_mw for each in limit(given.model, [("now", given.state)], given.activations, "subset")])


def _long(grid: str, count: int, *, signs: tuple[float, ...] = (1.0, 1.0, -1.0), seed: int = 0) -> Trial:
    short = trial(grid, "mixed", 11, 7)
    generator = np.random.default_rng((count, seed) if seed else count)
    names = generator.choice(short.model.point_names, count)
    sizes = generator.uniform(0.5, 1.5, count) * 3 * ASKED_MW[grid] / count
    directions = generator.choice(signs, count)
    rates = generator.choice([0.0, -0.33, 0.33], count)
    activations = [
        Activation(f"o{k}", ((str(name), 1.0),), float(size), q_per_p=float(rate))
        for k, (name, size, rate) in enumerate(zip(names, directions * sizes, rates, strict=True))
    ]
    return Trial(short.model, short.state, tuple(activations))
