"""The roll: who is there, whose clock is off and by how much, and where topics lead."""

import pytest

from gridpact.agents.errors import BrokerError
from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.roll import ENOUGH_CALLS, Presence, Roll, said, to_bytes
from gridpact.agents.runtime.mqtt.topics import NEGOTIATION, STREAM, Address, TopicError, Topics


def answered(offset_us: int, *, way_us: int = 1000) -> Roll:
    """A roll that `bsp-a` has answered, with a clock that is ahead and messages that take a while."""
    roll = Roll(("bsp-a", "bsp-b"), "today")
    for index in range(ENOUGH_CALLS):
        called_us = 10**6 * (index + 1)
        call = roll.next_call(called_us)
        clock_us = called_us + way_us + offset_us
        here = Presence(state="here", call=call.call, number=call.number, clock_us=clock_us, scenario="one")
        roll.hear("bsp-a", here, called_us + 2 * way_us)
    return roll


def test_who_has_not_answered_is_missing() -> None:
    roll = answered(0)
    assert roll.missing == ("bsp-b",)
    assert not roll.complete


@pytest.mark.parametrize("offset_us", [-300_000, 80_000])
def test_a_clock_that_is_off_is_measured_and_named(offset_us: int) -> None:
    roll = answered(offset_us)
    assert roll.wrong_clocks(50_000) == {"bsp-a": offset_us}
    assert roll.offsets_us() == {"bsp-a": offset_us}
    assert roll.wrong_clocks(400_000) == {}


def test_a_slow_network_alone_makes_no_clock_wrong() -> None:
    roll = answered(60_000, way_us=90_000)
    assert roll.wrong_clocks(50_000) == {}
    assert roll.offsets_us() == {}


def test_answers_to_another_call_do_not_count() -> None:
    roll = Roll(("bsp-a",), "today")
    roll.next_call(0)
    for call, number in (("yesterday", 0), ("today", 7), (None, 0)):
        roll.hear("bsp-a", Presence(state="here", call=call, number=number), 1000)
    assert roll.missing == ("bsp-a",)


def test_who_has_gone_again_is_missing() -> None:
    roll = answered(0)
    roll.hear("bsp-a", Presence(state="gone"), 10**7)
    assert roll.missing == ("bsp-a", "bsp-b")


def test_another_scenario_is_named() -> None:
    assert answered(0).other_scenarios("two") == ("bsp-a",)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"kind":"start"}', b'{"kind":"presence","state":"king"}'])
def test_what_is_no_roll_is_nothing(payload: bytes) -> None:
    assert said(payload) is None


def test_what_is_said_is_read_as_it_was() -> None:
    here = Presence(state="here", call="today", number=3, clock_us=5, scenario="one")
    assert said(to_bytes(here)) == here


def test_topics_say_who_speaks_to_whom() -> None:
    topics = Topics("run")
    assert topics.message("bsp-a", "tso") == "gridpact/run/to/tso/from/bsp-a"
    assert topics.address("gridpact/run/to/tso/from/bsp-a") == Address(NEGOTIATION, "bsp-a", "tso")
    assert topics.address("gridpact/run/stream/to/tso/from/bsp-a") == Address(STREAM, "bsp-a", "tso")
    assert topics.address("gridpact/another/to/tso/from/bsp-a") is None
    assert topics.address("gridpact/run/to/tso") is None


@pytest.mark.parametrize("name", ["", "a/b", "+", "a#", "$SYS", "a b", "a:b", "x" * 81])
def test_a_name_that_a_broker_would_read_otherwise_is_refused(name: str) -> None:
    with pytest.raises(TopicError, match="cannot be a name on a broker"):
        Topics(name)


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("tcp://host", "write mqtt://HOST"),
        ("mqtt://", "write mqtt://HOST"),
        ("mqtt://host:x", "write mqtt://HOST"),
        ("mqtts://host/topic", "write mqtt://HOST"),
        ("mqtts://me:secret@host", "no secrets in an address"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, right: str) -> None:
    with pytest.raises(BrokerError, match=right) as refused:
        BrokerAddress.parse(url)
    assert "secret@" not in str(refused.value)


def test_ports_are_the_usual_ones() -> None:
    assert str(BrokerAddress.parse("mqtts://host")) == "mqtts://host:8883"
    assert str(BrokerAddress.parse("mqtt://host:99")) == "mqtt://host:99"


def test_an_agent_without_credentials_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BrokerError, match="no credentials of bsp-a"):
        Identity.from_folder("bsp-a", tmp_path)
