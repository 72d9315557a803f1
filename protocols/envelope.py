"""The ACL envelope around a message, after FIPA SC00061.

Ids are deterministic and do not depend on the order of arrival: a conversation is named by
initiator, stage, period, subject and peer; a message by its conversation, the side that speaks
(`i` initiator, `r` respondent) and that side's running number. An agent that is replayed therefore
says the same ids again, and a receiver can drop what it has already heard.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from sys import intern
from typing import NamedTuple

from .messages import Message

_set = object.__setattr__
_NUMBER = re.compile(r"(?P<side>[ir])(?P<index>0|[1-9][0-9]{0,8})\Z", re.ASCII)


class Side(StrEnum):
    """Which of the two parties of a conversation speaks."""

    INITIATOR = "initiator"
    RESPONDENT = "respondent"
    __hash__ = str.__hash__  # that of enums is many times slower, and every step of every table is found by it

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.RESPONDENT if self is Side.INITIATOR else Side.INITIATOR


class Envelope(NamedTuple):
    """One message on its way; times are microseconds since the epoch, UTC.

    `reply_by_us` is the time by which the *next* message is wanted; `in_reply_to` names the message
    answered (FIPA); `caused_by` names a message of another conversation that led to this one.
    """

    id: str
    sender: str
    receiver: str
    protocol: str
    conversation_id: str
    content: Message
    in_reply_to: str | None = None
    caused_by: str | None = None
    reply_by_us: int | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation is about, and with whom: the parts of its id.

    conversation_id: the deterministic id, which is the five parts joined by slashes.
    """

    initiator: str
    stage: str
    period: str
    subject: str
    peer: str
    conversation_id: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Join the parts."""
        _set(self, "conversation_id", f"{self.initiator}/{self.stage}/{self.period}/{self.subject}/{self.peer}")

    @classmethod
    def parse(cls, conversation_id: str) -> "Topic":
        """Take a conversation id apart; raises ValueError as `parts_of`."""
        parts = map(intern, parts_of(conversation_id))  # names, stages and periods stand in thousands of them
        topic = cls(*parts)
        _set(topic, "conversation_id", conversation_id)  # the same object: it is kept with every message
        return topic


def parts_of(conversation_id: str) -> list[str]:
    """The parts of a conversation id; raises ValueError if they are not five, non-empty and without `#`."""
    parts = conversation_id.split("/")
    if len(parts) != 5 or not all(parts) or "#" in conversation_id:
        raise ValueError(f"conversation id '{conversation_id}' should read initiator/stage/period/subject/peer")
    return parts


def message_id(conversation_id: str, side: Side, index: int) -> str:
    """The id of the `index`-th message (from 0) that `side` says in a conversation."""
    return f"{conversation_id}#{side[0]}{index}"


def index_in(envelope_id: str, conversation_id: str, side: Side) -> int | None:
    """The running number of a message that `side` says in a conversation, or None if the id is no such message's."""
    head, _, tail = envelope_id.rpartition("#")
    found = _NUMBER.match(tail) if head == conversation_id else None
    return int(found["index"]) if found is not None and tail[0] == side.value[0] else None


def index_of(envelope_id: str) -> tuple[Side, int] | None:
    """Side and running number read from a message id, or None if it has another form."""
    head, _, tail = envelope_id.rpartition("#")
    found = _NUMBER.match(tail) if head else None
    if found is None:
        return None
    side = Side.INITIATOR if found["side"] == "i" else Side.RESPONDENT
    return side, int(found["index"])
