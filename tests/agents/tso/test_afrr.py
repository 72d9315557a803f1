"""aFRR between agents: control, set-points, limits, the change of quarter-hour, metering and penalties."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.bsp import Bsp
from gridpact.agents.cycle import Cycle
from gridpact.agents.events import Heard
from gridpact.agents.market.channel import ChannelRules
from gridpact.agents.profiles import Need, RegulationRules, TestRules
from gridpact.agents.strategies import ProportionalIntegral
from gridpact.agents.tso import Tso, measurements
from gridpact.agents.tso.activation import mfrr, quality
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Envelope, Side, Topic
from gridpact.protocols.flow import Flow, Row
from gridpact.protocols.information.activation import (
    Activate,
    Activated,
    ActivateWhen,
    LimitRequest,
    Measurement,
    SetPoint,
    SetPointSubscription,
)
from gridpact.protocols.information.settlement import Statement, StatementDisputed
from gridpact.protocols.messages import Agree, Cancel, Refuse
from gridpact.protocols.stages.activation import MEASUREMENTS, SET_POINTS

S = 1_000_000
CHANNEL = ChannelRules(30 * S, 300 * S, 0.05, 100.0)
Town = Any


def tso(make: Any, *needs: Need, **changes: Any) -> Tso:
    profile = make.tso(*(needs or (Need("aFRR", "up", 4.0), Need("aFRR", "down", 4.0))), **changes).profile
    rules = RegulationRules(ProportionalIntegral(0.5, 20.0), "merit_order", CHANNEL)
    test = TestRules(60 * S, 5 * S, 0.05, 0.95, pause_us=10 * S, at_once=4)
    return Tso(replace(profile, regulation=rules, test=test))


def bsp(make: Any, name: str, price: float, **changes: Any) -> Bsp:
    plans = [
        make.plan(name, price=price, direction="up", product="aFRR"),
        make.plan(name, price=100 - price, direction="down", product="aFRR"),
    ]
    return Bsp(replace(make.bsp(name, *plans, **changes).profile, product="aFRR"))


def usual(make: Any, *more: Any, needs: tuple[Need, ...] = (), **world: Any) -> Town:
    people = (bsp(make, "a", 60.0), bsp(make, "b", 70.0))
    town = make.town(tso(make, *needs), make.dso(), *people, *more, **world)
    return town.begin()


def asked(town: Town, name: str) -> float:
    content = town.state("tso").regulation.sent.get(name)
    return content.power_mw if content is not None else 0.0


def test_set_points_follow_the_need_down_the_list_and_are_followed(make: Any) -> None:
    town = usual(make, need_mw=3.0).run(3800)
    assert (asked(town, "a"), asked(town, "b")) == (2.0, pytest.approx(1.0, abs=0.01))
    assert town.power_mw["unit-a"] == 2.0
    town.need_mw = -1.5
    town.run(4000)
    assert (asked(town, "a"), asked(town, "b")) == (pytest.approx(-1.5, abs=0.01), 0.0)  # a pays 40, b only 30


def test_offers_are_put_under_control_before_their_period_and_set_points_are_a_stream(make: Any) -> None:
    town = usual(make, need_mw=3.0).run(3700)
    wishes = [(at, e.content) for at, e in town.said if isinstance(e.content, ActivateWhen)]
    assert {wish.kind for _, wish in wishes} == {"set-point"}
    assert all(at < 3600 * S for at, wish in wishes if wish.start == 3600 * S)
    rows = [e for _, e in town.said if isinstance(e.content, SetPoint)]
    assert {e.conversation_id for e in rows} == {f"{one}/activation/delivery/set-points/tso" for one in "ab"}
    cycles = len(
        [at for at, e in town.said if isinstance(e.content, SetPoint) and e.receiver == "a" and at >= 3600 * S]
    )
    assert cycles == 26


def test_a_measurement_names_the_set_point_that_was_heard_last(make: Any) -> None:
    town = usual(make, need_mw=3.0).run(3700)
    own = [e for _, e in town.said if isinstance(e.content, Measurement) and e.sender == "a"]
    assert own[-1].caused_by.startswith("a/activation/delivery/set-points/tso#r")


def test_only_who_is_qualified_for_afrr_may_subscribe(make: Any) -> None:
    agent = tso(make)
    topic = Topic("x", "activation", "delivery", "set-points", "tso")
    talk = Conversation(SET_POINTS, topic, Side.RESPONDENT, state="asked")
    ask = SetPointSubscription(product="aFRR", start=1, end=2)
    event = Heard(Envelope("m", "x", "tso", SET_POINTS.name, topic.conversation_id, ask), talk, late=False)
    state, actions = agent.react(agent.start(), event, 0)
    assert isinstance(actions[0].content, Refuse)
    assert not state.regulation.subscribers


def test_what_is_not_confirmed_is_not_counted_on_and_its_part_is_taken_by_others(make: Any) -> None:
    lost = lambda e: isinstance(e.content, Activated) and e.sender == "a"  # noqa: E731
    town = usual(make, need_mw=1.5, loses=lost).run(3800)
    assert (asked(town, "a"), asked(town, "b")) == (0.0, pytest.approx(1.5, abs=0.01))
    assert town.contents(Cancel, "tso")
    assert not town.state("a").book.in_force(town.now_us)


def test_a_subscription_that_was_lost_is_asked_for_again(make: Any) -> None:
    first = "a/activation/delivery/set-points/tso#i0"
    town = usual(make, need_mw=1.5, loses=lambda e: e.id == first).run(3800)
    assert asked(town, "a") == pytest.approx(1.5, abs=0.01)
    assert town.state("tso").regulation.subscribers["a"] == "a/activation/delivery/set-points.2/tso"


def test_who_hears_no_set_points_is_not_counted_on_and_its_part_is_taken_by_others(make: Any) -> None:
    town = usual(make, need_mw=1.5, loses=lambda e: isinstance(e.content, SetPointSubscription) and e.sender == "a")
    assert (asked(town.run(3800), "a"), asked(town, "b")) == (0.0, pytest.approx(1.5, abs=0.01))
    assert len([e for _, e in town.said if isinstance(e.content, SetPointSubscription) and e.sender == "a"]) == 3


def test_a_limit_binds_the_next_set_point_and_is_replaced_in_the_same_cycle(make: Any) -> None:
    town = usual(make, need_mw=2.0).run(3700)
    assert asked(town, "a") == pytest.approx(2.0, abs=0.05)
    town.lab = make.capped(a=1.2)
    heard = len(town.contents(LimitRequest))
    town.run(3712)
    assert len(town.contents(LimitRequest)) > heard
    at = next(at for at, e in town.said if isinstance(e.content, LimitRequest))
    later = {}
    for when, e in town.said:
        if when > at and isinstance(e.content, SetPoint):
            later.setdefault(e.receiver, e.content.power_mw)
    assert later["a"] <= 1.2
    assert later["a"] + later["b"] == pytest.approx(2.0, abs=0.05)
    assert town.power_mw["unit-a"] <= 1.2


def test_the_quarter_hour_changes_without_a_bump(make: Any) -> None:
    town = usual(make, need_mw=1.0).run(4480)
    before = asked(town, "a")
    town.run(4520)
    moves = [move.value for at, name, move in town.moves if name == "a" and 4480 * S < at <= 4520 * S]
    assert all(abs(value - before) < 0.01 for value in moves)
    assert asked(town, "a") == pytest.approx(before, abs=0.01)


class Stuck(dict[str, float]):
    """Powers of which one does not move any more."""

    def __setitem__(self, key: str, value: float) -> None:
        if key != "unit-a":
            super().__setitem__(key, value)


def settled(town: Town, name: str) -> Any:
    statements = [e.content for _, e in town.said if isinstance(e.content, Statement) and e.receiver == name]
    return statements[0].lines[0] if statements else None


def test_who_does_not_deliver_pays_the_penalty_and_agrees_with_the_energy(make: Any) -> None:
    town = usual(make, need_mw=1.0).run(3590)
    town.power_mw = Stuck(town.power_mw)
    town.run(4700)
    line = settled(town, "a")
    assert (line.energy_mwh, line.amount_eur) == (0.0, 0)
    assert line.missing_mwh > 0.1
    assert float(line.penalty_eur) == pytest.approx(100 * line.missing_mwh, abs=0.005)
    assert not town.contents(StatementDisputed)
    assert sum(map(float, town.noted("books closed")[0]["balances_eur"].values())) == pytest.approx(0.0)


def test_what_is_delivered_beyond_the_set_point_is_not_paid(make: Any) -> None:
    town = usual(make, need_mw=0.5).run(3700)
    town.power_mw["unit-a"] = 1.5
    town.power_mw = Stuck(town.power_mw)
    town.run(4700)
    line = settled(town, "a")
    assert line.unpaid_mwh > 0.1
    assert line.energy_mwh < 0.1
    assert not town.contents(StatementDisputed)


def test_what_lasts_is_moved_to_mfrr_and_afrr_is_released(make: Any) -> None:
    needs = (Need("aFRR", "up", 4.0), Need("aFRR", "down", 4.0), Need("mFRR", "up", 6.0))
    slow = make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0)
    town = usual(make, slow, needs=needs, need_mw=3.0).run(3900)
    assert town.contents(Activate)[-1].product == "mFRR"
    assert town.power_mw["unit-t"] == pytest.approx(3.0, abs=0.11)
    assert abs(asked(town, "a") + asked(town, "b")) < 0.15


@pytest.fixture
def quiet_after() -> Callable[[Any], bool]:
    """Measurements of `a` are lost."""
    return lambda e: isinstance(e.content, Measurement) and e.sender == "a" and e.receiver == "tso"


def test_who_does_not_measure_is_not_counted_on_until_it_does_again(
    make: Any, quiet_after: Callable[[Any], bool]
) -> None:
    town = usual(make, need_mw=1.0).run(3700)
    town.loses = quiet_after
    town.run(3900)
    assert asked(town, "a") == 0.0
    assert town.noted("not counted on")[-1]["participants"] == ["a"]
    town.loses = lambda _: False
    town.run(3920)
    assert town.noted("not counted on")[-1]["participants"] == []
    assert asked(town, "a") > 0.0


def test_what_was_measured_before_a_participant_fell_silent_and_was_given_up_is_paid(
    make: Any, quiet_after: Callable[[Any], bool]
) -> None:
    town = usual(make, need_mw=3.0).run(4200)
    town.loses = quiet_after
    town.run(4700)
    assert town.noted("measurement given up")[0]["participant"] == "a"
    lines = [line for one in town.contents(Statement) for line in one.lines if line.offer_id == "a.Q1.aFRR-up.1"]
    assert lines
    assert all(2.0 * 590 / 3600 < line.energy_mwh < 2.0 * 600 / 3600 for line in lines)


def test_who_says_the_same_again_after_being_given_up_is_known_again(make: Any) -> None:
    town = usual(make, need_mw=3.0).run(3800)
    profile, state, names = town.nodes["tso"].agent.profile, town.state("tso"), ("a", "b")
    zero = {"q_mvar": 0, "baseline_mw": 0, "measured_at": 3800 * S}
    said = tuple(
        Measurement(participant=name, p_mw=mw, activated_mw=mw, set_point_mw=mw, **zero)
        for name, mw in zip(names, (2.0, 1.0), strict=True)
    )
    state = measurements.told(profile, state, Cycle(names, said, 3804 * S))
    state, _ = quality.watch(profile, state, 4164 * S)
    assert state.activation.last("a") is None
    state = measurements.told(profile, state, Cycle(names, said, 4168 * S))
    assert state.activation.last("a") == (2.0, 4168 * S)


@pytest.mark.parametrize("together", [True, False])
def test_a_measurement_that_was_overtaken_on_its_way_counts_for_nothing(make: Any, *, together: bool) -> None:
    town = usual(make, need_mw=3.0).run(3800)
    profile, state = town.nodes["tso"].agent.profile, town.state("tso")
    rest = {"participant": "a", "q_mvar": 0, "baseline_mw": 0}
    told = [
        Measurement(p_mw=mw, activated_mw=mw, set_point_mw=mw, measured_at=at_us, **rest)
        for mw, at_us in ((2.0, 3804 * S), (2.0, 3812 * S), (0.5, 3808 * S))
    ]
    topic = Topic("tso", "activation", "delivery", "measurements", "a")
    talk = Conversation(MEASUREMENTS, topic, Side.INITIATOR, state="subscribed")
    if together:
        flow = Flow(talk, Measurement, "activation", "7.3", ("BSP", "TSO"), ("a", "tso"), "m", 0)
        rows = [Row(flow, f"m{number}", number, one, None, 0, 3812 * S) for number, one in enumerate(told)]
        state, _ = measurements.overheard(profile, state, rows)
    else:
        for one in told:
            heard = Heard(Envelope("m", "a", "tso", MEASUREMENTS.name, topic.conversation_id, one), talk, late=False)
            state, _ = measurements.heard(profile, state, heard, one, 3812 * S)
    assert state.activation.last("a") == (2.0, 3812 * S)
    meter = state.regulation.meters["a"]
    assert (meter.power_mw, meter.at_us) == (2.0, 3800 * S)


def test_an_agreement_to_a_subscription_is_given(make: Any) -> None:
    town = usual(make, need_mw=1.0).run(3000)
    about = "a/activation/delivery/set-points/tso"
    assert [e.sender for _, e in town.said if e.conversation_id == about and isinstance(e.content, Agree)] == ["tso"]


def opposing(make: Any, target_mw: float, demands_mw: list[float]) -> Any:
    """The target after cycles in which aFRR has asked for these MW, and what was noted."""
    profile, state, notes = tso(make).profile, tso(make).start().with_activation(target_mw=target_mw), []
    for demand_mw in demands_mw:
        controller = state.regulation.controller._replace(demand_mw=demand_mw)
        state, more = mfrr.released(profile, state.with_regulation(controller=controller))
        notes += more
    return state.activation.target_mw, [dict(note.evidence) for note in notes]


def test_mfrr_that_afrr_runs_against_for_five_minutes_is_taken_back_by_what_was_asked_for_against_it(
    make: Any,
) -> None:
    cycles = 300 // 4
    assert opposing(make, 4.0, [-1.0] * (cycles - 1)) == (4.0, [])
    left_mw, (note,) = opposing(make, 4.0, [-1.0] * (cycles - 5) + [-2.5] * 5)
    assert (left_mw, note["before_mw"], note["against_mw"]) == (2.9, 4.0, 1.1)
    assert opposing(make, -4.0, [1.0] * cycles)[0] == -3.0
    assert opposing(make, 1.0, [-3.0] * cycles)[0] == 0.0  # never beyond


def test_afrr_that_turns_in_between_or_runs_the_same_way_takes_nothing_back(make: Any) -> None:
    cycles = 300 // 4
    assert opposing(make, 4.0, [-1.0] * (cycles - 1) + [0.0] + [-1.0] * (cycles - 1))[0] == 4.0
    assert opposing(make, 4.0, [1.0] * 2 * cycles)[0] == 4.0
    assert opposing(make, 4.0, [-0.05] * 2 * cycles) == (4.0, [])  # below the trigger


class Forgetful(Tso):
    """A TSO that remembers nothing beside its state."""

    def react(self, state: Any, event: Any, now_us: int) -> Any:
        bare = object.__new__(type(state))
        bare.__dict__.update({name: value for name, value in state.__dict__.items() if not name.startswith("~")})
        return super().react(bare, event, now_us)


def test_what_is_remembered_beside_the_state_decides_nothing(make: Any) -> None:
    states = []
    for kind in (Tso, Forgetful):
        people = (bsp(make, "a", 60.0), bsp(make, "b", 70.0))
        town = make.town(kind(tso(make).profile), make.dso(), *people).begin()
        town.need_mw = 3.0
        town.run(3700)
        town.need_mw = -1.0
        states.append(town.run(3900).state("tso"))
    assert states[0].regulation.meters["a"].channel.bounds.high_mw > 0
    assert states[0] == states[1]
