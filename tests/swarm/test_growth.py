"""A swarm costs its size: what is done and what is kept for one participant does not hang on how many others there are.

Work is counted in calls of Python functions, not in time, and memory is traced, so neither hangs on the machine.
"""

from __future__ import annotations

import cProfile
import math
import pstats
from pathlib import Path
from typing import Any

from held import begun, held_kb

from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.reading.loading import load_scenario

MOST_KB = 55.0
SETTINGS = {
    "aggregators": "0",
    "journal": "false",
    "swarm.bsps_per_grid": "20",
    "swarm.apply_within_min": "1",
    "market.test.at_once": "20",
    "time.market_time_units": "1",
    "ticks": "{control_s: 30, measurement_s: 30, monitoring_s: 30}",
}


def market(bsps: int) -> Scenario:
    """A market of full grids, all by the same clock."""
    first = load_scenario("swarm", {**SETTINGS, "bsps": "20"}).time.first_delivery
    assert first is not None
    return load_scenario("swarm", {**SETTINGS, "bsps": str(bsps), "time.first_delivery": first.isoformat()})


def calls(bsps: int) -> dict[Any, int]:
    """How often each function was called in one market period through all stages, until all of it is written."""
    scenario, profiler = market(bsps), cProfile.Profile(builtins=False)
    with begun(scenario) as (operation, writer):
        profiler.enable()
        operation.simulate(scenario.time.end_us)
        operation.close()
        writer.close()
        profiler.disable()
    stats: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    return {(Path(file).name, name): count for (file, _, name), (_, count, *_rest) in stats.items()}


def test_the_work_for_one_participant_does_not_grow_with_the_swarm() -> None:
    few, many = 40, 160
    before, after = calls(few), calls(many)
    assert slope(sum(before.values()), sum(after.values()), many / few) <= 1.1
    often = {key: count for key, count in after.items() if count >= 5 * many and key in before}
    slopes = {key: slope(before[key], count, many / few) for key, count in often.items()}
    assert {key: each for key, each in slopes.items() if each > 1.4} == {}


def slope(before: int, after: int, times: float) -> float:
    """The exponent with which something grows that is `times` as large: 1 in proportion, 2 with the square."""
    return math.log(after / before) / math.log(times)


def test_one_more_participant_takes_little_memory() -> None:
    few, many = 40, 100
    held_kb(market(20))  # what is imported and compiled once
    before_kb = held_kb(market(few))
    assert (held_kb(market(many)) - before_kb) / (many - few) < MOST_KB
