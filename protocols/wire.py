"""Envelopes to and from JSON text: what crosses a process, and what a record holds.

Parsing validates everything and blames the sender (RemoteProtocolError); an unknown type is named together
with what is understood. Nothing is ever imported or executed because a message names it.
"""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .envelope import Envelope
from .errors import RemoteProtocolError
from .messages import Message
from .vocabulary import Vocabulary

FIELDS = ("id", "sender", "receiver", "protocol", "conversation_id", "in_reply_to", "caused_by", "reply_by_us")
_OBJECT = TypeAdapter(dict[str, Any])


def to_json(envelope: Envelope) -> str:
    """One envelope as a JSON text with a fixed order of keys."""
    plain: dict[str, Any] = {name: getattr(envelope, name) for name in FIELDS}
    plain["type"] = envelope.content.type_id
    plain["content"] = envelope.content.model_dump(mode="json")
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str | bytes, vocabulary: Vocabulary) -> Envelope:
    """Read an envelope; RemoteProtocolError says what is wrong with it."""
    try:
        plain = _OBJECT.validate_json(text)
    except ValidationError as error:
        raise RemoteProtocolError("not a JSON object") from error
    return from_plain(plain, vocabulary)


def from_plain(plain: dict[str, Any], vocabulary: Vocabulary) -> Envelope:
    """Build an envelope from a JSON object's members; RemoteProtocolError says what is wrong with them."""
    wrong = set(plain) ^ {*FIELDS, "type", "content"}
    if wrong:
        raise RemoteProtocolError(f"envelope members missing or unknown: {', '.join(sorted(wrong))}")
    content = content_from(str(plain["type"]), plain["content"], vocabulary)
    texts = ("id", "sender", "receiver", "protocol", "conversation_id")
    if any(not isinstance(plain[name], str) or not plain[name] for name in texts):
        raise RemoteProtocolError(f"envelope members {', '.join(texts)} must be non-empty texts")
    if any(not isinstance(plain[name], str | None) for name in ("in_reply_to", "caused_by")):
        raise RemoteProtocolError("in_reply_to and caused_by must be texts or null")
    if not isinstance(plain["reply_by_us"], int | None) or isinstance(plain["reply_by_us"], bool):
        raise RemoteProtocolError("reply_by_us must be an integer or null")
    return Envelope(content=content, **{name: plain[name] for name in FIELDS})


def content_from(type_id: str, content: object, vocabulary: Vocabulary) -> Message:
    """Validate a message's content against its type; RemoteProtocolError names the first fault."""
    message = vocabulary.messages.get(type_id)
    if message is None:
        understood = ", ".join(sorted(vocabulary.messages))
        raise RemoteProtocolError(f"unknown message type '{type_id}'; understood: {understood}")
    try:
        return message.model_validate_json(json.dumps(content))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "content"
        raise RemoteProtocolError(f"{type_id}: {where}: {fault['msg']}") from error
