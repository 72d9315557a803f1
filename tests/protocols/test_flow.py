"""A flow is a conversation by another way: what is said and heard of it settles to what the table would have led to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.flow import Flow, Hearer, Row, flow_of, hearer_of
from gridpact.protocols.information.activation import SetPoint, SetPointSubscription
from gridpact.protocols.messages import Agree, Cancel
from gridpact.protocols.stages.activation import SET_POINTS

TOPIC = Topic("bsp", "activation", "delivery", "set-points", "tso")
ASK = SetPointSubscription(product="aFRR", start=0, end=900_000_000)
ROLES = ("TSO", "BSP")


def subscribed() -> tuple[Conversation, Conversation]:
    """The subscriber's and the publisher's view, once the publisher has agreed."""
    hears, opening = Conversation(SET_POINTS, TOPIC, Side.INITIATOR).say(ASK, reply_by_us=1_000)
    says, _ = Conversation(SET_POINTS, TOPIC, Side.RESPONDENT).hear(opening)
    says, agreed = says.say(Agree())
    return hears.hear(agreed)[0], says


def row(flow: Flow, power_mw: float) -> Row:
    number, flow.number = flow.number, flow.number + 1
    content = SetPoint(product="aFRR", power_mw=power_mw)
    return Row(flow, f"{flow.prefix}{number}", number, content, None, 0, 50_000)


def flowing() -> tuple[Flow, Hearer]:
    """A flow of which the first message has been heard by itself."""
    hears, says = subscribed()
    flow = flow_of(says, SetPoint, ROLES)
    assert flow is not None
    hearer = hearer_of(hears.hear(row(flow, 0.0).envelope())[0], flow)
    assert hearer is not None
    return flow, hearer


@given(st.lists(st.floats(-5, 5), max_size=6))
def test_what_has_flowed_settles_to_the_plain_conversations(powers: list[float]) -> None:
    flow, hearer = flowing()
    hears, says = subscribed()
    for power_mw in [0.0, *powers]:
        says, envelope = says.say(SetPoint(product="aFRR", power_mw=power_mw))
        hears, _ = hears.hear(envelope)
    for power_mw in powers:
        hearer.number = row(flow, power_mw).number + 1
    assert flow.settled() == says
    assert hearer.settled() == hears


def test_a_row_is_the_envelope_that_would_have_been_sent() -> None:
    _, says = subscribed()
    flow = flow_of(says, SetPoint, ROLES)
    assert flow is not None
    assert row(flow, 1.5).envelope() == says.say(SetPoint(product="aFRR", power_mw=1.5))[1]
    assert (flow.sender, flow.receiver, flow.stage, flow.step) == ("tso", "bsp", "activation", "7.1")


@pytest.mark.parametrize("kind", [Agree, SetPointSubscription])
def test_what_leads_elsewhere_or_may_not_be_said_does_not_flow(kind: type) -> None:
    _, says = subscribed()
    assert flow_of(says, kind, ROLES) is None


def test_before_the_subscription_is_agreed_nothing_flows() -> None:
    asked, _ = Conversation(SET_POINTS, TOPIC, Side.INITIATOR).say(ASK, reply_by_us=1_000)
    says = Conversation(SET_POINTS, TOPIC, Side.RESPONDENT)
    assert flow_of(says, SetPoint, ROLES) is None
    assert flow_of(asked, SetPoint, ROLES) is None


def test_who_has_cancelled_looks_at_each_message_again() -> None:
    flow, hearer = flowing()
    cancelling, _ = hearer.settled().say(Cancel(reason="enough"), reply_by_us=2_000)
    assert hearer_of(cancelling, flow) is None
