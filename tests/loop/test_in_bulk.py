"""What subscriptions stream is heard in bulk where no journal is kept, and no record tells the difference."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import gridpact
from gridpact.scenarios.record.run import Run

HERE = Path(__file__).parent
SAME = ("messages.jsonl", "events.jsonl", "streams.parquet", "telemetry.parquet", "settlement.csv", "kpis.json")
SILENCE = {"who": "first", "only": "measurements", "since": "12:06:00", "until": "12:15:00"}


def differing(one: Run, other: Run) -> list[str]:
    return [name for name in SAME if (one.folder / name).read_bytes() != (other.folder / name).read_bytes()]


def test_a_run_in_bulk_leaves_the_bytes_of_the_plain_path(hour: Run, tmp_path: Path) -> None:
    """Limits, cancelled orders and set-points of two directions on the way."""
    in_bulk = gridpact.run(HERE / "hour.yaml", out=tmp_path / "bulk", settings={"journal": False})
    assert differing(hour, in_bulk) == []
    assert len(in_bulk.streams) > 5000


@pytest.mark.parametrize("tick_s", [1.0])
def test_so_it_does_at_other_ticks(at_ticks: Mapping[float, Run], tick_s: float, tmp_path: Path) -> None:
    changes = dict.fromkeys(("ticks.control_s", "ticks.measurement_s", "ticks.monitoring_s"), tick_s)
    in_bulk = gridpact.run(HERE / "quarter.yaml", out=tmp_path / "bulk", settings={**changes, "journal": False})
    assert differing(at_ticks[tick_s], in_bulk) == []


def test_so_it_does_when_measurements_are_lost(unheard: Run, tmp_path: Path) -> None:
    settings = {"links.silences": [SILENCE], "journal": False}
    in_bulk = gridpact.run(HERE / "quarter.yaml", out=tmp_path / "bulk", settings=settings)
    assert differing(unheard, in_bulk) == []
