"""The control loop: a day of aFRR by the cycle, against a loop with a `runpp` in each; and a thousand pools at once.

naive loop   set the powers in the network ─▶ runpp ─▶ worst line ─▶ PI controller ─▶ shares      no message, no check
ours         the same day's slice with all agents, messages, checks, records, and the state of the grid
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from measuring import Row, against, spread
from staging import Staged, staged

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import run_power_flow
from gridpact.grid.model import load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.scenarios.reading.loading import load_scenario

PROVIDERS, REAL_TIME, CYCLE_MS = 20, 5000.0, 50.0
POOLS = {
    "bsps": "0",
    "dfrs": "100",
    "swarm.product": "aFRR",
    "swarm.aggregators_per_grid": "100",
    "market.test.at_once": "20",  # a hundred at once overload lines until they trip, and half of the pools is dark
    "time.market_time_units": "1",
    "ticks": "{control_s: 4, measurement_s: 4, monitoring_s: 4}",
    "journal": "false",
}


def rows(quick: bool = False) -> Iterator[Row]:
    """Yield the rows of the table; `quick`: a short day, few pools."""
    yield from _day(1 if quick else 8, 3 if quick else 30)
    count = 10 if quick else 1000
    found = _staged("swarm", {**POOLS, "aggregators": str(count)})
    each_ms = _per_tick_ms(found, 4.0)
    words = f"{count} aggregators × 100 DFRs"
    yield Row("loop", words, "one aFRR cycle", each_ms, each_ms, each_ms, 1, reach_ms=None if quick else CYCLE_MS)


def _day(periods: int, cycles: int) -> Iterator[Row]:
    scenario = load_scenario("afrr-day")
    tick_s = scenario.ticks.control_s
    naive = spread([1e3 * seconds for seconds in _naive(scenario.grids["north"], cycles)])
    yield Row("loop", "naive loop", "one cycle with runpp", *naive, cycles)
    found = [_staged("afrr-day", {"time.market_time_units": str(periods)}) for _ in range(1 if periods < 2 else 3)]
    ours = spread([_per_tick_ms(one, tick_s) for one in found])
    words = f"one cycle of {tick_s:g} s, over {periods} periods"
    row = Row("loop", "afrr-day", words, *ours, len(found), naive[0], 1e3 * tick_s / REAL_TIME)
    yield row
    yield against(
        Row("loop", "afrr-day", "the same against the naive loop", *ours, len(found), naive[0]), at_least=30.0
    )


def _staged(name: str, settings: dict[str, str]) -> Staged:
    return staged(lambda: load_scenario(name, settings))[1]


def _per_tick_ms(found: Staged, tick_s: float) -> float:
    """Processor time of a tick during delivery."""
    return 1e3 * found.seconds["activation"] / (found.simulated_s["activation"] / tick_s)


def _naive(description: GridDescription, cycles: int) -> Iterator[float]:
    """Seconds of each cycle of the loop that one writes first."""
    points = tuple(ConnectionPoint(f"p{number}", 3 + number % 11) for number in range(PROVIDERS))
    net = load_model(description, points).net
    shares: list[float] = [0.0] * PROVIDERS
    integral = 0.0
    for cycle in range(cycles):
        began = time.process_time()
        for number, share in enumerate(shares):
            net.sgen.loc[net.sgen.index[-1 - number], "p_mw"] = share
        run_power_flow(net)
        ace_mw = _imbalance(net, cycle)
        integral += ace_mw * 4
        demand_mw = -(0.2 * ace_mw + integral / 150)
        shares = [demand_mw / PROVIDERS for _ in shares]
        yield time.process_time() - began


def _imbalance(net: Any, cycle: int) -> float:
    """What the area lacks: a wave, and what the grid draws beyond its schedule; overloads are looked up too."""
    worst = float(net.res_line.loading_percent.max())
    return float(net.res_ext_grid.p_mw.sum()) * 0.01 + (cycle % 10 - 5) + (0.1 if worst > 100 else 0.0)
