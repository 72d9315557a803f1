"""The TSO watches the quality of service: warned, lowered, terminated – each with replacement from the list."""

from typing import Any

from gridpact.agents.tso.activation import quality
from gridpact.agents.tso.activation.quality import Look
from gridpact.agents.tso.state import Known, Service
from gridpact.protocols.information.activation import Measurement
from gridpact.scenarios.description import consistency

MINUTE_US = 60_000_000


def test_a_participant_whose_data_stay_away_is_warned_lowered_terminated_and_replaced(make: Any) -> None:
    silent = lambda e: isinstance(e.content, Measurement) and e.sender == "a" and e.receiver == "tso"  # noqa: E731
    town = make.usual(need_mw=2.0).run(3700)
    town.loses = silent
    town.run(4000)
    assert [n for n in ("warned", "lowered", "terminated") if town.noted(f"service {n}")] == [
        "warned",
        "lowered",
        "terminated",
    ]
    assert "a.Q1.mFRR-up.1" in town.state("tso").activation.failed
    assert town.state("a").set_points["unit-a"] == 0.0
    assert town.state("b").set_points["unit-b"] > 0.0


def test_a_participant_that_dates_its_measurements_an_hour_ahead_is_believed_no_longer_than_one_that_is_silent(
    make: Any,
) -> None:
    town = make.usual(need_mw=2.0).run(3700)
    make.ahead(town, "a", 3600)
    town.run(4000)
    assert [n for n in ("warned", "lowered", "terminated") if town.noted(f"service {n}")] == [
        "warned",
        "lowered",
        "terminated",
    ]
    assert {note["data"] for note in town.noted("service warned")} == {"stale"}
    assert town.state("b").set_points["unit-b"] > 0.0
    assert town.noted("measurements from the future not taken") == [
        {"name": "measurements from the future not taken", "participant": "a", "ahead_s": 3600.0}
    ]
    make.ahead(town, "a", -3600)
    town.run(4010)
    assert [note["participant"] for note in town.noted("measurements dated right again")] == ["a"]
    assert town.state("tso").activation.last("a").measured_us == 4_008_000_000


def test_a_clock_that_is_a_little_ahead_changes_nothing(make: Any) -> None:
    town, true = make.usual(need_mw=2.0).run(3700), make.usual(need_mw=2.0).run(4000)
    make.ahead(town, "a", 12)
    town.run(4000)
    assert town.state("tso").activation.last("a") == true.state("tso").activation.last("a")
    assert town.noted("service warned") == town.noted("measurements from the future not taken") == []


def test_a_breach_that_ends_counts_for_nothing() -> None:
    bad, good = Look(2.0, 1.0, fresh=True, due=True), Look(2.0, 1.9, fresh=True, due=True)
    service, _ = quality._judged(Service(), bad, 0, MINUTE_US)
    service, measure = quality._judged(service, bad, MINUTE_US, MINUTE_US)
    assert (service.level, measure) == (1, "warned")
    assert quality._judged(service, good, MINUTE_US + 1, MINUTE_US)[0].level == 0


def test_the_check_of_a_scenario_knows_how_many_steps_patience_has() -> None:
    assert len(quality.STAGES) == 1 + consistency.STEPS_OF_PATIENCE


def test_an_order_is_not_judged_before_it_is_due() -> None:
    assert not Look(2.0, 0.0, fresh=True, due=False).breach
    assert Look(2.0, 0.0, fresh=True, due=True).breach


def test_what_goes_the_wrong_way_is_not_delivered(make: Any) -> None:
    town = make.usual(need_mw=2.0).run(3700)
    state = town.state("tso")
    known = state.activation.known.set("a", Known(-2.0, town.now_us))
    ((who, asked),) = quality._ordered(make.tso().profile, state, town.now_us)
    assert (who, asked.offer_ids) == ("a", ["a.Q1.mFRR-up.1"])
    looked = quality._look(make.tso().profile, state.with_activation(known=known), who, asked, town.now_us)
    assert (looked.requested_mw, looked.delivered_mw) == (2.0, 0.0)


def test_a_service_that_is_good_again_is_noted(make: Any) -> None:
    town = make.usual(need_mw=2.0).run(3700)
    town.loses = lambda e: isinstance(e.content, Measurement) and e.sender == "a" and e.receiver == "tso"
    town.run(3800)
    assert town.noted("service ok") == []
    town.loses = lambda _: False
    town.run(3820)
    assert [note["participant"] for note in town.noted("service ok")] == ["a"]
    assert town.noted("service lowered") == []
