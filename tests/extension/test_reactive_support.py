"""The built-in plugin: three steps of its own, granted by an AC study, recorded, audited and replayed like ours."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.diagrams.diagram import run_diagram
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.replaying import replay

Rows = list[dict[str, Any]]


def said(run: Run, name: str) -> Rows:
    return [row for row in run.message_rows if row["type"] == f"reactive-support.{name}/1"]


def test_what_the_taps_can_give_is_granted_and_delivered(supported: Run) -> None:
    (granted,), (delivered,) = said(supported, "granted"), said(supported, "delivered")
    assert granted["content"]["q_mvar"] == 0.15
    assert delivered["content"]["q_mvar"] == pytest.approx(0.2, abs=0.05)
    assert delivered["sent_at"] == said(supported, "request")[0]["content"]["end"]


def test_more_than_the_full_lines_leave_room_for_is_refused_with_the_binding_constraint(supported: Run) -> None:
    conversation = said(supported, "request")[1]["conversation_id"]
    refused = [row for row in supported.message_rows if row["conversation_id"] == conversation][1]
    assert refused["performative"] == "refuse"
    assert "line 3-8 loading_percent" in refused["content"]["reason"]


def test_the_import_of_reactive_power_falls_while_it_lasts(supported: Run) -> None:
    telemetry = supported.telemetry.set_index("at")["north.interface_q_mvar"]
    before, during, after = (telemetry[f"2026-03-02T11:{at}Z"] for at in ("08:56", "12:00", "14:00"))
    assert before - during == pytest.approx(0.2, abs=0.03)
    assert after - during == pytest.approx(0.2, abs=0.03)
    taps = supported.states()["trafo.1.tap_pos"]
    assert (taps.min(), taps.max(), taps.iloc[-1]) == (0, 3, 0)


def test_no_limit_is_broken_by_it(supported: Run) -> None:
    assert supported.telemetry["north.vm_min_pu"].min() > 0.95
    assert supported.kpis["violations"]["north"]["minutes"] == 0


def test_its_steps_are_recorded_audited_and_counted(supported: Run) -> None:
    assert [row["step"] for row in supported.message_rows if row["protocol"] == "reactive-support"] == [
        *("11.1", "11.2", "11.3", "11.1"),
        None,
    ]
    result = audit(supported)
    assert result.findings == ()
    steps = [(demand.step, demand.wanted) for demand in result.demands if demand.step.startswith("11.")]
    assert sorted(steps) == [
        ("11.1", "TSO → DSO"),
        ("11.1", "TSO → DSO"),
        ("11.2", "DSO → TSO"),
        ("11.3", "DSO → TSO"),
    ]
    told = supported.kpis["kpi_1_information_exchange"]["information"]["INFO 11"]
    assert (told["expected"], told["sent"], told["delivered"], told["valid"]) == (3, 3, 3, 3)


def test_it_is_drawn_with_its_steps(supported: Run) -> None:
    assert "tso->>dso_north: 11.1 reactive-support.request (INFO 11)" in run_diagram(supported)


def test_it_is_replayed_to_the_byte(supported: Run) -> None:
    assert replay(supported) == []


def test_the_record_holds_the_plugin_and_nothing_else_of_it(supported: Run) -> None:
    kept = sorted(path.name for path in (supported.folder / "plugins").iterdir())
    assert kept == ["reactive_support.py"]
    assert supported.scenario.plugins == ("reactive_support",)


def changed(run: Run, folder: Path, change: Callable[[Rows], Rows]) -> list[str]:
    """Findings of a copy with other messages, beside those about numbers, digests and derived files."""
    shutil.copytree(run.folder, folder)
    rows = change(json.loads(json.dumps(run.message_rows)))
    text = "".join(json.dumps({**row, "sequence": number}) + "\n" for number, row in enumerate(rows))
    (folder / "messages.jsonl").write_text(text)
    return [finding for finding in audit(load_run(folder)).findings if "reactive-support" in finding]


def without(step: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if row["step"] != step]


def test_an_audit_names_the_step_that_is_missing_in_the_middle_of_a_conversation(
    supported: Run, tmp_path: Path
) -> None:
    findings = changed(supported, tmp_path / "run", without("11.1"))
    assert any("step 11.1 (TSO → DSO, INFO 11) is missing" in finding for finding in findings)


def test_an_audit_names_the_step_that_never_came(supported: Run, tmp_path: Path) -> None:
    findings = changed(supported, tmp_path / "run", without("11.3"))
    assert any("step 11.3 (DSO → TSO, INFO 11) is missing" in finding for finding in findings)


def test_an_audit_sees_a_message_between_the_wrong_parties(supported: Run, tmp_path: Path) -> None:
    def turned(rows: Rows) -> Rows:
        return [{**row, "sender": "bsp-a"} if row["step"] == "11.2" else row for row in rows]

    assert any("step 11.2" in finding for finding in changed(supported, tmp_path / "run", turned))


def test_an_audit_sees_a_content_against_its_type(supported: Run, tmp_path: Path) -> None:
    def damaged(rows: Rows) -> Rows:
        return [{**row, "content": {"q_mvar": -1}} if row["step"] == "11.2" else row for row in rows]

    assert any("q_mvar" in finding for finding in changed(supported, tmp_path / "run", damaged))


def test_a_scenario_elsewhere_can_extend_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nextends: reactive-support\nseed: 3\n")
    assert load_scenario(tmp_path / "mine.yaml").plugins == ("reactive_support",)
