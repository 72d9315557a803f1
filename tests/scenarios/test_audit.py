"""An audit passes on what really happened, and names the step when a record was changed – tracks covered or not."""

import json
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.information.activation import Activate
from gridpact.protocols.messages import Cancel
from gridpact.protocols.stages.activation import ACTIVATION
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.audit import Audit, audit
from gridpact.scenarios.audit.dialogue import Spoken, _replayed
from gridpact.scenarios.audit.report import report
from gridpact.scenarios.cli import main
from gridpact.scenarios.errors import RecordError
from gridpact.scenarios.record.run import Run, load_run

Recorded = Callable[[str], Run]
Tampered = Callable[..., Run]
Rows = list[dict[str, Any]]
Audited = Callable[[str], Audit]
LIMITED = "scenario-1-dso"
ROW = {"id": "m", "step": None, "sender": "tso", "receiver": "a", "info": None, "type": "gridpact.cancel/1"}


@pytest.fixture(scope="module")
def audited(recorded: Recorded) -> Audited:
    """The audit of a built-in scenario, done once."""
    return cache(lambda name: audit(recorded(name)))


@pytest.mark.parametrize("name", ["blind", "scenario-1", "scenario-1-dso", "scenario-2"])
def test_a_run_as_it_was_recorded_passes(name: str, audited: Audited) -> None:
    result = audited(name)
    assert result.findings == ()
    assert result.valid_messages == result.messages


def test_the_steps_that_apply_follow_from_the_scheme(audited: Audited) -> None:
    figures = {
        name: {demand.step.partition(".")[0] for demand in audited(name).demands}
        for name in ("blind", "scenario-1", "scenario-1-dso", "scenario-2")
    }
    assert figures == {
        "blind": {"4", "5", "7"},
        "scenario-1": {"4", "5", "7"},
        "scenario-1-dso": {"4", "6", "7"},
        "scenario-2": {"4", "5", "7", "8", "9", "10"},
    }
    steps = {demand.step for demand in audited("blind").demands}
    assert not steps & {"4.2", "4.3", "4.4", "7.6", "7.7", "7.8", "7.9"}
    limited = {demand.step for demand in audited(LIMITED).demands}
    assert limited >= {f"7.{step}" for step in range(1, 10)}


def test_every_row_of_the_tables_that_applies_is_fulfilled(audited: Audited) -> None:
    one = audited(LIMITED).tables
    assert {evidence.row.info for evidence in one} == {f"INFO {number}" for number in range(1, 9)}
    assert all(evidence.message_ids for evidence in one)
    two = audited("scenario-2").tables
    assert {e.row.info for e in two if e.row.table == 2} == {f"INFO {number}" for number in (1, 3, 4, 6, 7, 9, 10)}
    assert all(evidence.message_ids for evidence in two)


def test_the_report_names_messages_and_events(audited: Audited) -> None:
    lines = list(report(audited(LIMITED), full=True))
    assert "Fig. 6: scenario I, offering with the DSO" in lines
    assert any(line.startswith("  6.5   DSO validates: ") and "event" in line for line in lines)
    assert lines[-1] == "audit passed"


def without_message(kind: str, **content: object) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        found = [
            number
            for number, row in enumerate(rows)
            if row["type"] == f"gridpact.{kind}/1" and all(row["content"][k] == v for k, v in content.items())
        ]
        assert found
        return [row for number, row in enumerate(rows) if number != found[0]]

    return change


DROPPED_MESSAGES = {
    "application": "4.1",
    "capacity-request": "4.2",
    "capacity-verdict": "4.4",
    "test-order": "4.5",
    "test-report": "4.5",
    "qualified": "4.5",
    "offers": "6.1",
    "merit-order-list": "6.4",
    "merit-order-verdict": "6.5",
    "acceptance": "6.8",
    "acceptance-notice": "6.8",
    "activate": "7.1",
    "activated": "7.2",
    "limit-request": "7.7",
    "limit-order": "7.8",
    "offer-modified": "7.9",
    "limit-followed": "7.9",
}


@pytest.mark.parametrize("kind", DROPPED_MESSAGES)
def test_a_dropped_message_is_missed_by_its_step(kind: str, short: Recorded, tampered: Tampered) -> None:
    changed = tampered(short(LIMITED), messages=without_message(kind))
    findings = audit(changed).findings
    assert any(f"step {DROPPED_MESSAGES[kind]} " in finding and "missing" in finding for finding in findings), findings


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("requirements", "8.1"),
        ("technical-data", "8.1"),
        ("qualification-proposal", "8.4"),
        ("merit-order-notice", "9.4"),
        ("baseline-forecast", "9.5"),
    ],
)
def test_a_dropped_message_of_scenario_2_is_missed(kind: str, step: str, short: Recorded, tampered: Tampered) -> None:
    changed = tampered(short("scenario-2"), messages=without_message(kind))
    findings = audit(changed).findings
    assert any(f"step {step} " in finding and "missing" in finding for finding in findings), findings


