"""A swarm costs its size: what is done and what is kept for one participant does not hang on how many others there are.

Work is counted in calls of Python functions, not in time, and memory is traced, so neither hangs on the machine.
"""

from __future__ import annotations

import cProfile
import gc
import math
import pstats
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gridpact.agents.runtime.run import Operation
from gridpact.grid.engine import single_threaded
from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.record.writer import RunWriter
from gridpact.scenarios.running import prepare
from gridpact.scenarios.schema import Scenario

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


@contextmanager
def prepared(scenario: Scenario, folder: Path) -> Iterator[tuple[Operation, RunWriter]]:
    with single_threaded(), RunWriter(scenario, folder / f"run-{len(scenario.providers)}") as writer:
        yield prepare(scenario, writer), writer


def calls(bsps: int, folder: Path) -> dict[Any, int]:
    """How often each function was called in one market period through all stages."""
    scenario, profiler = market(bsps), cProfile.Profile(builtins=False)
    with prepared(scenario, folder) as (operation, _):
        profiler.enable()
        operation.simulate(scenario.time.end_us)
        profiler.disable()
    stats: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    return {(Path(file).name, name): count for (file, _, name), (_, count, *_rest) in stats.items()}


def test_the_work_for_one_participant_does_not_grow_with_the_swarm(tmp_path: Path) -> None:
    few, many = 40, 160
    before, after = calls(few, tmp_path), calls(many, tmp_path)
    assert slope(sum(before.values()), sum(after.values()), many / few) <= 1.1
    often = {key: count for key, count in after.items() if count >= 5 * many and key in before}
    slopes = {key: slope(before[key], count, many / few) for key, count in often.items()}
    assert {key: each for key, each in slopes.items() if each > 1.4} == {}


def slope(before: int, after: int, times: float) -> float:
    """The exponent with which something grows that is `times` as large: 1 in proportion, 2 with the square."""
    return math.log(after / before) / math.log(times)


def held_kb(bsps: int, folder: Path) -> float:
    """What a market holds after its last period, without what waits to be written."""
    scenario = market(bsps)
    gc.collect()
    tracemalloc.start(1)
    try:
        with prepared(scenario, folder) as (operation, writer):
            operation.simulate(scenario.time.end_us)
            operation.close()
            writer.close()
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / 1024
    finally:
        tracemalloc.stop()


def test_one_more_participant_takes_little_memory(tmp_path: Path) -> None:
    few, many = 40, 100
    held_kb(20, tmp_path)  # what is imported and compiled once
    before_kb = held_kb(few, tmp_path)
    assert (held_kb(many, tmp_path) - before_kb) / (many - few) < MOST_KB
