"""Replays every recorded conversation through its protocol's table, each side hearing only what reached it.

row ─▶ validated message ─▶ initiator's and respondent's view ─▶ out of turn, wrong party, wrong step, wrong id
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...protocols.conversation import Conversation
from ...protocols.envelope import Envelope, Side, Topic, index_of
from ...protocols.errors import ProtocolError, RemoteProtocolError
from ...protocols.information.quantities import instant
from ...protocols.messages import Message, NotUnderstood
from ...protocols.tables import START, Protocol
from ...protocols.vocabulary import Vocabulary
from ...protocols.wire import content_from
from ..record.instants import envelope_of, instant_or_none
from .findings import Row, Trail
from .index import Index

SPEAKING, HEARING = 1, 0
ADDRESS = (
    "sender",
    "receiver",
    "sender_role",
    "receiver_role",
    "performative",
    "info",
    "type",
    "stage",
    "step",
    "protocol",
    "conversation_id",
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recorded message that is valid by itself."""

    row: Row
    envelope: Envelope
    sent_us: int
    received_us: int | None


def follow(index: Index, trail: Trail) -> int:
    """Replay all conversations; returns how many messages are valid.

    What was streamed is looked at conversation by conversation, so that a day of it is never there at once.
    """
    checker = Checker(index, trail)
    spoken: dict[Any, list[Spoken]] = defaultdict(list)
    for one in checker.spoken(index.messages):
        spoken[one.row["conversation_id"]].append(one)
    for conversation_id in dict.fromkeys((*spoken, *index.streams.conversations)):
        messages = [*spoken.pop(conversation_id, ()), *checker.spoken(index.streams.rows_of(conversation_id))]
        if messages:
            trail.findings += _replayed(conversation_id, messages, index.vocabulary)
    return checker.valid


class Checker:
    """Looks at messages one by one; what hangs on an address alone is found once for each."""

    def __init__(self, index: Index, trail: Trail) -> None:
        self.valid = 0
        self._index, self._trail = index, trail
        self._known: dict[tuple[object, ...], tuple[str, ...]] = {}

    def spoken(self, rows: Iterable[Row]) -> Iterator[Spoken]:
        """Those that are messages of a known protocol."""
        for row in rows:
            try:
                one = _spoken(row, self._index.vocabulary)
                protocol = self._index.vocabulary.protocols[row["protocol"]]
            except (ProtocolError, ValueError, KeyError, TypeError) as error:
                self._trail.findings.append(f"{_named(row)}: this is no message of a known protocol: {error}")
                continue
            faults = self._faults(row, one.envelope.content, protocol)
            self._trail.findings += [f"{_named(row)}: {fault}" for fault in faults]
            self.valid += not faults
            yield one

    def _faults(self, row: Row, content: Message, protocol: Protocol) -> tuple[str, ...]:
        found = index_of(row["id"])
        side = found[0] if found is not None and row["id"].startswith(f"{row['conversation_id']}#") else None
        key = (type(content), side, *(row[name] for name in ADDRESS))
        if key not in self._known:
            self._known[key] = tuple(_faults(self._index, row, content, protocol))
        return self._known[key]


def _named(row: Row) -> str:
    parties = f"{row['sender']} → {row['receiver']}, {row['info'] or row['type']}"
    step = f"step {row['step']} ({parties}), " if row["step"] else ""
    return f"{step}message {row['id']}"


def _spoken(row: Row, vocabulary: Vocabulary) -> Spoken:
    content = content_from(row["type"], row["content"], vocabulary)
    return Spoken(row, envelope_of(row, content), instant(row["sent_at"]), instant_or_none(row["received_at"]))


def _faults(index: Index, row: Row, content: Message, protocol: Protocol) -> Iterator[str]:
    """What a single message has wrong: parties, roles, step, information."""
    if row["sender_role"] != index.kind(row["sender"]):
        yield f"{row['sender']} is {index.kind(row['sender'])}, not {row['sender_role']}"
    if row["receiver_role"] != index.kind(row["receiver"]):
        yield f"{row['receiver']} is {index.kind(row['receiver'])}, not {row['receiver_role']}"
    if (row["info"], row["performative"]) != (content.info, content.performative.value):
        right = f"{content.info}, {content.performative.value}"
        yield f"it says {row['info']}, {row['performative']}, but {row['type']} is {right}"
    if isinstance(content, NotUnderstood):
        return
    stage, step = protocol.stage, protocol.paper.get(type(content))
    if (row["stage"], row["step"]) != (stage, step):
        yield f"it says {row['stage']} step {row['step']}, but is {stage} step {step}"
    yield from _party_faults(index, row, protocol)


