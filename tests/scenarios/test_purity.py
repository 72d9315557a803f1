"""Agents are pure, and what they agree on depends neither on the clock nor on their names and order."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.replaying import replay

Recorded = Callable[[str], Run]
Settings = dict[str, str]


@pytest.mark.parametrize("name", ["blind", "scenario-1", "scenario-1-dso", "scenario-2"])
def test_a_replayed_run_says_the_same_to_the_byte(name: str, recorded: Recorded) -> None:
    assert replay(recorded(name)) == []


def test_a_replay_notices_another_input(short: Recorded, tmp_path: Path) -> None:
    source = short("scenario-1-dso")
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in source.folder.rglob("*"):
        target = folder / path.relative_to(source.folder)
        target.mkdir(exist_ok=True) if path.is_dir() else target.write_bytes(path.read_bytes())
    lines = gzip.decompress((folder / "journal.jsonl.gz").read_bytes()).decode().splitlines(keepends=True)
    changed = [line.replace('"max_mw":2.5', '"max_mw":2.4') for line in lines]
    assert changed != lines
    (folder / "journal.jsonl.gz").write_bytes(gzip.compress("".join(changed).encode(), mtime=0))
    assert replay(load_run(folder))


def outcome(record: Run) -> dict[str, object]:
    """Qualified MW, merit order, limits, accepted MW: what was agreed."""
    qualified = sorted(
        (row["content"]["applicant"], verdict["resource"], verdict["direction"], verdict["max_mw"])
        for row in record.message_rows
        if row["type"].startswith("gridpact.qualified") or row["type"].startswith("gridpact.not-qualified")
        for verdict in row["content"]["verdicts"]
    )
    order = record.merit_order[["direction", "rank", "participant", "offered_mw", "allowed_mw", "accepted_mw"]]
    limits = record.limits[["participant", "direction", "kind", "max_mw", "confirmed_mw"]]
    return {"qualified": qualified, "order": order.to_dict("list"), "limits": limits.to_dict("list")}


def test_real_time_in_a_started_mango_container_writes_the_same_to_the_byte(
    short: Recorded, short_settings: Settings, tmp_path: Path
) -> None:
    scenario = load_scenario("scenario-1-dso", short_settings)
    paced = run(scenario, out=tmp_path / "paced", realtime=True, speed=2000)
    assert outcome(paced) == outcome(short("scenario-1-dso"))
    for name in ("messages.jsonl", "events.jsonl", "streams.parquet", "telemetry.parquet", "journal.jsonl.gz"):
        assert (paced.folder / name).read_bytes() == (short("scenario-1-dso").folder / name).read_bytes(), name
    assert paced.timing["realtime"]["lateness"]["count"] > 1000


def renamed(scenario: Scenario, names: dict[str, str]) -> Scenario:
    """The same scenario with other names of participants, in the opposite order of the file."""
    plain = json.loads(scenario.model_dump_json())
    people = {names.get(name, name): who for name, who in reversed(plain["participants"].items())}
    return Scenario.model_validate({**plain, "participants": people})


def test_names_and_order_of_participants_change_no_verdict(
    short: Recorded, short_settings: Settings, tmp_path: Path
) -> None:
    names = {"bsp-a": "zeta", "bsp-b": "mid", "bsp-c": "alpha", "gen-t": "a-large-one", "agg-1": "pooled"}
    scenario = renamed(load_scenario("scenario-1-dso", short_settings), names)
    back = {new: old for old, new in names.items()}
    text = re.sub("|".join(back), lambda found: back[found[0]], json.dumps(outcome(run(scenario, out=tmp_path / "r"))))
    ours, theirs = json.loads(json.dumps(outcome(short("scenario-1-dso")))), json.loads(text)
    assert sorted(theirs["qualified"]) == sorted(ours["qualified"])
    assert theirs["order"] == ours["order"]
    assert sorted(zip(*theirs["limits"].values(), strict=True)) == sorted(zip(*ours["limits"].values(), strict=True))


@pytest.mark.parametrize(("loss", "seed"), [("0.03", "1"), ("0.1", "2"), ("0.3", "3")])
def test_loss_reaches_deadlines_and_nothing_hangs(
    loss: str, seed: str, short_settings: Settings, tmp_path: Path
) -> None:
    scenario = load_scenario("scenario-1-dso", {**short_settings, "links.loss": loss, "seed": seed})
    record = run(scenario, out=tmp_path / "lossy")
    lost = [row for row in record.message_rows if row["received_at"] is None]
    assert lost
    assert any("no answer" in json.dumps(row["evidence"]) for row in record.event_rows)
    assert record.telemetry["at"].iloc[-1].timestamp() * 1e6 == scenario.time.end_us
