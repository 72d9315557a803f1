"""A hundred BSPs over Mosquitto with TLS and access rules, three hosts, ticks of 1 s by the clock: none is missed.

The run has a quarter of an hour before the delivery and one of delivery, in which every BSP gets a set-point and tells
a measurement each second. GRIDPACT_SOAK_SPEED lets the run go faster with ticks as much longer, so that there is still
one a second. It judges the machine too, which must have nothing else to do.
"""

import asyncio
import json
import os
from pathlib import Path

import pytest
from brokers import MOSQUITTO, mosquitto

from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.scenarios.hosting.host import Terms
from gridpact.scenarios.hosting.launching import launch
from gridpact.scenarios.hosting.mosquitto import write_configuration
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

SPEED = float(os.environ.get("GRIDPACT_SOAK_SPEED", "1"))
SETTINGS = {
    "bsps": os.environ.get("GRIDPACT_SOAK_BSPS", "100"),
    "aggregators": "0",
    "swarm.product": "aFRR",
    "swarm.apply_within_min": "0.5",
    "swarm.bsp.preparation_s": "[1, 3]",
    "swarm.bsp.ramping_s": "[5, 10]",
    "swarm.bsp.deactivation_s": "[5, 10]",
    "market.test.hold_min": "0.1",
    "market.test.pause_min": "0.1",
    "market.test.at_once": "100",
    "time.market_time_units": "1",
    "time.gate_closure_min": "1",
    "time.cfp_lead_min": "0.5",
    "time.tail_min": "0.5",
    "ticks.study_s": "5",
    **{f"ticks.{name}": f"{SPEED:g}" for name in ("control_s", "measurement_s", "monitoring_s")},
}


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")
async def test_a_hundred_bsps_at_ticks_of_a_second(tmp_path: Path) -> None:
    scenario = load_scenario("swarm", SETTINGS)
    port, folder = free_port(), tmp_path / "broker"
    write_configuration(scenario, folder, host="localhost", port=port)
    async with mosquitto(folder / "mosquitto.conf", port) as address:
        terms = Terms(scenario.name, str(address), folder / "credentials", SPEED, clock_tolerance_s=1.0)
        run = await asyncio.to_thread(launch, scenario, 3, terms, tmp_path / "run")
    told = [_figures(host) for host in run.timing["hosts"]]
    print(json.dumps(told, indent=1), len(run.message_rows), len(run.streams))  # noqa: T201 - what `make soak` is run for
    assert _ticks(run) * 1.0 >= 600
    assert [host["missed"] for host in told] == [0, 0, 0]
    assert all(host["p99_s"] < 0.25 for host in told)


def _ticks(run: Run) -> int:
    return int(min(host["realtime"]["lateness"]["count"] for host in run.timing["hosts"]))


def _figures(host: dict) -> dict:  # type: ignore[type-arg]
    timed = host["realtime"]
    late = {name: timed["lateness"][name] for name in ("count", "p50_s", "p99_s", "max_s")}
    share = host["cpu_s"] / host["total_s"]  # of one core, beginning and end included
    return {**late, "missed": timed["missed"], "load_p99": timed["load_p99"], "cpu": share, "network": host["network"]}
