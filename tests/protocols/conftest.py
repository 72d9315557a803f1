"""Desks that talk to each other, and one valid example of every message type (examples.json)."""

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import assume, reject
from hypothesis import strategies as st
from pydantic import ValidationError

from gridpact.protocols.conversation import Conversation
from gridpact.protocols.desk import Desk, Hearing, Silent
from gridpact.protocols.envelope import Envelope, Side, Topic
from gridpact.protocols.information.capacity import ConnectedShare, ResourceData, TestOrder, TestReport
from gridpact.protocols.information.offering import Acceptance, Offer, Offers
from gridpact.protocols.information.reserve import ReserveOffers, ReserveStatement
from gridpact.protocols.information.settlement import Statement
from gridpact.protocols.messages import Message, Payload
from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import content_from

CONTENTS: Mapping[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))
MESSAGES = {type_id: content_from(type_id, content, BUSINESS_USE_CASE) for type_id, content in CONTENTS.items()}
KINDS = {"tso": "TSO", "dso": "DSO", "bsp": "BSP", "agg": "AGGREGATOR", "gen": "BSP"}
PARTY = {"TSO": "tso", "DSO": "dso", "BSP": "bsp"}


@dataclass
class Dialogue:
    """Two desks and a conversation between them; what is said reaches nobody until it is heard."""

    protocol: Protocol
    example: Callable[[type[Message]], Message]
    sides: Mapping[Side, Desk]
    topic: Topic

    def say(self, side: Side, message: type[Message], reply_by_us: int | None = None) -> Envelope:
        """Open the conversation, or go on in it."""
        desk, content = self.sides[side], self.example(message)
        if self.topic.conversation_id not in desk.conversations:
            return desk.open(self.protocol, self.topic, content, reply_by_us=reply_by_us or 100)
        if side is Side.INITIATOR and self.of(side).deadline_us is None:
            reply_by_us = reply_by_us or 100
        return desk.say(self.topic.conversation_id, content, reply_by_us=reply_by_us)

    def hear(self, envelope: Envelope) -> Hearing:
        """Let the receiver hear it."""
        return next(desk for desk in self.sides.values() if desk.name == envelope.receiver).hear(envelope)

    def tell(self, side: Side, message: type[Message], reply_by_us: int | None = None) -> Hearing:
        """Say it, and let the other side hear it at once."""
        return self.hear(self.say(side, message, reply_by_us))

    def silence(self, side: Side) -> Silent | None:
        """The deadline of a side passes."""
        deadline_us = self.of(side).deadline_us
        return None if deadline_us is None else self.sides[side].silence(self.topic.conversation_id, deadline_us)

    def of(self, side: Side) -> Conversation:
        """The conversation as a side sees it."""
        return self.sides[side].conversations[self.topic.conversation_id]

    def states(self) -> tuple[str, str]:
        """Where initiator and respondent are."""
        return self.of(Side.INITIATOR).state, self.of(Side.RESPONDENT).state


@pytest.fixture(scope="session")
def example() -> Callable[[type[Message]], Message]:
    """A valid message of a type."""
    return lambda message: MESSAGES[message.type_id]


@pytest.fixture(scope="session")
def content() -> Callable[[type[Message]], Any]:
    """A valid content of a type as it stands in JSON, to be spoilt."""
    return lambda message: deepcopy(CONTENTS[message.type_id])


@pytest.fixture
def desks() -> dict[str, Desk]:
    """Everybody's desk."""
    return {name: Desk(name, KINDS, BUSINESS_USE_CASE) for name in KINDS}


@pytest.fixture
def dialogue(example: Callable[[type[Message]], Message], desks: dict[str, Desk]) -> Callable[[Protocol], Dialogue]:
    """A conversation of a protocol between those who may have it, about to begin."""

    def between(protocol: Protocol) -> Dialogue:
        one, other = PARTY[protocol.initiator], PARTY[protocol.respondent]
        topic = Topic(one, protocol.stage, "qh1", "mFRR-up", other)
        return Dialogue(protocol, example, {Side.INITIATOR: desks[one], Side.RESPONDENT: desks[other]}, topic)

    return between


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=6)
BOUNDS = {"ge": None, "gt": None, "le": None, "min_length": None}


def _bounds(metadata: Iterable[object]) -> dict[str, Any]:
    """What the annotations of a field bound."""
    parts = [part for item in metadata for part in (getattr(item, "metadata", None) or [item])]
    return {name: getattr(part, name) for part in parts for name in BOUNDS if getattr(part, name, None) is not None}


