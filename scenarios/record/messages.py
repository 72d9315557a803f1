"""The file of negotiation messages: one JSON object per line, written in blocks beside the run.

    sent ─▶ kept as it is, for it is immutable ─▶ a block ─▶ clerk: texts of all of them ─▶ messages.jsonl

Names and times stand in many lines, so their texts are made once. The content is written by its own serializer.
"""

from __future__ import annotations

import json
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from ...agents.runtime.recording import Sent
from .cells import moment
from .clerk import Clerk

BLOCK_LINES = 1024
TEXTS = 65_536  # names of agents, protocols and stages of a large run


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
    envelope, content = sent.envelope, sent.envelope.content
    said, kind = content.__pydantic_serializer__.to_json(content), type(content)
    text = (
        f'{{"id":{_fresh(envelope.id)},"sequence":{sent.sequence},'
        f'"sent_at":{_time(sent.sent_at_us)},"received_at":{_time(sent.received_at_us)},'
        f'"sender":{_text(envelope.sender)},"receiver":{_text(envelope.receiver)},'
        f'"sender_role":{_text(sent.sender_role)},"receiver_role":{_text(sent.receiver_role)},'
        f'"performative":{_text(kind.performative.value)},"protocol":{_text(envelope.protocol)},'
        f'"conversation_id":{_fresh(envelope.conversation_id)},"in_reply_to":{_fresh(envelope.in_reply_to)},'
        f'"caused_by":{_fresh(envelope.caused_by)},"reply_by":{_time(envelope.reply_by_us)},'
        f'"stage":{_text(sent.stage)},"step":{_text(sent.step)},'
        f'"info":{_text(kind.info)},"type":{_text(kind.type_id)},"content":'
    )
    return b"%b%b}\n" % (text.encode(), said)


def _fresh(value: str | None) -> str:
    """A text as JSON."""
    return "null" if value is None else json.encoder.encode_basestring(value)


_text = lru_cache(TEXTS)(_fresh)


def _time(at_us: int | None) -> str:
    return "null" if at_us is None else f'"{moment(at_us)}"'
