"""A run in which all signals go by way of the DSO: what participants hear, and what an audit sees of it."""

from pathlib import Path

import pandas as pd
import pytest

import gridpact
from gridpact.scenarios.audit import audit, relay
from gridpact.scenarios.audit.index import Index
from gridpact.scenarios.record.run import Run

HOUR = Path(__file__).parent / "hour.yaml"
TICKS = ("ticks.control_s", "ticks.measurement_s", "ticks.monitoring_s")


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The hour of the loop at a tick of 10 s."""
    settings = {**dict.fromkeys(TICKS, 10.0), "coordination.signal_route": "via_dso"}
    return gridpact.run(HOUR, out=tmp_path_factory.mktemp("routed") / "hour", settings=settings)


@pytest.fixture(scope="module")
def sent(routed: Run) -> pd.DataFrame:
    rows = routed.streams[routed.streams["type"] == "gridpact.set-point/1"].copy()
    return rows.assign(about=rows["conversation_id"].map(relay.subscribed(Index(routed))).fillna(rows["receiver"]))


def test_every_set_point_of_a_participant_in_the_grid_is_passed_on_in_its_cycle(sent: pd.DataFrame) -> None:
    ways = set(zip(sent["sender"], sent["receiver"], strict=True))
    assert ways == {("tso", "dso-north"), ("tso", "hydro"), *(("dso-north", n) for n in ("bsp-a", "bsp-b", "agg-1"))}
    passed = sent[sent["sender"] == "dso-north"]
    heard = sent.set_index("id").loc[passed["caused_by"]]
    waited = passed["sent_at"].reset_index(drop=True) - heard["sent_at"].reset_index(drop=True)
    assert (waited <= pd.Timedelta("10s")).all()  # what a limit lowers at once repeats the one before
    assert (passed["power_mw"].abs().to_numpy() <= heard["power_mw"].abs().to_numpy()).all()


def test_a_limit_lowers_what_a_participant_hears_in_the_cycle_in_which_it_is_asked_for(
    routed: Run, sent: pd.DataFrame
) -> None:
    limit = routed.limits.iloc[0]
    lowered = [row for row in routed.event_rows if row["evidence"].get("name") == "set-point lowered"]
    assert [row["evidence"]["power_mw"] for row in lowered] == [limit["max_mw"]]
    assert pd.Timestamp(lowered[0]["at"]) == limit["sent_at"]
    own = sent[(sent["receiver"] == limit["participant"]) & (sent["sent_at"] >= limit["sent_at"])]
    assert own[own["sent_at"] < limit["valid_until"]]["power_mw"].max() == limit["max_mw"]
    before = sent[(sent["about"] == limit["participant"]) & (sent["sent_at"] < limit["sent_at"])]
    assert before["power_mw"].max() > limit["max_mw"]


def test_an_audit_passes_and_finds_what_was_raised_on_its_way(routed: Run, sent: pd.DataFrame) -> None:
    assert audit(routed).findings == ()
    by_tso, passed = sent[sent["sender"] == "tso"], sent[sent["receiver"] == "bsp-a"].copy()
    assert list(relay.not_raised("bsp-a", passed, by_tso)) == []
    last = passed.index[passed["power_mw"] > 0][-1]
    passed.loc[last, "power_mw"] += 0.2
    assert "was passed on to bsp-a, the TSO had asked for" in next(relay.not_raised("bsp-a", passed, by_tso))