def values(kind: Any, metadata: Iterable[object] = ()) -> st.SearchStrategy[Any]:
    """Any value of a field's type, within its bounds; rules between fields are not looked at."""
    bounds, origin = _bounds(metadata), get_origin(kind)
    low, high = bounds.get("ge", bounds.get("gt", -1e6)), bounds.get("le", 1e6)
    if origin is Annotated:
        return values(get_args(kind)[0], [*get_args(kind)[1:], *metadata])
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin is tuple:
        return st.lists(values(get_args(kind)[0]), min_size=bounds.get("min_length", 0), max_size=3).map(tuple)
    if origin in {Union, UnionType}:
        return st.one_of(*(st.none() if one is type(None) else values(one, metadata) for one in get_args(kind)))
    if kind is float:
        return st.floats(low, high, exclude_min="gt" in bounds, allow_nan=False)
    if kind is int:
        return st.integers(int(low), int(high))
    if kind is Decimal:
        return st.decimals(max(-1000, low), min(1000, high), places=2)
    return {str: NAMES, bool: st.booleans()}[kind] if kind in {str, bool} else payloads(kind)


def _ordered(fields: dict[str, Any]) -> dict[str, Any]:
    """Put the fields into the relations that payloads ask for."""
    for low, high in (("start", "end"), ("delivery_start", "delivery_end"), ("vm_min_pu", "vm_max_pu")):
        if high in fields:
            fields[low], fields[high] = sorted((fields[low], fields[high]))
            assume(fields[low] < fields[high])
    for least, most in (("min_quantity_mw", "quantity_mw"), ("min_duration_s", "max_duration_s")):
        if least in fields and most in fields:
            fields[least], fields[most] = sorted((fields[least], fields[most]))
    if {"tap_min", "tap_max"} <= set(fields):
        fields["tap_min"], fields["tap_position"], fields["tap_max"] = sorted(
            (fields["tap_min"], fields["tap_position"], fields["tap_max"])
        )
    if {"min_mw", "max_up_mw"} <= set(fields):
        fields["min_mw"] = min(fields["min_mw"], fields["max_up_mw"])
    return fields


def _related(kind: type[Payload], fields: dict[str, Any]) -> dict[str, Any]:
    """What single payloads ask for beyond that."""
    if "max_mw" in fields and {fields.get("verdict"), fields.get("kind")} & {"rejected", "excluded", "terminate"}:
        fields["max_mw"] = 0.0
    if kind is Offer:
        fields["related_offer_id"] = f"{fields['offer_id']}." if fields["revision"] else None
    if kind in {Statement, ReserveStatement}:
        fields["total_eur"] = sum((line.due_eur for line in fields["lines"]), Decimal(0))
    if kind is ResourceData:
        fields["scheme"] = tuple(
            ConnectedShare(unit=str(number), point=part.point, bus=part.bus, share=1 / len(fields["scheme"]))
            for number, part in enumerate(fields["scheme"])
        )
    if kind in {TestOrder, TestReport}:
        name = "steps" if kind is TestOrder else "samples"
        found = {item.offset_s: item for item in fields[name]}
        fields[name] = tuple(found[offset_s] for offset_s in sorted(found))
    if kind is TestOrder:
        fields["duration_s"] = max(fields["duration_s"], fields["sample_every_s"], fields["steps"][-1].offset_s)
    if kind in {Offers, Acceptance, ReserveOffers}:
        fields["offers"] = fields["offers"][:1]
    if "entries" in fields and fields["entries"] and hasattr(fields["entries"][0], "rank"):
        fields["entries"] = fields["entries"][:1]
    return fields


@st.composite
def payloads(draw: st.DrawFn, kind: type[Payload]) -> Payload:
    """Any valid payload of a type."""
    fields = {name: draw(values(field.annotation, field.metadata)) for name, field in kind.model_fields.items()}
    try:
        return kind(**_related(kind, _ordered(fields)))
    except ValidationError as error:
        if all(fault["msg"].endswith(("occurs twice", "is not used here")) for fault in error.errors()):
            reject()
        raise


@pytest.fixture(scope="session")
def contents() -> Callable[[type[Message]], st.SearchStrategy[Payload]]:
    """Any valid content of a type."""
    return payloads