STEPS = ("4.3", "4.5", "4.6", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7", "6.9", "7.2", "7.4", "7.5", "7.6", "7.9")


@pytest.mark.parametrize("step", STEPS)
def test_dropped_events_are_missed_by_their_step(step: str, short: Recorded, tampered: Tampered) -> None:
    changed = tampered(short(LIMITED), events=lambda rows: [row for row in rows if row["step"] != step])
    findings = audit(changed).findings
    assert any(f"step {step} " in finding and "missing" in finding for finding in findings), findings


def edited(kind: str, edit: Callable[[dict[str, Any]], object], which: int = 0) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        edit([row for row in rows if row["type"] == f"gridpact.{kind}/1"][which])
        return rows

    return change


EDITS: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "another sender": ("activated", lambda row: row.update(sender="bsp-d"), "step 7.2"),
    "another receiver": ("merit-order-verdict", lambda row: row.update(receiver="bsp-a"), "step 6.5"),
    "another role": ("capacity-verdict", lambda row: row.update(sender_role="BSP"), "step 4.4"),
    "another information": ("merit-order-list", lambda row: row.update(info="INFO 3"), "step 6.4"),
    "another step": ("acceptance", lambda row: row.update(step="5.5"), "says offering step 5.5"),
    "another performative": ("limit-request", lambda row: row.update(performative="inform"), "step 7.7"),
    "another type": ("limit-order", lambda row: row.update(type="gridpact.done/1"), "step 7.8"),
    "another stage": ("offers", lambda row: row.update(stage="activation"), "says activation step 6.1"),
    "more ordered than accepted": ("activate", lambda row: row["content"].update(power_mw=9.0), "step 7.1"),
    "more accepted than allowed": (
        "acceptance",
        lambda row: row["content"]["offers"][0].update(quantity_mw=9.0),
        "step 6.8",
    ),
    "a content that is none": ("offers", lambda row: row["content"].update(offers=[]), "step 6.1"),
    "an answer to something never said": (
        "capacity-verdict",
        lambda row: row.update(in_reply_to="tso/x/y/z/dso-north#i0"),
        "step 4.4",
    ),
    "a cause that was never said": ("limit-order", lambda row: row.update(caused_by="nothing"), "step 7.7"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_message_with_(kind: str, short: Recorded, tampered: Tampered) -> None:
    message, edit, wanted = EDITS[kind]
    findings = audit(tampered(short(LIMITED), messages=edited(message, edit))).findings
    assert any(wanted in finding for finding in findings), findings


def test_a_verdict_that_comes_after_the_acceptance_is_out_of_order(short: Recorded, tampered: Tampered) -> None:
    def later(rows: Rows) -> Rows:
        verdict = next(row for row in rows if row["type"] == "gridpact.merit-order-verdict/1")
        verdict["received_at"] = "2026-03-02T11:20:00Z"
        return rows

    findings = audit(tampered(short(LIMITED), messages=later)).findings
    assert any("step 6.8" in f and "before the DSO's validation (step 6.5)" in f for f in findings), findings


def test_an_order_above_a_limit_in_force_is_found(recorded: Recorded, tampered: Tampered) -> None:
    def above(rows: Rows) -> Rows:
        for row in rows:
            if row["type"] == "gridpact.limit-request/1":
                for limit in row["content"]["limits"]:
                    limit["max_mw"] = 0.0
        return rows

    findings = audit(tampered(recorded(LIMITED), messages=above)).findings
    assert any("above the limit of 0 MW in force (step 7.7)" in finding for finding in findings), findings


@pytest.mark.parametrize(("again_us", "findings"), [(200, 0), (199, 1)])
def test_what_is_said_because_of_a_silence_may_be_said_at_the_deadline_itself(again_us: int, findings: int) -> None:
    """Two cancels, of which the first gets no answer by 200 µs."""
    order = Activate(
        offer_id="a.Q1.mFRR-up.1", product="mFRR", direction="up", kind="activate", power_mw=1, start=0, end=900
    )
    view = Conversation(ACTIVATION, Topic("tso", "activation", "Q1", "a.Q1.mFRR-up.1.1", "a"), Side.INITIATOR)
    view, asked = view.say(order, reply_by_us=100)
    view, cancel = view.say(Cancel(reason="no longer needed"), reply_by_us=200)
    _, again = view.silent().say(Cancel(reason="no answer in time"), reply_by_us=300)
    spoken = [Spoken(ROW, *each, None) for each in ((asked, 0), (cancel, 50), (again, again_us))]
    assert len(_replayed(view.id, spoken, BUSINESS_USE_CASE)) == findings


def test_swapped_steps_are_out_of_order(short: Recorded, tampered: Tampered) -> None:
    def swap(rows: Rows) -> Rows:
        events = [row for row in rows if row["step"] in ("4.3", "4.6") and "bsp-a" in json.dumps(row)]
        events[0]["at"], events[1]["at"] = events[1]["at"], events[0]["at"]
        return sorted(rows, key=lambda row: row["at"].rstrip("Z"))

    findings = audit(tampered(short(LIMITED), events=swap)).findings
    assert any("comes before step 4.3 for bsp-a" in finding for finding in findings), findings


def test_measurements_that_were_never_sent_are_missed(short: Recorded, tampered: Tampered) -> None:
    def silence(folder: Path) -> None:
        table = pq.read_table(folder / "streams.parquet")
        kept = table.filter([sender != "bsp-a" for sender in table["sender"].to_pylist()])
        pq.write_table(kept, folder / "streams.parquet")

    findings = audit(tampered(short(LIMITED), files=silence)).findings
    assert any(f.startswith("step 7.3 (BSP → TSO, INFO 7) is missing for bsp-a") for f in findings), findings


def shifted(file: str, column: str, by_mw: float, sender: str | None = None) -> Callable[[Path], None]:
    """Adds MW to the first value there is of a column (of a sender)."""

    def change(folder: Path) -> None:
        table = pq.read_table(folder / file)
        values, senders = table[column].to_pylist(), table["sender"].to_pylist() if sender else [None] * len(table)
        first = next(i for i, mw in enumerate(values) if mw is not None and senders[i] == sender)
        values[first] += by_mw
        at = table.schema.get_field_index(column)
        changed = pa.array(values, table.schema.field(column).type)
        pq.write_table(table.set_column(at, table.schema.field(column), changed), folder / file)

    return change


@pytest.mark.parametrize("quantity", ["p_mw", "activated_mw", "baseline_mw"])
@pytest.mark.parametrize(
    ("name", "who", "step"), [(LIMITED, "bsp-a", "7.3"), (LIMITED, "agg-1", "7.3"), ("scenario-2", "dso-north", "10.3")]
)
def test_a_changed_measurement_disagrees_with_telemetry(
    name: str, who: str, step: str, quantity: str, *, short: Recorded, tampered: Tampered
) -> None:
    findings = audit(tampered(short(name), files=shifted("streams.parquet", quantity, 0.5, who))).findings
    assert any(f.startswith(f"step {step}: {quantity} of {who} is ") for f in findings), findings


def test_changed_telemetry_disagrees_with_the_measurement(short: Recorded, tampered: Tampered) -> None:
    def change(folder: Path) -> None:
        table = pq.read_table(folder / "telemetry.parquet")
        values = [mw + 0.01 for mw in table["bsp-a.p_mw"].to_pylist()]
        at = table.schema.get_field_index("bsp-a.p_mw")
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values)), folder / "telemetry.parquet")

    findings = audit(tampered(short(LIMITED), files=change)).findings
    assert any(f.startswith("step 7.3: p_mw of bsp-a is ") for f in findings), findings


