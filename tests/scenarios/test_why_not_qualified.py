"""Whoever is not qualified, or for less than asked, is found in summary, report and record with the reason."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from once import recorded_once
from rich.console import Console

from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.qualifying import qualifications
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.report.tables import sheets
from gridpact.scenarios.summary.tables import print_summary

SILENT = "dso-north: no answer in time (silent_dso: exclude)"
SLOW = "refused: fully active after 1230 s, but mFRR must be after 750 s"
AWAY = {
    "links.silences": [{"who": "dso-north", "since": "10:00:00", "until": "11:00:00"}],
    "participants.bsp-a.response.ramping_s": "1200",
}
BINDING = {"element": "line 3-8", "kind": "loading_percent", "value": 128.2, "limit": 100.0, "case": "windy"}


@pytest.fixture(scope="module")
def away(shared: Path, short_settings: dict[str, str]) -> Run:
    """A DSO that does not answer before delivery, and a unit that is too slow."""
    scenario = load_scenario("scenario-1-dso", {**short_settings, **AWAY})
    return recorded_once(shared / "away", lambda out: run(scenario, out=out))


def test_the_summary_says_why(away: Run) -> None:
    out = StringIO()
    print_summary(away, Console(file=out, width=200))
    lines = [line for line in out.getvalue().partition("Merit order")[0].splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.split("│")] for line in lines]
    told = {row[1]: row[6] for row in cells}
    assert {who: told[who] for who in ("bsp-a", "bsp-b", "agg-1", "gen-t")} == {
        "bsp-a": SLOW,
        "bsp-b": SILENT,
        "agg-1": SILENT,
        "gen-t": "",
    }


def test_the_report_lists_what_was_not_qualified_as_asked(away: Run) -> None:
    (sheet,) = [sheet for sheet in sheets(away) if sheet.title == "Qualified for less than was asked"]
    rows = {(row[0], row[2]): row[3:] for row in sheet.rows}
    assert rows["bsp-a", "up"] == ("2.5", "0", SLOW)
    assert rows["agg-1", "down"] == ("1", "0", SILENT)
    assert not [who for who, _ in rows if who == "gen-t"]


def test_the_record_holds_the_reason_with_each_verdict(away: Run) -> None:
    told = [row["content"] for row in away.message_rows if row["type"] == "gridpact.not-qualified/1"]
    assert {verdict["reason"] for one in told for verdict in one["verdicts"]} == {SILENT}


def test_a_run_in_which_all_were_qualified_as_asked_has_no_such_list(short: Any) -> None:
    assert not [sheet for sheet in sheets(short("blind")) if sheet.title.startswith("Qualified")]


def row(kind: str, content: dict[str, Any], about: str = "c", receiver: str = "a") -> dict[str, Any]:
    """A message as the record has it; an application comes from whom the TSO answers."""
    sender, to = (receiver, "tso") if kind == "application" else ("tso", receiver)
    who = {"sender": sender, "receiver": to}
    return {"type": f"gridpact.{kind}/1", "conversation_id": about, "content": content, **who}


def asked(about: str, who: str = "a") -> dict[str, Any]:
    return row("application", {"resources": [{"id": "unit", "max_up_mw": 2.0, "max_down_mw": 0.0}]}, about, who)


def test_what_binds_stands_before_what_else_there_is_to_say() -> None:
    verdict = {"resource": "unit", "direction": "up", "max_mw": 1.0, "binding": BINDING, "reason": "test failed"}
    (one,) = qualifications([asked("c"), row("qualified", {"verdicts": [verdict]})])
    assert one.why == "line 3-8 loading_percent 128.2 > 100 (windy); test failed"


def test_a_dso_of_which_nothing_is_known_is_listed_with_the_reason() -> None:
    proposal = {"verdicts": [], "reason": "no answer in time"}
    (one,) = qualifications([row("qualification-proposal", proposal, receiver="dso")])
    assert (one.participant, one.resource, one.asked_mw, one.why) == ("dso", "", None, "no answer in time")


def test_an_application_that_is_refused_changes_nothing_of_what_is_qualified() -> None:
    verdict = {"resource": "unit", "direction": "up", "max_mw": 2.0, "binding": None, "reason": None}
    refused = [asked("d", "b"), row("refuse", {"reason": "no"}, "d", "b")]
    said = [asked("c"), row("qualified", {"verdicts": [verdict]}), *refused]
    assert [(one.participant, one.qualified_mw, one.why) for one in qualifications(said)] == [("a", 2.0, "")]
    assert [(one.participant, one.asked_mw, one.why) for one in qualifications(refused)] == [("b", 2.0, "refused: no")]
