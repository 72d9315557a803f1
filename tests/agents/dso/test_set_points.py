"""Set-points of aFRR by way of the DSO: passed on in the same cycle, lowered to its limits, never raised."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.bsp import Bsp
from gridpact.agents.market.channel import ChannelRules
from gridpact.agents.profiles import Need, RegulationRules, TestRules
from gridpact.agents.strategies import ProportionalIntegral
from gridpact.agents.tso import Tso
from gridpact.protocols.information.activation import (
    LimitRequest,
    Measurement,
    SetPoint,
    SetPointRelaySubscription,
    SetPointSubscription,
)
from gridpact.protocols.messages import Agree, Failure, Refuse

S = 1_000_000
NEEDS = (Need("aFRR", "up", 6.0), Need("aFRR", "down", 4.0))
Town = Any


def tso(make: Any) -> Tso:
    rules = RegulationRules(ProportionalIntegral(0.5, 20.0), "merit_order", ChannelRules(30 * S, 300 * S, 0.05, 100.0))
    test = TestRules(60 * S, 5 * S, 0.05, 0.95, pause_us=10 * S, at_once=4)
    return Tso(replace(make.tso(*NEEDS, signal_route="via_dso").profile, regulation=rules, test=test))


def bsp(make: Any, name: str, price: float, grid: str = "north") -> Bsp:
    prices = {"up": price, "down": 100 - price}
    plans = [make.plan(name, price=prices[way], direction=way, product="aFRR") for way in ("up", "down")]
    profile = make.bsp(name, *plans, grid=grid, signal_route="via_dso").profile
    return Bsp(replace(profile, product="aFRR", dso="dso" if grid == "north" else None))


def usual(make: Any, **world: Any) -> Town:
    people = bsp(make, "a", 60.0), bsp(make, "b", 70.0), bsp(make, "t", 80.0, make.TRANSMISSION)
    return make.town(tso(make), make.dso(signal_route="via_dso"), *people, **world).begin()


def set_points(town: Town, sender: str, receiver: str, since_s: float = 0) -> list[tuple[int, float, Any]]:
    return [
        (at, e.content.power_mw, e)
        for at, e in town.said
        if isinstance(e.content, SetPoint) and (e.sender, e.receiver) == (sender, receiver) and at >= since_s * S
    ]


def test_set_points_go_by_way_of_the_dso_in_the_same_cycle_and_are_followed(make: Any) -> None:
    town = usual(make, need_mw=1.5).run(3800)
    assert town.power_mw["unit-a"] == pytest.approx(1.5, abs=0.01)
    assert not set_points(town, "tso", "a")
    asked = [row for row in set_points(town, "tso", "dso") if row[2].conversation_id.endswith("-a/tso")]
    passed = set_points(town, "dso", "a")
    assert [(at, mw) for at, mw, _ in passed] == [(at, mw) for at, mw, _ in asked]
    assert [e.caused_by for *_, e in passed] == [e.id for *_, e in asked]


def test_who_is_not_in_the_grid_of_a_dso_hears_the_tso(make: Any) -> None:
    town = usual(make, need_mw=6.0).run(3800)
    assert set_points(town, "tso", "t")
    assert {e.content.participant for _, e in town.said if isinstance(e.content, SetPointRelaySubscription)} == {
        "a",
        "b",
    }


def test_a_measurement_acknowledges_the_set_point_that_the_dso_has_said(make: Any) -> None:
    town = usual(make, need_mw=1.5).run(3800)
    own = [e for _, e in town.said if isinstance(e.content, Measurement) and e.sender == "a"]
    assert own[-1].caused_by.startswith("a/activation/delivery/set-points/dso#r")


def test_a_limit_lowers_the_set_point_at_the_dso_before_the_tso_has_heard_of_it(make: Any) -> None:
    town = usual(make, need_mw=2.0).run(3700)
    town.lab = make.capped(a=1.2)
    town.loses = lambda e: isinstance(e.content, LimitRequest)
    town.run(3712)
    at = next(at for at, e in town.said if isinstance(e.content, LimitRequest))
    later = [mw for when, mw, _ in set_points(town, "dso", "a") if when >= at]
    assert later
    assert max(later) == 1.2
    assert any(mw == 2.0 for when, mw, _ in set_points(town, "tso", "dso") if when > at)  # the TSO does not know
    assert town.power_mw["unit-a"] == 1.2
    lowered = town.noted("set-point lowered")[0]
    assert (lowered["participant"], lowered["power_mw"]) == ("a", 1.2)


def test_a_set_point_is_never_raised_to_a_limit_nor_touched_the_other_way(make: Any) -> None:
    town = usual(make, need_mw=2.0).run(3700)
    town.lab = make.capped(a=1.2)
    town.run(3712)
    town.need_mw = 0.5
    town.run(3900)
    assert set_points(town, "dso", "a")[-1][1] == pytest.approx(0.5, abs=0.01)
    town.lab, town.need_mw = make.answers, -1.5
    town.run(4100)
    assert town.power_mw["unit-a"] == pytest.approx(-1.5, abs=0.01)


def test_the_tso_gives_set_points_of_a_participant_to_nobody_but_the_dso_of_its_grid(make: Any) -> None:
    town = usual(make, need_mw=1.5)
    direct = replace(bsp(make, "a", 60.0).profile, dso=None)
    town.nodes["a"].agent = Bsp(direct)
    town.run(3700)
    assert [one.reason for one in town.contents(Refuse, "tso")] == ["the set-points of a go to dso"]


def test_a_subscription_that_was_lost_on_either_leg_is_asked_for_again(make: Any) -> None:
    for lost in ("a/activation/delivery/set-points/dso#i0", "dso/activation/delivery/set-points.1-a/tso#i0"):
        town = usual(make, need_mw=1.5, loses=lambda e, lost=lost: e.id == lost).run(3800)
        assert town.power_mw["unit-a"] == pytest.approx(1.5, abs=0.01), lost


def test_where_the_tso_does_not_answer_the_dso_says_so_and_others_do_the_part(make: Any) -> None:
    lost = lambda e: isinstance(e.content, SetPointRelaySubscription) and e.content.participant == "a"  # noqa: E731
    town = usual(make, need_mw=1.5, loses=lost).run(3800)
    assert [f.reason for f in town.contents(Failure, "dso")] == ["no set-points of tso"]
    assert town.power_mw["unit-b"] == pytest.approx(1.5, abs=0.01)


def test_a_dso_agrees_to_a_participant_only_when_the_tso_has_agreed(make: Any) -> None:
    town = usual(make, need_mw=1.5).run(3700)
    own = [(e.sender, e.receiver, type(e.content)) for _, e in town.said if "set-points" in e.conversation_id]
    mine = [row for row in own if set(row[:2]) <= {"a", "dso", "tso"}]
    assert (
        mine.index(("a", "dso", SetPointSubscription))
        < mine.index(("tso", "dso", Agree))
        < mine.index(("dso", "a", Agree))
    )
