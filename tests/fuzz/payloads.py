"""Payloads for a gate: valid messages spoilt at random; what still gets through is judged by the AsyncAPI document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from attacks import KINDS, openings
from jsonschema import Draft202012Validator
from mischief import encoded, spoilt_bytes, spoilt_value

from gridpact.agents.runtime.mqtt.gate import Allowance, Gate
from gridpact.protocols.asyncapi import asyncapi, component
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Side
from gridpact.protocols.errors import RemoteProtocolError
from gridpact.protocols.examples import example_envelope
from gridpact.protocols.messages import NotUnderstood
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import from_json, to_json

DOCUMENT: Mapping[str, Any] = json.loads(json.dumps(asyncapi(version="1")))
LONGEST_ANSWER = 16_384
CHANNELS = ("bsp-a", "bsp-a", "bsp-a", "bsp-b", "dso-north", "tso", "nobody", "plants")


def valid_messages() -> list[dict[str, Any]]:
    """Every message type in every protocol that has it, as either side says it; one in three is one that is taken."""
    found = [json.loads(to_json(each)) for each in openings()] * 60
    for _, protocol in sorted(BUSINESS_USE_CASE.protocols.items()):
        for message in (*protocol.messages, NotUnderstood):
            found += [example_envelope(protocol, message, side) for side in Side]
    return found


def payload(choice: Random, bases: list[dict[str, Any]], sender: str = "bsp-a") -> bytes:
    """One message, mostly spoilt: as a value, as bytes, or both; sometimes as it is."""
    value, how = choice.choice(bases), choice.random()
    if choice.random() < 0.5:
        value = {**value, "sender": sender, "receiver": "tso"}
    for _ in range(choice.choice((1, 1, 2)) if how < 0.6 else 0):
        value = spoilt_value(choice, value) if isinstance(value, dict | list) else value
    text = encoded(value)
    return spoilt_bytes(choice, text) if 0.5 < how < 0.95 else text


@cache
def _schema(type_id: str) -> Draft202012Validator:
    described = DOCUMENT["components"]["messages"][component(type_id)]["payload"]
    return Draft202012Validator({**described, "components": DOCUMENT["components"]})


def lawful(text: bytes, via: str, hearer: str) -> str | None:
    """Why a payload should not have changed anything at a desk that knows no conversation, by the document; or None."""
    said = json.loads(text)
    fault = next(_schema(said["type"]).iter_errors(said), None)
    table = DOCUMENT["x-protocols"].get(said["protocol"])
    if fault is not None or table is None:
        return f"schema: {fault and fault.message}"
    parts = said["conversation_id"].split("/")
    opens = [s for s in table["steps"] if (s["state"], s["speaker"], s["type"]) == ("start", "initiator", said["type"])]
    roles = [DOCUMENT["x-roles"][KINDS.get(name, "BSP")] for name in (via, hearer)]
    checks = {
        "sender": said["sender"] == via,
        "receiver": said["receiver"] == hearer,
        "names": len(parts) == 5 and [parts[0], parts[1], parts[4]] == [via, table["stage"], hearer],
        "number": said["id"] == f"{said['conversation_id']}#i0",
        "turn": bool(opens),
        "roles": table["initiator"] in roles[0] and table["respondent"] in roles[1],
        "reply": said["in_reply_to"] is None,
    }
    return next((name for name, holds in checks.items() if not holds), None)


class Range:
    """A gate with a desk behind it, which is as new for each payload."""

    def __init__(self) -> None:
        """The TSO's."""
        self.desk = Desk("tso", KINDS, BUSINESS_USE_CASE)
        self.gate = Gate(self.desk, Allowance(message_bytes=65_536))
        self.at_s = 0.0
        self.counts: Counter[str] = Counter()

    def fire(self, text: bytes, via: str) -> None:
        """One payload; AssertionError if it does anything but what is declared."""
        self.at_s += 0.05
        before = sum(self.gate.counts.values())
        admission = self.gate.admit(text, via, waiting=0, at_s=self.at_s)
        refused = admission.envelope is None
        assert sum(self.gate.counts.values()) - before == refused, text
        self._check_answer(admission.answer, via, text)
        if admission.envelope is not None:
            self._hear(admission.envelope, via, text)

    def _hear(self, envelope: Envelope, via: str, text: bytes) -> None:
        assert envelope.sender == via
        hearing = self.desk.hear(envelope)
        self._check_answer(hearing.reply, via, text)
        if self.desk.conversations:
            assert lawful(text, via, "tso") is None, (text, lawful(text, via, "tso"))
            self.counts["taken"] += 1
            self.desk.conversations.clear()
        else:
            assert hearing.fault, text
            self.counts["refused at the desk"] += 1

    def _check_answer(self, answer: Envelope | None, via: str, text: bytes) -> None:
        """An answer is a short not-understood that the other side can read, and goes back the way the payload came."""
        if answer is None:
            return
        assert (answer.sender, answer.receiver) == ("tso", via), text
        written = to_json(answer).encode()
        assert len(written) <= LONGEST_ANSWER, (len(written), text[:200])
        try:
            assert from_json(written, BUSINESS_USE_CASE) == answer
        except RemoteProtocolError as error:
            raise AssertionError(f"our own answer cannot be read: {error}: {text[:300]!r}") from error
        assert isinstance(answer.content, NotUnderstood)


def bombardment(seed: int, count: int) -> Counter[str]:
    """So many payloads at a gate; returns what became of them."""
    choice, bases, at = Random(seed), valid_messages(), Range()  # noqa: S311 - seeded, not secret
    for _ in range(count):
        at.fire(payload(choice, bases), choice.choice(CHANNELS))
    return at.counts + at.gate.counts