@pytest.mark.parametrize("name", ["messages.jsonl", "events.jsonl"])
@pytest.mark.parametrize("change", ["dropped", "added", "moved"])
def test_a_line_that_was_(
    name: str, change: str, short: Recorded, tmp_path: Path, write_lines: Callable[[Path, Rows], None]
) -> None:
    shutil.copytree(short(LIMITED).folder, tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / name).read_text().splitlines()]
    line = rows.pop(20)
    if change != "dropped":
        rows[30:30] = [line, rows[29]] if change == "added" else [line]
    write_lines(tmp_path / "run" / name, rows)
    findings = audit(load_run(tmp_path / "run")).findings
    assert any(f"{name}:21: sequence is" in finding for finding in findings)
    assert any(f"{name} was changed after the run" in finding for finding in findings)


@pytest.mark.parametrize("name", ["offers.csv", "merit_order.csv", "settlement.csv", "kpis.json", "limits.csv"])
def test_a_changed_figure_is_found(name: str, short: Recorded, tmp_path: Path) -> None:
    shutil.copytree(short(LIMITED).folder, tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_text(path.read_text().replace("2.5", "2.6").replace("0.0,", "0.1,", 1))
    findings = audit(load_run(tmp_path / "run")).findings
    assert any(f"{name} is not what follows" in f for f in findings) or any(
        f"{name} was changed" in f for f in findings
    )


def test_findings_exit_with_1_and_damage_with_2(
    short: Recorded, tampered: Tampered, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tampered(short(LIMITED), messages=without_message("merit-order-verdict"))
    monkeypatch.setattr(sys, "argv", ["gridpact", "audit", str(changed.folder)])
    with pytest.raises(SystemExit) as found:
        main()
    assert found.value.code == 1
    assert "FINDING step 6.5 (DSO → TSO, INFO 5) is missing for dso-north" in capsys.readouterr().out
    lines = (changed.folder / "messages.jsonl").read_text().splitlines()
    (changed.folder / "messages.jsonl").write_text("\n".join([*lines[:6], lines[6][:40], *lines[7:]]))
    with pytest.raises(RecordError, match=r"messages\.jsonl:7: this line is damaged"):
        audit(load_run(changed.folder))
