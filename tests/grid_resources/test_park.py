"""Pools that are moved together do what each does by itself, to the last bit."""

from __future__ import annotations

import numpy as np

from gridpact.grid.resources.description import PoolDescription
from gridpact.grid.resources.park import Parks
from gridpact.grid.resources.pool import Pool

SECOND = 1_000_000
KINDS = {"storage": 0.6, "load": 0.4}


def pools(sizes: tuple[int, ...]) -> list[Pool]:
    return [
        Pool(
            PoolDescription.model_validate(
                {
                    "id": f"p{number}",
                    "dfrs": size,
                    "buses": [3, 4, 5][: 1 + number % 3],
                    "up_mw": 0.5,
                    "down_mw": 0.4,
                    "storage_hours": 0.02,
                    "kinds": KINDS,
                }
            ),
            seed=7,
            start_us=0,
        )
        for number, size in enumerate(sizes)
    ]


def test_a_step_of_a_park_is_the_step_of_each_of_its_pools() -> None:
    together, alone, parks = pools((40, 40, 40, 7, 40, 40)), pools((40, 40, 40, 7, 40, 40)), Parks()
    drawn = np.random.default_rng(3)
    for at_us in range(4 * SECOND, 1600 * SECOND, 4 * SECOND):
        moving = sorted(drawn.choice(6, drawn.choice((4, 6, 6)), replace=False).tolist())
        parks.advance([together[k] for k in moving], at_us)
        for k in moving:
            together[k].advance(at_us)
            alone[k].advance(at_us)
            assert (together[k].points(), together[k].state()) == (alone[k].points(), alone[k].state())
            assert np.array_equal(together[k].energy_mwh, alone[k].energy_mwh)
        for k in moving:
            if drawn.random() < 0.2:
                target_mw = float(drawn.choice((0.0, 0.45, -0.35, 0.2)))
                together[k].set_target(target_mw, at_us)
                alone[k].set_target(target_mw, at_us)
            if drawn.random() < 0.02:
                contained_mw = float(drawn.choice((0.0, 0.05)))
                together[k].contain(contained_mw)
                alone[k].contain(contained_mw)
    assert any((pool.state().available_up_mw, pool.state().available_down_mw) != (0.5, 0.4) for pool in alone)
