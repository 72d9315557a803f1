"""The AsyncAPI document is valid, complete, and enough to write a party in another language."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from gridpact.protocols.asyncapi import asyncapi
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Side
from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import from_plain

Document = dict[str, Any]
DOCUMENT: Document = json.loads(json.dumps(asyncapi(version="1.2.3")))
SPECIFICATIONS = os.environ.get("ASYNCAPI_SPECS")


@pytest.mark.skipif(
    SPECIFICATIONS is None,
    reason="ASYNCAPI_SPECS is not set to an unpacked npm package @asyncapi/specs (.ci/run fetches it)",
)
def test_it_is_valid_against_the_official_schema() -> None:
    meta = json.loads((Path(str(SPECIFICATIONS)) / "schemas" / "3.0.0.json").read_text("utf-8"))
    validator = validator_for(meta)(meta)
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(DOCUMENT)] == []
    broken = {**DOCUMENT, "channels": {"x": {"adress": "y"}}}
    assert list(validator.iter_errors(broken))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else ()
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 100
    assert all(resolved(each) for each in found)


def test_every_protocol_has_a_channel_and_operations_for_each_direction() -> None:
    for protocol in BUSINESS_USE_CASE.protocols.values():
        for side in Side:
            speaker, hearer = protocol.role_of(side), protocol.role_of(side.other)
            channel = f"{protocol.name}.{speaker}-to-{hearer}"
            spoken = {step.message.type_id for step in protocol.steps if step.speaker is side}
            described = {resolved(each["$ref"])["name"] for each in DOCUMENT["channels"][channel]["messages"].values()}
            assert described == spoken | {"gridpact.not-understood/1"}
            assert DOCUMENT["operations"][f"{speaker}.send.{channel}"]["x-role"] == speaker
            assert DOCUMENT["operations"][f"{hearer}.receive.{channel}"]["x-role"] == hearer


def test_every_example_is_valid_against_the_schema_beside_it() -> None:
    for message in DOCUMENT["components"]["messages"].values():
        schema = {**message["payload"], "components": DOCUMENT["components"]}
        for shown in message["examples"]:
            assert list(Draft202012Validator(schema).iter_errors(shown["payload"])) == []


@pytest.mark.parametrize("protocol", BUSINESS_USE_CASE.protocols.values(), ids=lambda protocol: protocol.name)
def test_the_table_can_be_made_again_from_the_document(protocol: Protocol) -> None:
    written = DOCUMENT["x-protocols"][protocol.name]
    steps = {(s["state"], Side(s["speaker"]), s["type"]): s["then"] for s in written["steps"]}
    silences = {(s["state"], Side(s["waits"])): s["then"] for s in written["silences"]}
    known = {(state, side, m.type_id): step.then for (state, side, m), step in protocol.next_state.items()}
    assert (steps, silences, set(written["ends"])) == (known, protocol.after_silence, protocol.final)


class Stranger:
    """A party that knows the document and nothing of our code; it takes any turn that the table gives it."""

    def __init__(self, name: str, protocol: str, side: str, choice: random.Random) -> None:
        self.name, self.side, self.choice = name, side, choice
        self.protocol, self.table = protocol, DOCUMENT["x-protocols"][protocol]
        self.state, self.said, self.heard = self.table["start"], 0, None

    def turns(self) -> list[Document]:
        steps = [s for s in self.table["steps"] if (s["state"], s["speaker"]) == (self.state, self.side)]
        return [step for step in steps if not step["late"] and not step["crossed"]]

    def speak(self, about: str, to: str) -> Document:
        step = self.choice.choice(self.turns())
        content = resolved(f"#/components/messages/{step['type'].replace('/', '.v')}")["examples"][0]["payload"]
        said = {
            **content,
            "id": f"{about}#{self.side[0]}{self.said}",
            "sender": self.name,
            "receiver": to,
            "protocol": self.protocol,
            "conversation_id": about,
            "in_reply_to": self.heard,
            "caused_by": None,
            "reply_by_us": 2_000_000_000_000_000,
        }
        self.state, self.said = step["then"], self.said + 1
        return said

    def hear(self, message: Document) -> None:
        found = [
            step["then"]
            for step in self.table["steps"]
            if (step["state"], step["type"]) == (self.state, message["type"]) and step["speaker"] != self.side
        ]
        self.state, self.heard = found[0], message["id"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("protocol", BUSINESS_USE_CASE.protocols.values(), ids=lambda protocol: protocol.name)
def test_two_strangers_are_understood_by_our_desks(protocol: Protocol, seed: int) -> None:
    choice = random.Random(f"{protocol.name}/{seed}")  # noqa: S311 - a walk, not a secret
    kinds = {"one": protocol.initiator, "two": protocol.respondent}
    about = f"one/{protocol.stage}/today/something/two"
    strangers = {
        "one": Stranger("one", protocol.name, "initiator", choice),
        "two": Stranger("two", protocol.name, "respondent", choice),
    }
    desks = {name: Desk(name, kinds, BUSINESS_USE_CASE) for name in kinds}
    for _ in range(12):
        able = [name for name, each in strangers.items() if each.turns()]
        if not able or (strangers["one"].state in protocol.final and choice.random() < 0.5):
            break
        speaker = choice.choice(able)
        hearer = next(name for name in strangers if name != speaker)
        message = strangers[speaker].speak(about, hearer)
        envelope = from_plain(message, BUSINESS_USE_CASE)
        hearing = desks[hearer].hear(envelope)
        assert hearing.reply is None
        assert hearing.conversation is not None
        desks[speaker] = _spoken(desks[speaker], protocol, envelope)
        strangers[hearer].hear(message)
        assert hearing.conversation.state == strangers[hearer].state
    assert strangers["one"].said


def _spoken(desk: Desk, protocol: Protocol, envelope: Any) -> Desk:
    """Our desk in the stranger's place says the same, and so gets the same id."""
    from gridpact.protocols.envelope import Topic

    topic, content = Topic.parse(envelope.conversation_id), envelope.content
    if topic.conversation_id in desk.conversations:
        said = desk.say(topic.conversation_id, content, reply_by_us=envelope.reply_by_us)
    else:
        said = desk.open(protocol, topic, content, reply_by_us=envelope.reply_by_us)
    assert (said.id, said.in_reply_to) == (envelope.id, envelope.in_reply_to)
    return desk
