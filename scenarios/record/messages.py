"""The file of negotiation messages: one JSON object per line, written in blocks beside the run.

    sent ─▶ kept as it is, for it is immutable ─▶ a block ─▶ clerk: texts of all of them ─▶ messages.jsonl

Kinds and times stand in many lines, so their texts are made once. The content is written by its own serializer.
"""

from __future__ import annotations

import json
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from ...agents.runtime.memory.recording import Sent
from ...protocols.information.quantities import iso
from ...protocols.messages import Message
from .clerk import Clerk

BLOCK_LINES = 1024
TEXTS = 4096  # kinds of messages, and who may say them
TIMES = 512  # many are sent at one instant, and answers to them wanted until another


class MessageFile:
    """Lines in the order of sending; `rows` counts them."""

    def __init__(self, path: Path, clerk: Clerk) -> None:
        self._file = path.open("wb")
        self._clerk = clerk
        self._waiting: list[Sent] = []
        self.rows = 0
        self.closed = False

    def add(self, sent: Sent) -> None:
        """One message as it left."""
        self._waiting.append(sent)
        self.rows += 1
        if len(self._waiting) == BLOCK_LINES:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._clerk.do(self._file.close)
        self.closed = True

    def _flush(self) -> None:
        block, self._waiting = self._waiting, []
        self._clerk.do(partial(self._write, block))

    def _write(self, block: list[Sent]) -> None:
        self._file.write(b"".join(map(_line, block)))


def message_row(sent: Sent) -> dict[str, Any]:
    """A message as messages.jsonl has it."""
    return dict(json.loads(_line(sent)))


def _line(sent: Sent) -> bytes:
    """A message as JSON, with the keys in the order of the table MESSAGES."""
    sequence, sent_us, received_us, envelope, *roles, stage, step = sent
    message_id, sender, receiver, protocol, about, content, answered, cause, reply_by_us = envelope
    said, kind = content.__pydantic_serializer__.to_json(content), type(content)
    text = (
        f'{{"id":{_fresh(message_id)},"sequence":{sequence},"sent_at":{_time(sent_us)},"received_at":{_once(received_us)},'
        f'"sender":{_fresh(sender)},"receiver":{_fresh(receiver)},{_roles(*roles)},{_speech(kind, protocol)},'
        f'"conversation_id":{_fresh(about)},"in_reply_to":{_fresh(answered)},'
        f'"caused_by":{_fresh(cause)},"reply_by":{_time(reply_by_us)},{_place(kind, stage, step)},"content":'
    )
    return b"%b%b}\n" % (text.encode(), said)


@lru_cache(TEXTS)
def _roles(sender: str, receiver: str) -> str:
    return f'"sender_role":{_fresh(sender)},"receiver_role":{_fresh(receiver)}'


@lru_cache(TEXTS)
def _speech(kind: type[Message], protocol: str) -> str:
    return f'"performative":{_fresh(kind.performative.value)},"protocol":{_fresh(protocol)}'


@lru_cache(TEXTS)
def _place(kind: type[Message], stage: str, step: str | None) -> str:
    place = f'"stage":{_fresh(stage)},"step":{_fresh(step)}'
    return f'{place},"info":{_fresh(kind.info)},"type":{_fresh(kind.type_id)}'


def _fresh(value: str | None) -> str:
    """A text as JSON."""
    return "null" if value is None else json.encoder.encode_basestring(value)


def _once(at_us: int | None) -> str:
    return "null" if at_us is None else f'"{iso(at_us)}"'


_time = lru_cache(TIMES)(_once)
