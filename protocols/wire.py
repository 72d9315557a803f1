"""Envelopes to and from JSON text: what crosses a process, and what a record holds.

Parsing validates everything and blames the sender (RemoteProtocolError); an unknown type is named together
with what is understood. Nothing is ever imported or executed because a message names it.
"""

import json
from collections import Counter
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .envelope import Envelope
from .errors import RemoteProtocolError
from .information.quantities import LAST_US
from .messages import Message
from .vocabulary import Vocabulary

Plain = dict[str, Any]
TEXTS = ("id", "sender", "receiver", "protocol", "conversation_id")
FIELDS = (*TEXTS, "in_reply_to", "caused_by", "reply_by_us")
MEMBERS = frozenset({*FIELDS, "type", "content"})
LONGEST = 1000
_OBJECT = TypeAdapter(dict[str, Any])


def to_json(envelope: Envelope) -> str:
    """One envelope as a JSON text with a fixed order of keys."""
    plain: Plain = {name: getattr(envelope, name) for name in FIELDS}
    plain["type"] = envelope.content.type_id
    plain["content"] = envelope.content.model_dump(mode="json")
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str | bytes, vocabulary: Vocabulary) -> Envelope:
    """Read an envelope; RemoteProtocolError says what is wrong with it."""
    return from_plain(to_plain(text), vocabulary)


def to_plain(text: str | bytes) -> Plain:
    """Read a JSON object; RemoteProtocolError if the text is none."""
    try:
        return _OBJECT.validate_json(text)
    except ValidationError as error:
        raise RemoteProtocolError("not a JSON object") from error


def from_plain(plain: Plain, vocabulary: Vocabulary) -> Envelope:
    """Build an envelope from a JSON object's members; RemoteProtocolError says what is wrong with them."""
    wrong = set(plain) ^ MEMBERS
    if wrong:
        raise RemoteProtocolError(f"envelope members missing or unknown: {', '.join(sorted(wrong))}")
    _check_members(plain)
    content = content_from(plain["type"], plain["content"], vocabulary)
    return Envelope(content=content, **{name: plain[name] for name in FIELDS})


def _check_members(plain: Plain) -> None:
    for name in (*TEXTS, "type", "in_reply_to", "caused_by"):
        value, optional = plain[name], name in {"in_reply_to", "caused_by"}
        if value is None and optional:
            continue
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST:
            or_null = " or null" if optional else ""
            raise RemoteProtocolError(f"envelope member {name} must be a text of 1 to {LONGEST} characters{or_null}")
    reply_by_us = plain["reply_by_us"]
    if reply_by_us is not None and (type(reply_by_us) is not int or not 0 <= reply_by_us <= LAST_US):
        raise RemoteProtocolError("envelope member reply_by_us must be microseconds since the epoch, or null")


def content_from(type_id: str, content: object, vocabulary: Vocabulary) -> Message:
    """Validate a message's content against its type; RemoteProtocolError names the first fault.

    Strict: a text is no number, and an instant is an ISO 8601 text.
    """
    message = vocabulary.messages.get(type_id)
    if message is None:
        raise RemoteProtocolError(f"unknown message type '{type_id}'; understood: {_understood(type_id, vocabulary)}")
    try:
        return message.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "content"
        raise RemoteProtocolError(f"{type_id}: {where}: {fault['msg']}") from error


def _understood(type_id: str, vocabulary: Vocabulary) -> str:
    """The versions that are understood of a type, or else every type: those of plugins first, if the list is cut."""
    name = type_id.partition("/")[0]
    versions = [known for known in vocabulary.messages if known.partition("/")[0] == name]
    spaces = Counter(known.partition(".")[0] for known in vocabulary.messages)
    return ", ".join(
        sorted(versions or vocabulary.messages, key=lambda known: (spaces[known.partition(".")[0]], known))
    )
