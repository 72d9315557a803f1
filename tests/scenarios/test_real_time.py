"""Real time and ticks: the mechanism, not the machine – what came out, and that every tick is accounted for."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

Recorded = Callable[[str], Run]
SHORT = {"time.first_delivery": "2026-03-02T12:30:00+01:00", "time.market_time_units": "1", "time.tail_min": "2"}


def test_real_time_takes_the_time_it_should_and_accounts_for_every_tick(tmp_path: Path) -> None:
    scenario = load_scenario("blind", {**SHORT, "ticks.late": "skip"})
    record = run(scenario, out=tmp_path / "paced", realtime=True, speed=120.0, paced_from="12:45:00")
    told = record.timing["realtime"]
    assert record.timing["run_s"] >= 120 / 120
    assert (told["speed"], told["late"], told["tick_s"]) == (120.0, "skip", 4.0)
    assert told["lateness"]["count"] + told["skipped"] == 120 / 4 + 1
    assert 0 <= told["lateness"]["p50_s"] <= told["lateness"]["p99_s"] <= told["lateness"]["max_s"]
    after = record.telemetry["at"] >= datetime.fromisoformat("2026-03-02T12:45:00+01:00")
    assert after.sum() == told["lateness"]["count"]


def test_real_time_begins_within_the_run(tmp_path: Path) -> None:
    for clock in ("23:00:00", "noon"):
        with pytest.raises(ScenarioError, match="real time from"):
            run(load_scenario("blind", SHORT), out=tmp_path / "run", realtime=True, paced_from=clock)


def test_ticks_that_are_no_multiples_of_each_other_agree_with_equal_ones(short: Recorded, tmp_path: Path) -> None:
    ticks = {"control_s": 6, "measurement_s": 9, "monitoring_s": 7, "study_s": 3}
    settings = {**SHORT, "time.tail_min": "20", **{f"ticks.{name}": str(value) for name, value in ticks.items()}}
    odd = run(load_scenario("scenario-1-dso", settings), out=tmp_path / "odd")
    read = odd.streams[odd.streams["sender"] == "bsp-a"].drop_duplicates("measured_at").set_index("measured_at")
    there = odd.telemetry.set_index("at")["bsp-a.activated_mw"].reindex(read.index)
    assert len(read) > 90
    assert (there == read["activated_mw"]).all()
    ours, even = (record.kpis["cost"]["by_kind_eur"] for record in (odd, short("scenario-1-dso")))
    assert float(ours["balancing_energy"]) == pytest.approx(float(even["balancing_energy"]), rel=0.01)
    studies_are_heard_when_they_are_declared_to_end(odd, after_s=3.0)


def studies_are_heard_when_they_are_declared_to_end(record: Run, after_s: float) -> None:
    """The DSO answers merit order lists so long after it has heard them."""
    lists = record.messages[record.messages["step"] == "6.4"].set_index("id")
    answers = record.messages[record.messages["in_reply_to"].isin(lists.index) & (record.messages["step"] == "6.5")]
    assert len(answers)
    for _, answer in answers.iterrows():
        passed = answer["sent_at"] - lists.loc[answer["in_reply_to"], "received_at"]
        assert passed.total_seconds() == pytest.approx(after_s)
