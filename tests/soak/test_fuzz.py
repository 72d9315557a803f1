"""A hundred thousand attacks each on conversations, envelopes and a station behind Mosquitto; and agents amid runs.

GRIDPACT_SOAK_FUZZ sets another number. Memory is looked at where something could pile up.
"""

import gc
import os
import sys
import tracemalloc
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
from attacks import ATTACKS, storm
from brokers import MOSQUITTO
from crowd import Crowd
from payloads import Range, bombardment, payload, valid_messages
from recorded import recorded
from siege import memory_mb, siege

from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
COUNT = int(os.environ.get("GRIDPACT_SOAK_FUZZ", "100000"))
MARKET = {"time.market_time_units": "1"}
RUNS = {"scenario-1-dso": {}, "scenario-2": {}, "afrr-day": {**MARKET, "journal": "true"}, "frequency-trip": {}}


def test_conversations() -> None:
    counted = storm(seed=2, count=COUNT)
    print("conversation", dict(counted))  # noqa: T201 - what `make soak` is run for
    assert counted.total() == COUNT
    assert {*counted} == {*ATTACKS}


def test_envelopes() -> None:
    counted = bombardment(seed=2, count=COUNT)
    print("envelope", dict(counted))  # noqa: T201
    assert counted.total() == COUNT


def test_a_gate_under_fire_does_not_grow() -> None:
    from random import Random

    choice, bases, at = Random(3), valid_messages(), Range()  # noqa: S311 - seeded, not secret

    def fire(count: int) -> int:
        for _ in range(count):
            at.fire(payload(choice, bases), "bsp-a")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    warm, after = fire(2000), fire(20_000)
    tracemalloc.stop()
    assert after - warm < 300_000


@pytest.mark.parametrize("name", [*RUNS, "small"])
def test_agents(name: str, tmp_path: Path) -> None:
    record = recorded(tmp_path) if name == "small" else run(load_scenario(name, RUNS[name]), out=tmp_path / name)
    rows = sum(1 for _ in record.journal_rows())
    crowd, times = Crowd(record, seed=3), max(1, COUNT // 5 // rows)
    for node, at_us in crowd.play(each=min(1.0, COUNT / 5 / rows)):
        for _ in range(times):
            crowd.attack(node, at_us)
            crowd.surprise(node, at_us)
    print(name, dict(crowd.counts))  # noqa: T201
    assert crowd.counts.total() > COUNT / 5


@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")
async def test_a_station_behind_a_broker(tmp_path: Path) -> None:
    async with siege(tmp_path) as found:
        before = found.states()
        await found.storm(seed=2, count=COUNT // 10)
        warm_mb = memory_mb()
        await found.storm(seed=3, count=COUNT)
        await found.knock(seed=2, count=COUNT // 500)
        print("broker", dict(found.sent), f"{warm_mb:.0f} MB, then {memory_mb():.0f} MB")  # noqa: T201
        assert found.states() == before
        assert found.refused() == found.sent["to agents"]
        assert memory_mb() - warm_mb < 60
