"""A run's memory does not grow with its length: what is over is let go, and timers that were cancelled are gone.

A slice is always tried; a day of a thousand BSPs in `make soak`.
"""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from held import begun, resident_kb

from gridpact.agents.calendar import period_id
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.reading.loading import load_scenario


def held_mb() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 2**20


def market(bsps: int, periods: int, **settings: str) -> Scenario:
    own = {"bsps": str(bsps), "aggregators": "0", "time.market_time_units": str(periods), "journal": "false"}
    return load_scenario("swarm", {**own, **settings})


def growth_mb(scenario: Scenario, *, settled_periods: int) -> tuple[float, list[int]]:
    """MB that are held more at the end than when so many periods were over, and how much waits after each period."""
    waiting = []
    with begun(scenario) as (operation, _):
        for number, (_, end_us) in enumerate(scenario.time.periods):
            operation.simulate(end_us)
            waiting.append(len(operation.world.queue))
            if number + 1 == settled_periods:
                gc.collect()
                tracemalloc.start(1)
        try:
            return held_mb(), waiting[settled_periods - 1 :]
        finally:
            tracemalloc.stop()


def test_what_waits_is_bounded_over_the_periods_of_a_run() -> None:
    scenario = market(3, 4, ticks="{control_s: 30, measurement_s: 30, monitoring_s: 30}")
    grown_mb, waiting = growth_mb(scenario, settled_periods=2)
    assert max(waiting) <= 1.2 * waiting[0] + 20
    assert grown_mb < 4.0


def test_periods_long_over_have_left_what_every_agent_knows() -> None:
    scenario = market(4, 9, ticks="{control_s: 60, measurement_s: 60, monitoring_s: 60}")
    with begun(scenario) as (operation, _):
        operation.simulate(scenario.time.end_us)
        periods = [period_id(start_us) for start_us, _ in scenario.time.periods]
        nodes = {name: host.node for name, host in operation.hosts.items()}
    told = {name: repr(node.state) for name, node in nodes.items()}
    assert [name for name, text in told.items() if periods[0] in text] == []
    assert periods[-1] in told[scenario.tso]
    for node in nodes.values():
        assert len(node.desk.conversations) <= node.desk.past.most


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_day_of_a_thousand_bsps_hardly_grows_after_its_first_hours() -> None:
    """What is written in blocks fills its buffers in the first hours: telemetry in one, states of grids in three."""
    scenario, waiting, held_mb = market(1000, 96), list[int](), list[float]()
    with begun(scenario) as (operation, _):
        for number, (_, end_us) in enumerate(scenario.time.periods, start=1):
            operation.simulate(end_us)
            if number % 4 == 0:
                waiting.append(len(operation.world.queue))
                held_mb.append(resident_kb() / 1024)
                print(f"after {number // 4} h: {held_mb[-1]:.0f} MB, {waiting[-1]} happenings wait")  # noqa: T201
    assert max(waiting) <= 1.2 * waiting[0] + 1000
    assert max(held_mb[4:]) < 1.1 * held_mb[3]
