"""Point 15 of what a TSO expert looks for: silence, injected; what is declared happens and is seen in the record."""

import re
from pathlib import Path

import pandas as pd
import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.replaying import replay

QUARTER = Path(__file__).parent / "quarter.yaml"
SILENCES = """[{who: dso-north, since: "12:35:20", until: "12:44:50"},
 {who: bsp-a, to: dso-north, since: "12:36:00", until: "12:38:00"},
 {who: agg-1, to: tso, only: measurements, since: "12:36:00", until: "12:44:50"}]"""
SETTINGS = {
    "time.first_delivery": "2026-03-02T12:30:00+01:00",
    "time.market_time_units": "1",
    "coordination.limits.validity_min": "3",
    "links.silences": SILENCES,
}


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A quarter-hour in which the DSO falls silent just after its first limit, and others too."""
    from gridpact.scenarios.operation.running import run

    folder: Path = tmp_path_factory.mktemp("silent") / "run"
    return load_run(run(load_scenario("scenario-1-dso", SETTINGS), out=folder).folder)


def noted(run: Run, name: str) -> list[tuple[str, str]]:
    return [(row["agent"], row["at"][11:19]) for row in run.event_rows if row["evidence"].get("name") == name]


def test_15_a_silent_dsos_limits_lapse_the_overload_comes_back_and_protection_trips(silent: Run) -> None:
    assert noted(silent, "limits lapsed") == [("tso", "11:38:00")]
    assert ("bsp-c", "11:38:00") in noted(silent, "limit lapsed")
    ((who, tripped_at),) = noted(silent, "protection trip")
    assert who == "plant:north"
    assert tripped_at > "11:38:00"
    assert silent.kpis["consequences"]["lost_load_mwh"] > 0


def test_15_stale_measurements_are_held_then_warned_lowered_terminated(silent: Run) -> None:
    steps = [noted(silent, f"service {step}") for step in ("warned", "lowered", "terminated")]
    times = [next(at for _, at in found) for found in steps]
    assert times == sorted(times)
    assert noted(silent, "measurement given up")[0][0] == "tso"


def test_15_a_dso_without_info_7_assumes_what_was_accepted(silent: Run) -> None:
    begun, over = noted(silent, "measurements missing"), noted(silent, "measurements no longer missing")
    assert begun[0] == ("dso-north", "11:36:12")
    assert over[0][1] >= "11:38:00"


def test_what_was_lost_is_in_the_record_without_a_time_of_receipt(silent: Run) -> None:
    lost = [row for row in silent.message_rows if row["sender"] == "dso-north" and row["received_at"] is None]
    assert "gridpact.limit-request/1" in {row["type"] for row in lost}


def test_a_run_with_silences_passes_the_audit_and_replays(silent: Run) -> None:
    assert audit(silent).findings == ()
    assert replay(silent) == []


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (
            '[{who: dso-nord, since: "12:00", until: "12:10"}]',
            'there is no participant "dso-nord"; did you mean "dso-north"?',
        ),
        ('[{who: tso, since: "12:10", until: "12:10"}]', "the silence of tso must end after it begins: 12:10 to 12:10"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(setting: str, text: str) -> None:
    from gridpact.scenarios.errors import ScenarioError

    with pytest.raises(ScenarioError) as error:
        load_scenario("scenario-1-dso", {"links.silences": setting})
    assert text in str(error.value)


@pytest.fixture(scope="module")
def headless(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A quarter-hour of aFRR in which the TSO is silent for three minutes, and one participant as it is ordered."""
    from gridpact.scenarios.operation.running import run

    silences = """[{who: tso, since: "12:06:00", until: "12:09:00"},
     {who: second, since: "11:58:30", until: "11:59:55"}]"""
    folder: Path = tmp_path_factory.mktemp("headless") / "run"
    return load_run(run(load_scenario(str(QUARTER), {"links.silences": silences}), out=folder).folder)


def test_15_without_set_points_the_last_one_is_held_then_the_baseline_until_they_come_again(headless: Run) -> None:
    ((who, gone_at),) = noted(headless, "set-points missing, back to baseline")
    assert (who, gone_at[:5]) == ("first", "11:07")
    assert [at[:5] for _, at in noted(headless, "set-points no longer missing")] == ["11:09"]
    frame = headless.telemetry.set_index("at")["first.activated_mw"]
    at = {clock: frame.asof(pd.Timestamp(f"2026-03-02T11:{clock}Z")) for clock in ("05:56", "06:56", "08:56", "14:00")}
    assert at["06:56"] == pytest.approx(at["05:56"], abs=0.2)
    assert at["08:56"] == pytest.approx(0.0, abs=0.01)
    assert at["14:00"] > 2.0


def test_15_who_does_not_answer_a_request_is_not_counted_on_and_that_is_seen(headless: Run) -> None:
    assert [who for who, _ in noted(headless, "offer not under control")] == ["tso"]
    assert headless.telemetry["second.set_point_mw"].fillna(0.0).max() == 0.0
    assert audit(headless).findings == ()


def test_every_event_of_the_page_is_left_by_some_agent() -> None:
    root = Path(__file__).parents[2]
    rows = [
        line for line in (root / "docs" / "lost-communication.md").read_text("utf-8").splitlines() if line[:2] == "| "
    ]
    names = {name for line in rows[1:] for name in re.findall(r"`([^`]+)`", line.split("|")[3])}
    sources = "".join(path.read_text("utf-8") for part in ("agents", "grid") for path in (root / part).rglob("*.py"))
    stages = {f"service {stage}" for stage in ("ok", "warned", "lowered", "terminated")}
    assert len(names) > 15
    assert sorted(name for name in names - stages if f'"{name}"' not in sources) == []


def test_every_option_of_lost_communication_stands_in_its_page() -> None:
    from gridpact.scenarios.description.security import LimitRules, LostCommunication, Silence

    page = (Path(__file__).parents[2] / "docs" / "lost-communication.md").read_text("utf-8")
    for part in (LimitRules, LostCommunication, Silence):
        assert [name for name in part.model_fields if f"{name}:" not in page] == []
