"""Rows heard at once change an agent as the same messages heard one by one, whatever their order within the instant."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from gridpact.agents.cycle import Cycle
from gridpact.agents.dso.state import Connected, DsoState
from gridpact.agents.events import Heard
from gridpact.agents.market.channel import Bounds, ChannelRules
from gridpact.agents.market.regulation import Tuning
from gridpact.agents.profiles import RegulationRules
from gridpact.agents.tso import Tso
from gridpact.agents.tso.state import Activation, Lot, Meter, Regulation, TsoState
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.flow import Flow, Row, flow_of
from gridpact.protocols.information.activation import (
    Measurement,
    MeasurementSubscription,
    PointPower,
    SetPoint,
    SetPointSubscription,
)
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages.activation import MEASUREMENTS, SET_POINTS
from gridpact.protocols.tables import Protocol

S = 1_000_000
AT_US = 3700 * S
NAMES = ("a", "b", "c")
Talk = tuple[Conversation, Flow]
MEGAWATTS = st.lists(st.sampled_from([-1.5, -0.2, 0.0, 0.4, 2.0]), min_size=3, max_size=3)


def talk(protocol: Protocol, topic: Topic, ask: Any, kind: Any) -> Talk:
    """The subscriber's view after the agree, and what flows to it."""
    hears, opening = Conversation(protocol, topic, Side.INITIATOR).say(ask, reply_by_us=1)
    says, agreed = Conversation(protocol, topic, Side.RESPONDENT).hear(opening)[0].say(Agree())
    flow = flow_of(says, kind, ("X", "Y"))
    assert flow is not None
    return hears.hear(agreed)[0], flow


def measured(by: str, listener: str, mw: float, ahead_us: int = 0) -> tuple[Conversation, Row]:
    ask = MeasurementSubscription(per_point=True, start=0, end=9000 * S)
    topic = Topic(listener, "activation", "delivery", "measurements", by)
    hears, flow = talk(MEASUREMENTS, topic, ask, Measurement)
    powers = {"p_mw": mw, "q_mvar": 0.0, "activated_mw": mw, "baseline_mw": 0.0, "set_point_mw": mw}
    points = (PointPower(point=f"point-{by}", p_mw=mw, q_mvar=0.0),)
    content = Measurement(participant=by, measured_at=AT_US + ahead_us, points=points, **powers)
    return hears, Row(flow, f"{flow.prefix}{flow.number}", flow.number, content, None, AT_US, AT_US + 50_000)


def one_by_one(agent: Any, state: Any, heard: list[tuple[Conversation, Row]]) -> Any:
    for hears, row in heard:
        conversation = hears.hear(row.envelope())[0]
        state, actions = agent.react(state, Heard(row.envelope(), conversation, False), row.received_us)
        assert actions == ()
    return state


def regulating(make: Any) -> Tso:
    tuning, channel = Tuning(0.2, 150 * S, 4 * S), ChannelRules(30 * S, 300 * S, 0.05, 100.0)
    return Tso(replace(make.tso().profile, regulation=RegulationRules(tuning, "merit_order", channel)))


def in_delivery() -> TsoState:
    bounds = Bounds(AT_US - 4 * S, 0.5, 1.0)
    meter = Meter(at_us=AT_US - 4 * S, power_mw=0.8, bounds=bounds)
    lots = Map({f"Q1/{name}": (Lot(f"{name}.up", True, 1.0), Lot(f"{name}.down", False, 1.0)) for name in NAMES})
    regulation = Regulation(meters=Map(dict.fromkeys(NAMES, meter)), lots=lots)
    return TsoState(activation=Activation(subscribed=frozenset(NAMES)), regulation=regulation)


@settings(max_examples=25)
@given(megawatts=MEGAWATTS, order=st.permutations(range(3)))
def test_the_tso_counts_a_cycle_of_measurements_as_each_by_itself(
    make: Any, megawatts: list[float], order: list[int]
) -> None:
    agent, state = regulating(make), in_delivery()
    heard = [measured(name, "tso", mw, S) for name, mw in zip(NAMES, megawatts, strict=True)]
    at_once, taken = agent.overhear(state, [heard[k][1] for k in order])
    assert (at_once, taken) == (one_by_one(agent, state, heard), 3)
    assert at_once.regulation.counted


def test_a_first_measurement_is_looked_at_by_itself(make: Any) -> None:
    agent, state = regulating(make), in_delivery().with_activation(subscribed=frozenset({"a", "c"}))
    rows = [measured(name, "tso", 1.0)[1] for name in NAMES]
    assert agent.overhear(state, rows)[1] == 1
    assert agent.overhear(state, rows[1:]) == (state, 0)


def test_a_measurement_from_the_future_is_looked_at_by_itself_and_so_is_what_comes_after_it(make: Any) -> None:
    agent, state = regulating(make), in_delivery()
    heard = [measured(name, "tso", 1.0, 60 * S if name == "b" else 0) for name in NAMES]
    at_once, taken = agent.overhear(state, [row for _, row in heard])
    assert (taken, at_once.activation.last("b")) == (1, None)
    (hears, row), event_us = heard[1], heard[1][1].received_us
    after, notes = agent.react(at_once, Heard(row.envelope(), hears.hear(row.envelope())[0], False), event_us)
    assert [note.evidence["name"] for note in notes] == ["measurements from the future not taken"]
    right = measured("b", "tso", 1.0)[1]
    assert agent.overhear(after, [right]) == (after, 0)
    assert agent.told(after, Cycle(("b",), (right.content,), AT_US)) is None


@settings(max_examples=25)
@given(
    megawatts=MEGAWATTS,
    order=st.permutations(range(3)),
    ahead_us=st.lists(st.sampled_from([0, 5 * S, 60 * S]), min_size=3, max_size=3),
)
def test_a_dso_believes_the_same_of_a_cycle_as_of_each(
    make: Any, megawatts: list[float], order: list[int], ahead_us: list[int]
) -> None:
    agent = make.dso()
    connected = Map({f"unit-{name}": Connected(name, ((f"point-{name}", 1.0),)) for name in NAMES})
    state = DsoState(connected=connected)
    heard = [measured(name, "dso", mw, late) for name, mw, late in zip(NAMES, megawatts, ahead_us, strict=True)]
    assert agent.overhear(state, [heard[k][1] for k in order]) == (one_by_one(agent, state, heard), 3)


@pytest.mark.parametrize(("power_mw", "taken"), [(0.0, 1), (0.7, 0)])
def test_a_participant_looks_at_a_set_point_that_asks_for_something_else(
    make: Any, power_mw: float, taken: int
) -> None:
    agent = make.bsp("a")
    topic = Topic("a", "activation", "delivery", "set-points", "tso")
    ask = SetPointSubscription(product="aFRR", start=0, end=9000 * S)
    hears, flow = talk(SET_POINTS, topic, ask, SetPoint)
    content = SetPoint(product="aFRR", power_mw=power_mw)
    row = Row(flow, f"{flow.prefix}1", 1, content, None, AT_US, AT_US + 50_000)
    state, count = agent.overhear(agent.start(), [row])
    assert count == taken
    if taken:
        assert state == one_by_one(agent, agent.start(), [(hears, row)])
