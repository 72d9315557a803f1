"""Every message type has a JSON Schema that says what the project itself accepts."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gridpact.protocols.envelope import Side
from gridpact.protocols.errors import RemoteProtocolError
from gridpact.protocols.examples import example, example_envelope
from gridpact.protocols.messages import Message
from gridpact.protocols.schema import message_schema
from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import from_plain

SCHEMA = message_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SPOKEN = [
    (protocol, side, message)
    for protocol in BUSINESS_USE_CASE.protocols.values()
    for side in Side
    for message in dict.fromkeys(step.message for step in protocol.steps if step.speaker is side)
]


def named(value: object) -> str:
    return str(getattr(value, "name", getattr(value, "type_id", value)))


def is_accepted(plain: dict[str, Any]) -> bool:
    try:
        from_plain(plain, BUSINESS_USE_CASE)
    except RemoteProtocolError:
        return False
    return True


def test_the_schema_is_one_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_every_type_is_described_under_its_type_id() -> None:
    for type_id, message in BUSINESS_USE_CASE.messages.items():
        described = SCHEMA["$defs"][type_id]
        assert described["additionalProperties"] is False
        assert (described["x-info"], described["x-performative"]) == (message.info, message.performative.value)


@pytest.mark.parametrize(("protocol", "side", "message"), SPOKEN, ids=named)
def test_what_may_be_said_validates(protocol: Protocol, side: Side, message: type[Message]) -> None:
    said = example_envelope(protocol, message, side)
    assert list(VALIDATOR.iter_errors(said)) == []
    assert is_accepted(said)


@pytest.mark.parametrize("type_id", sorted(BUSINESS_USE_CASE.messages))
def test_schema_and_wire_refuse_the_same(type_id: str) -> None:
    protocol, side, message = next(each for each in (*SPOKEN, *stray()) if each[2].type_id == type_id)
    said = example_envelope(protocol, message, side)
    content = said["content"]
    wrong = [{**said, "content": {**content, "surprise": 1}}, {**said, "extra": 1}, {**said, "content": []}]
    wrong += [{**said, "content": {k: v for k, v in content.items() if k != name}} for name in required(type_id)]
    wrong += [{**said, "content": {**content, name: {"no": "value"}}} for name in content]
    wrong += [{key: value for key, value in said.items() if key != name} for name in said]
    wrong += [{**said, "type": type_id.replace("/1", "/2")}, {**said, "sender": ""}, {**said, "reply_by_us": "noon"}]
    assert [plain for plain in wrong if VALIDATOR.is_valid(plain) or is_accepted(plain)] == []


def stray() -> list[tuple[Protocol, Side, type[Message]]]:
    """Not-understood stands outside the tables."""
    protocol = next(iter(BUSINESS_USE_CASE.protocols.values()))
    return [(protocol, Side.RESPONDENT, BUSINESS_USE_CASE.messages["gridpact.not-understood/1"])]


def required(type_id: str) -> list[str]:
    return list(SCHEMA["$defs"][type_id].get("required", ()))


@pytest.mark.parametrize("message", BUSINESS_USE_CASE.messages.values(), ids=named)
def test_an_example_is_a_message_of_its_type(message: type[Message]) -> None:
    made = example(message)
    assert message.model_validate_json(made.model_dump_json()) == made
    assert json.loads(made.model_dump_json()) == made.model_dump(mode="json")
