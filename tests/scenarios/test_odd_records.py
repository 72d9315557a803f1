"""Records with odd names, of odd plugins, interrupted or damaged: read as they are, whole or not there, or refused."""

import gzip
import io
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gridpact.scenarios.audit import audit
from gridpact.scenarios.errors import RecordError, ScenarioError
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.activation import limits
from gridpact.scenarios.record.columns import ACTIVATIONS, OFFERS, Table
from gridpact.scenarios.record.directory import RunDirectory
from gridpact.scenarios.record.moments import network_at
from gridpact.scenarios.record.offering import is_of, offers
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.record.writer import RunWriter
from gridpact.scenarios.replay.replaying import replay
from gridpact.scenarios.summary.tables import print_summary

Recorded = Callable[[str], Run]
OWN_SERIES = "extends: blind\nname: mine\ngrids: {north: {series: {source: load.csv}}}\n"


def row_of(table: Table, **values: object) -> bytes:
    return ",".join(str(values.get(name, "")) for name in table.names).encode() + b"\n"


@pytest.mark.parametrize("name", ["NA", "null", "None", "nan", "true"])
def test_whatever_a_participant_is_called_tables_have_its_name(name: str, tmp_path: Path) -> None:
    for table in (OFFERS, ACTIVATIONS):
        head = ",".join(table.names).encode() + b"\n"
        (tmp_path / table.file).write_bytes(head + row_of(table, offer_id="o", participant=name))
    for frame in (Run(tmp_path).offers, Run(tmp_path).activations):
        assert frame["participant"].tolist() == [name]
        assert frame["direction"].isna().all()


def test_what_a_plugin_says_was_rejected_is_no_offer_of_ours() -> None:
    assert offers([{"type": "my.answer/1", "info": None, "content": {"rejected": True}}], []) == []


def test_the_limit_of_a_participant_whose_name_begins_as_its_dso_s_is_not_kept_by_the_dso() -> None:
    assert is_of("dso", "dso.20260302T1100Z.mFRR-up.1")
    assert not is_of("dso", "dso.wind.20260302T1100Z.mFRR-up.1")
    assert is_of("dso.wind", "dso.wind.20260302T1100Z.mFRR-up.1")
    limit: dict[str, Any] = dict.fromkeys(("resource", "direction", "kind", "max_mw", "binding", "valid_until"))
    limit["offer_id"] = "dso.wind.20260302T1100Z.mFRR-up.1"
    request = {"id": "a#i0", "sender": "dso", "type": "gridpact.limit-request/1", "conversation_id": "a"}
    times = {"sent_at": "2026-03-02T11:00:00Z", "received_at": None}
    (row,) = limits([request | times | {"content": {"limits": [limit]}}], [])
    assert (row["participant"], row["confirmed_mw"]) == (None, None)


def test_a_run_whose_file_has_vanished_leaves_nothing_behind(tmp_path: Path, two_days: bytes) -> None:
    (tmp_path / "load.csv").write_bytes(two_days)
    (tmp_path / "mine.yaml").write_text(OWN_SERIES)
    scenario = load_scenario(tmp_path / "mine.yaml")
    (tmp_path / "load.csv").unlink()
    with pytest.raises(ScenarioError, match=r"load\.csv cannot be read"):
        RunWriter(scenario, tmp_path / "runs" / "mine")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.fixture
def two_days() -> bytes:
    return b"at,load.0.p_mw\n2026-03-02T00:00:00+01:00,1\n2026-03-04T00:00:00+01:00,1\n"


