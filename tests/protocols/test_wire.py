"""Envelopes as JSON text: every message type survives the way there and back, and what is wrong is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Topic
from gridpact.protocols.errors import RemoteProtocolError
from gridpact.protocols.information.activation import Activate, LimitRequest, Measurement
from gridpact.protocols.information.offering import CallForOffers, Offers
from gridpact.protocols.information.settlement import Statement
from gridpact.protocols.messages import Message, NotUnderstood, Refuse
from gridpact.protocols.stages.offering import OFFERING
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import FIELDS, content_from, from_json, to_json

Example = Callable[[type[Message]], Message]
MESSAGES = sorted(BUSINESS_USE_CASE.messages.values(), key=lambda message: message.type_id)
CALL = "tso/offering/qh1/mFRR-up/bsp"


def called(content: Message) -> Envelope:
    return Envelope(f"{CALL}#i0", "tso", "bsp", "offering", CALL, content, None, "tso/x#i0", 1_772_449_200_000_000)


def spoilt(said: Message, /, **members: Any) -> str:
    """A text as on the wire, with some members of the envelope replaced (or left out, if None is given as `...`)."""
    plain = {**json.loads(to_json(called(said))), **members}
    return json.dumps({name: value for name, value in plain.items() if value is not ...})


def reason(text: str | bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        from_json(text, BUSINESS_USE_CASE)
    return str(caught.value)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type_id)
def test_every_message_type_survives_the_wire(message: type[Message], example: Example) -> None:
    envelope = called(example(message))
    text = to_json(envelope)
    assert from_json(text, BUSINESS_USE_CASE) == envelope
    assert from_json(text.encode(), BUSINESS_USE_CASE) == envelope
    assert to_json(from_json(text, BUSINESS_USE_CASE)) == text


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type_id)
@settings(max_examples=10)
@given(data=st.data())
def test_any_valid_content_survives_the_wire(
    message: type[Message], contents: Callable[[type[Message]], st.SearchStrategy[Message]], data: st.DataObject
) -> None:
    envelope = called(data.draw(contents(message)))
    assert from_json(to_json(envelope), BUSINESS_USE_CASE) == envelope


def test_the_members_stand_in_a_fixed_order(example: Example) -> None:
    assert tuple(json.loads(to_json(called(example(Refuse))))) == (*FIELDS, "type", "content")


def test_instants_are_iso_8601_texts_on_the_wire(example: Example) -> None:
    content = json.loads(to_json(called(example(Activate))))["content"]
    assert (content["start"], content["end"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:15:00Z")
    shifted = {**content, "start": "2026-03-02T13:00:00+01:00"}
    assert content_from(Activate.type_id, shifted, BUSINESS_USE_CASE) == example(Activate)


def test_money_is_exact_on_the_wire(example: Example) -> None:
    assert json.loads(to_json(called(example(Statement))))["content"]["total_eur"] == "17.50"


# What is wrong is named.


def test_an_unknown_type_is_named_with_what_is_understood(example: Example) -> None:
    why = reason(spoilt(example(Refuse), type="acme.bid/1"))
    assert why.startswith("unknown message type 'acme.bid/1'; understood: gridpact.acceptance-notice/1, ")
    assert all(message.type_id in why for message in MESSAGES)


def test_an_unknown_version_is_named_with_the_version_that_is_understood(example: Example) -> None:
    why = reason(spoilt(example(Refuse), type="gridpact.offers/2"))
    assert why == "unknown message type 'gridpact.offers/2'; understood: gridpact.offers/1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "1",
        "NaN",
        b"\xff\xfe",
        b"\x80\x04N.",
        "[" * 5000,
        '{"a":' * 5000,
        '{"a":"\\ud800"}',
    ],
)
def test_what_is_no_json_object_is_named(text: str | bytes) -> None:
    assert reason(text) == "not a JSON object"


@pytest.mark.parametrize("member", [*FIELDS, "type", "content"])
def test_a_missing_member_is_named(member: str, example: Example) -> None:
    assert reason(spoilt(example(Refuse), **{member: ...})) == f"envelope members missing or unknown: {member}"


def test_an_unknown_member_is_named(example: Example) -> None:
    assert reason(spoilt(example(Refuse), ontology="x")) == "envelope members missing or unknown: ontology"


@pytest.mark.parametrize("member", ["id", "sender", "receiver", "protocol", "conversation_id", "type"])
@pytest.mark.parametrize("value", ["", None, 5, ["a"], {"a": 1}, True, "x" * 1001])
def test_a_member_that_is_no_name_is_named(member: str, value: object, example: Example) -> None:
    why = reason(spoilt(example(Refuse), **{member: value}))
    assert why == f"envelope member {member} must be a text of 1 to 1000 characters"


@pytest.mark.parametrize("member", ["in_reply_to", "caused_by"])
@pytest.mark.parametrize("value", ["", 5, ["a"], False])
def test_a_reference_that_is_no_name_is_named(member: str, value: object, example: Example) -> None:
    why = reason(spoilt(example(Refuse), **{member: value}))
    assert why == f"envelope member {member} must be a text of 1 to 1000 characters or null"


@pytest.mark.parametrize("value", ["2026-03-02T12:00:00Z", 1.5, True, -1, 10**30, [1]])
def test_a_deadline_that_is_no_instant_is_named(value: object, example: Example) -> None:
    why = reason(spoilt(example(Refuse), reply_by_us=value))
    assert why == "envelope member reply_by_us must be microseconds since the epoch, or null"


@pytest.mark.parametrize(
    ("message", "change", "fault"),
    [
        (Activate, {"power_mw": "2.0"}, "gridpact.activate/1: power_mw: Input should be a valid number"),
        (Activate, {"power_mw": True}, "gridpact.activate/1: power_mw: Input should be a valid number"),
        (Activate, {"power_mw": float("nan")}, "gridpact.activate/1: power_mw: Input should be a finite number"),
        (Activate, {"power_mw": float("inf")}, "gridpact.activate/1: power_mw: Input should be a finite number"),
        (Activate, {"start": 1_772_452_800_000_000}, "gridpact.activate/1: start: Value error, an instant is an ISO"),
        (
            Activate,
            {"start": "2026-03-02T12:00:00"},
            "gridpact.activate/1: start: Value error, '2026-03-02T12:00:00' has",
        ),
        (Activate, {"start": "yesterday"}, "gridpact.activate/1: start: "),
        (Activate, {"start": "1969-12-31T23:00:00Z"}, "gridpact.activate/1: start: Input should be greater than"),
        (Activate, {"price": 1}, "gridpact.activate/1: price: Extra inputs are not permitted"),
        (Activate, {"offer_id": "a/b"}, "gridpact.activate/1: offer_id: String should match pattern"),
        (Measurement, {"points": {"a": 1}}, "gridpact.measurement/1: points: Input should be a valid"),
        (LimitRequest, {"limits": []}, "gridpact.limit-request/1: limits: Tuple should have at least 1 item"),
        (Refuse, {"reason": ""}, "gridpact.refuse/1: reason: String should have at least 1 character"),
    ],
)
def test_a_wrong_content_is_named_with_its_place(
    message: type[Message],
    change: dict[str, object],
    fault: str,
    content: Callable[[type[Message]], Any],
    example: Example,
) -> None:
    assert reason(spoilt(example(message), content={**content(message), **change})).startswith(fault)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type_id)
def test_a_content_that_lacks_a_field_or_is_no_object_is_refused(
    message: type[Message], content: Callable[[type[Message]], Any]
) -> None:
    for wrong in (None, [], "x", 1, [content(message)]):
        with pytest.raises(RemoteProtocolError, match=message.type_id):
            content_from(message.type_id, wrong, BUSINESS_USE_CASE)
    for name, field in message.model_fields.items():
        if field.is_required():
            lacking = {key: value for key, value in content(message).items() if key != name}
            with pytest.raises(RemoteProtocolError, match=f"{message.type_id}: {name}: Field required"):
                content_from(message.type_id, lacking, BUSINESS_USE_CASE)


def test_nothing_is_imported_because_a_message_names_it(example: Example) -> None:
    why = reason(spoilt(example(Refuse), type="builtins.exec/1", content={"py/object": "os.system"}))
    assert why.startswith("unknown message type 'builtins.exec/1'")


# The desk at a wire.


def test_what_comes_over_a_wire_is_heard(desks: dict[str, Desk], example: Example) -> None:
    hearing = desks["bsp"].hear_text(to_json(called(example(CallForOffers))), via="tso")
    assert hearing.step is not None
    assert desks["bsp"].conversations[CALL].state == "called"


def test_who_speaks_in_anothers_name_is_told_so_on_its_own_channel(desks: dict[str, Desk], example: Example) -> None:
    hearing = desks["bsp"].hear_text(to_json(called(example(CallForOffers))), via="gen")
    assert hearing.fault == "gen speaks in the name of tso"
    assert hearing.reply is not None
    assert hearing.reply.receiver == "gen"
    assert desks["bsp"].conversations == {}


def test_an_unreadable_content_is_answered_with_not_understood_and_ends_it(
    desks: dict[str, Desk], example: Example
) -> None:
    opening = desks["tso"].open(OFFERING, Topic.parse(CALL), example(CallForOffers), reply_by_us=100)
    plain = json.loads(to_json(opening))
    plain["content"]["need_mw"] = -7.5
    reply = desks["bsp"].hear_text(json.dumps(plain), via="tso").reply
    assert reply is not None
    assert isinstance(reply.content, NotUnderstood)
    assert reply.content.reason == "gridpact.call-for-offers/1: need_mw: Input should be greater than or equal to 0"
    assert desks["bsp"].conversations == {}
    hearing = desks["tso"].hear_text(to_json(reply), via="bsp")
    assert hearing.conversation is not None
    assert hearing.conversation.ended


def test_what_cannot_even_be_named_is_dropped_with_the_reason(desks: dict[str, Desk], example: Example) -> None:
    for text in ("{", "{}", spoilt(example(Refuse), id=5), spoilt(example(Refuse), conversation_id=...)):
        hearing = desks["bsp"].hear_text(text, via="tso")
        assert (hearing.conversation, hearing.reply) == (None, None)
        assert hearing.fault


def test_a_malformed_not_understood_is_not_answered(desks: dict[str, Desk], example: Example) -> None:
    hearing = desks["bsp"].hear_text(spoilt(example(NotUnderstood), content={}), via="tso")
    assert hearing.reply is None
    assert hearing.fault == "gridpact.not-understood/1: message_id: Field required"


@given(text=st.binary() | st.text())
def test_no_text_disturbs_a_desk(text: str | bytes) -> None:
    desk = Desk("bsp", {"bsp": "BSP", "tso": "TSO"}, BUSINESS_USE_CASE)
    assert desk.hear_text(text, via="tso").step is None
    assert desk.conversations == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_no_member_disturbs_a_desk(data: st.DataObject, example: Example) -> None:
    desk = Desk("bsp", {"bsp": "BSP", "tso": "TSO"}, BUSINESS_USE_CASE)
    plain = json.loads(to_json(called(example(Offers))))
    plain[data.draw(st.sampled_from(sorted(plain)))] = data.draw(JSON)
    assert desk.hear_text(json.dumps(plain), via="tso").step is None
    assert desk.conversations == {}
