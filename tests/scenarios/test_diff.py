"""`gridpact diff` points at where two runs part, and tells what agents knew there."""

import gzip
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridpact.scenarios.cli import main
from gridpact.scenarios.errors import RecordError
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.differing import parting, report
from gridpact.scenarios.replay.knowledge import knowledge_before

Recorded = Callable[[str], Run]
Settings = dict[str, str]


def told(first: Run, second: Run) -> str:
    lines, differ = report(first, second)
    assert differ
    return "\n".join(lines)


def test_a_run_agrees_with_itself_and_with_a_copy(short: Recorded, tmp_path: Path) -> None:
    one = short("scenario-1")
    shutil.copytree(one.folder, tmp_path / "copy")
    lines, differ = report(one, load_run(tmp_path / "copy"))
    assert (lines, differ) == (["the runs agree in every message, event and measurement"], False)


def test_another_scheme_first_shows_in_how_the_dso_judges_capacity(short: Recorded) -> None:
    text = told(short("scenario-1"), short("scenario-1-dso"))
    assert "scenario: coordination.scheme: 'scenario-1' | 'scenario-1-dso'" in text
    assert "dso-north: prequalification 4.3 capacity validated" in text
    assert "when dso-north got the study capacity/tso/prequalification/capacity/bsp-a/dso-north" in text
    assert "differs in evidence.mode: 'all_together' | 'separately'" in text


def test_another_price_shows_in_the_offer_and_only_its_owner_knew_more(
    short: Recorded, short_settings: Settings, tmp_path: Path
) -> None:
    offers = "[{product: mFRR, direction: up, quantity_mw: 2.5, price_eur_per_mwh: 65}]"
    dearer = load_scenario("scenario-1-dso", {**short_settings, "participants.bsp-a.offers": offers})
    text = told(short("scenario-1-dso"), run(dearer, out=tmp_path / "dearer"))
    first = text.partition("first difference: ")[2].splitlines()
    assert first[0].startswith("message ")
    assert "bsp-a → tso: gridpact.offers/1 step 6.1" in first[1]
    assert "when bsp-a " in text
    assert "differs in content.offers[0].price_eur_per_mwh: 60.0 | 65.0" in text
    known = text.partition("what they knew")[2]
    assert "  bsp-a\n    profile.bids[0].price_eur_per_mwh: 60.0 | 65.0\n  the same: tso, " in known


def test_without_a_journal_only_what_they_knew_cannot_be_told(
    short: Recorded, short_settings: Settings, tmp_path: Path
) -> None:
    silent = load_scenario("scenario-1", {**short_settings, "journal": "false"})
    text = told(short("scenario-1-dso"), run(silent, out=tmp_path / "silent"))
    assert "dso-north: prequalification 4.3 capacity validated" in text
    assert "what they knew just before cannot be told: " in text
    assert "silent has kept no journal; run it again with --set journal=true" in text


def test_a_message_that_was_lost_shows_at_its_sender_and_what_followed(
    short: Recorded, short_settings: Settings, tmp_path: Path
) -> None:
    lossy = load_scenario("scenario-1-dso", {**short_settings, "links.loss": "0.05"})
    other = run(lossy, out=tmp_path / "lossy")
    parted = parting(short("scenario-1-dso"), other)
    assert parted is not None
    assert parted.second is not None
    assert parted.second["received_at"] is None
    assert "differs in received_at: '2026-" in told(short("scenario-1-dso"), other)


def test_knowledge_is_compared_at_the_same_point(short: Recorded, short_settings: Settings, tmp_path: Path) -> None:
    fewer = load_scenario("scenario-1-dso", {**short_settings, "coordination.real_time_limits": "false"})
    text = told(short("scenario-1-dso"), run(fewer, out=tmp_path / "fewer"))
    known = [line for line in text.partition("what they knew")[2].splitlines() if line.startswith("    ")]
    assert known
    assert all(line == "    profile.coordination.dso_limits: True | False" for line in known)


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gridpact", "diff", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(str(exit_.value.code))


def test_exit_codes_tell_equal_different_and_bad_input(
    short: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (str(short(name).folder) for name in ("scenario-1", "scenario-1-dso"))
    assert ended(monkeypatch, one, one) == 0
    assert ended(monkeypatch, one, other) == 1
    assert ended(monkeypatch, one, str(tmp_path)) == 2


def test_a_journal_that_cannot_be_replayed_is_told_with_its_line(short: Recorded, tmp_path: Path) -> None:
    one = short("scenario-1")
    shutil.copytree(one.folder, tmp_path / "damaged")
    path = tmp_path / "damaged" / "journal.jsonl.gz"
    text = gzip.decompress(path.read_bytes()).decode().replace('{"@":"Begin"}', '{"@":"Unheard"}', 1)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    with pytest.raises(RecordError, match=r"journal\.jsonl\.gz:1: this input cannot be replayed"):
        report(load_run(tmp_path / "damaged"), short("scenario-1-dso"))


def test_what_made_an_agent_act_is_known_after_physics_has_left_events_of_its_own(short: Recorded) -> None:
    one = short("scenario-1-dso")
    physical = [row["agent"].startswith("plant:") for row in one.event_rows]
    index = physical.index(False, physical.index(True))
    event = one.event_rows[index]
    cause = knowledge_before(one, "event", index, event["at"]).cause
    assert cause is not None
    assert cause.startswith(event["agent"])