@pytest.mark.parametrize("moves", [0, 1])
def test_an_earlier_run_is_still_there_if_its_replacement_is_interrupted(
    moves: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, left = tmp_path / "run", [moves]
    out.mkdir()
    (out / "manifest.json").write_text(json.dumps({"format": "gridpact-run", "files": {"old": {}}}))
    (out / "old").touch()
    directory = RunDirectory(out)
    move = os.rename

    def interrupted(*paths: Any) -> None:
        if left[0] == 0:
            left[0] = -1
            raise KeyboardInterrupt
        left[0] -= 1
        move(*paths)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        directory.commit()
    directory.discard()
    assert (out / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("out", [".", "..", "runs/.."])
def test_a_run_that_would_have_no_name_is_refused_before_it_begins(out: str) -> None:
    with pytest.raises(RecordError, match="a name of its own"):
        RunDirectory(Path(out))


def test_brackets_in_a_title_are_printed_and_no_markup(short: Recorded, tmp_path: Path) -> None:
    folder, printed = tmp_path / "run", io.StringIO()
    shutil.copytree(short("scenario-1-dso").folder, folder)
    text = (folder / "scenario.yaml").read_text()
    title = load_scenario(folder / "scenario.yaml").title
    (folder / "scenario.yaml").write_text(text.replace(f"title: {title}", "title: 'a study [/draft] of [red]'"))
    print_summary(load_run(folder), Console(file=printed, width=120))
    assert "a study [/draft] of [red]" in printed.getvalue()


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_at_the_end_of_the_calendar_is_outside_the_record_too(at: str, short: Recorded) -> None:
    with pytest.raises(RecordError, match="this time is outside the record"):
        network_at(short("scenario-1-dso"), at, "north")


def test_a_journal_with_damage_inside_is_told_in_one_sentence(short: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(short("scenario-1-dso").folder, folder)
    packed = bytearray((folder / "journal.jsonl.gz").read_bytes())
    packed[len(packed) // 2 : len(packed) // 2 + 64] = bytes(64)
    (folder / "journal.jsonl.gz").write_bytes(packed)
    with pytest.raises(RecordError, match=r"journal\.jsonl\.gz.*damaged"):
        list(load_run(folder).journal_rows())


def test_an_input_that_no_agent_can_take_is_a_difference_of_the_replay(short: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(short("scenario-1-dso").folder, folder)
    text = gzip.decompress((folder / "journal.jsonl.gz").read_bytes()).decode()
    changed = re.sub(r'"timer":"[^"]*"', '"timer":[]', text, count=1)
    assert changed != text
    (folder / "journal.jsonl.gz").write_bytes(gzip.compress(changed.encode(), mtime=0))
    (found,) = replay(load_run(folder))
    assert found.file == "journal.jsonl.gz"
    assert "AttributeError" in found.replayed


def test_a_manifest_without_digests_is_damaged(tmp_path: Path) -> None:
    told = {"format": "gridpact-run", "format_version": 2, "files": {"messages.jsonl": None}}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(RecordError, match="the manifest is damaged"):
        load_run(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({**told, "files": None}))
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RecordError, match="other files than a run"):
        RunDirectory(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("id", None, "id should be a text"),
        ("sequence", "0", "sequence should be a whole number"),
        ("sent_at", "noon", "sent_at should be a time in UTC"),
        ("step", {}, "step should be a text"),
        ("content", [], "content should be an object"),
    ],
)
def test_a_line_that_says_something_else_than_its_table_is_damaged(
    key: str, value: object, wanted: str, short: Recorded, tmp_path: Path
) -> None:
    row = short("scenario-1-dso").message_rows[0]
    (tmp_path / "messages.jsonl").write_text(json.dumps({**row, key: value}) + "\n")
    with pytest.raises(RecordError, match=rf"messages\.jsonl:1: this line is damaged: {wanted}"):
        _ = Run(tmp_path).message_rows


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("definitive merit order list", "entries", "none"),
        ("books closed", "payments", [{"amount_eur": "much"}]),
    ],
)
def test_evidence_that_nobody_can_follow_is_a_finding(
    name: str, key: str, value: object, short: Recorded, tmp_path: Path
) -> None:
    folder = tmp_path / "tampered"
    shutil.copytree(short("scenario-1-dso").folder, folder)
    rows = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    event = next(row for row in rows if row["evidence"].get("name") == name)
    event["evidence"][key] = value
    (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = audit(load_run(folder)).findings
    assert any(text.startswith("the evidence of some event lacks") for text in found) or "cannot be computed" in str(
        found
    )