def _party_faults(index: Index, row: Row, protocol: Protocol) -> Iterator[str]:
    found = index_of(row["id"])
    if found is None or not row["id"].startswith(f"{row['conversation_id']}#"):
        yield "its id does not name its conversation, side and number"
        return
    topic, side = Topic.parse(row["conversation_id"]), found[0]
    parties = (topic.initiator, topic.peer) if side is Side.INITIATOR else (topic.peer, topic.initiator)
    if parties != (row["sender"], row["receiver"]):
        right = f"the {side}'s, from {parties[0]} to {parties[1]}"
        yield f"it goes from {row['sender']} to {row['receiver']}, but is {right}"
    roles = index.vocabulary.roles.get(index.kind(row["sender"]) or "", frozenset())
    if protocol.role_of(side) not in roles:
        yield f"{row['sender']} may not take the role {protocol.role_of(side)} of {protocol.name}"
    if topic.stage != protocol.stage:
        yield f"its conversation is of stage {topic.stage}, but {protocol.name} is of {protocol.stage}"


def _replayed(conversation_id: str, messages: list[Spoken], vocabulary: Vocabulary) -> list[str]:
    """Walk both sides through the table; a side hears a message when it was received."""
    talk = [one for one in messages if not isinstance(one.envelope.content, NotUnderstood)]
    try:
        topic = Topic.parse(conversation_id)
    except ValueError as error:
        return [str(error)]
    protocol = vocabulary.protocols[messages[0].envelope.protocol]
    if len({one.envelope.protocol for one in messages}) > 1:
        return [f"conversation {conversation_id} changes its protocol"]
    refused = {one.envelope.content.message_id for one in messages if isinstance(one.envelope.content, NotUnderstood)}
    findings = [*_opening(protocol, topic, talk), *_numbering(conversation_id, talk)]
    views = {side: Conversation(protocol, topic, side) for side in Side}
    for at_us, doing, _, one in sorted(_happenings(talk), key=lambda each: each[:3]):
        found = index_of(one.envelope.id)
        if found is None:
            continue
        side = found[0] if doing == SPEAKING else found[0].other
        view = _waited(views[side], at_us)
        try:
            views[side] = _told(view, one.envelope, at_us) if doing == SPEAKING else _heard(view, one.envelope)
        except ProtocolError as error:
            if doing == HEARING and one.envelope.id in refused:  # answered with not-understood: it changes nothing
                continue
            text = str(error).replace("we say", f"{one.envelope.sender} says").replace("we may", "it may")
            findings.append(f"{_named(one.row)}: {text}")
            break
    return findings


def _opening(protocol: Protocol, topic: Topic, talk: list[Spoken]) -> Iterator[str]:
    """The message that opens a conversation names the step that is missing if it is not there."""
    if not talk or any(index_of(one.envelope.id) == (Side.INITIATOR, 0) for one in talk):
        return
    opening = next(step.message for step in protocol.steps if step.state == START)
    step = protocol.paper.get(opening)
    named = f"step {step} ({protocol.initiator} → {protocol.respondent}, {opening.info})" if step else opening.type_id
    yield f"{named} is missing for conversation {topic.conversation_id}"


def _happenings(talk: list[Spoken]) -> Iterator[tuple[int, int, int, Spoken]]:
    for number, one in enumerate(talk):
        yield one.sent_us, SPEAKING, number, one
        if one.received_us is not None:
            yield one.received_us, HEARING, number, one


def _waited(view: Conversation, at_us: int) -> Conversation:
    return view.silent() if view.deadline_us is not None and view.deadline_us < at_us else view


def _told(view: Conversation, envelope: Envelope, at_us: int) -> Conversation:
    """What has been said; at the deadline itself it may be said because of the silence."""
    protocol = view.protocol
    if view.deadline_us == at_us and (view.state, view.side, type(envelope.content)) not in protocol.sayings:
        view = view.silent()
    moved, expected = view.say(envelope.content, reply_by_us=envelope.reply_by_us, caused_by=envelope.caused_by)
    if expected.id != envelope.id:
        raise RemoteProtocolError(f"the next message of {envelope.sender} should be {expected.id}")
    if expected.in_reply_to != envelope.in_reply_to:
        raise RemoteProtocolError(f"it answers {envelope.in_reply_to}, but {expected.in_reply_to} was heard last")
    return moved


def _heard(view: Conversation, envelope: Envelope) -> Conversation:
    return view if view.heard_before(envelope) else view.hear(envelope)[0]


def _numbering(conversation_id: str, talk: list[Spoken]) -> list[str]:
    """Each side counts its messages from 0 without a gap."""
    findings = []
    for side in Side:
        numbers = [found[1] for one in talk if (found := index_of(one.envelope.id)) is not None and found[0] is side]
        if numbers != list(range(len(numbers))):
            missing = sorted(set(range(max(numbers) + 1)) - set(numbers))
            what = f"lacks number {missing[0]}" if missing else "has its messages out of order"
            findings.append(f"conversation {conversation_id}: the {side} {what}")
    return findings
