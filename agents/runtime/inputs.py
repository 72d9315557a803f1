"""What a node can be given, and what it wants done: the two sides of `Node.take`."""

from collections.abc import Sequence
from typing import NamedTuple

from ...protocols.envelope import Envelope
from ...protocols.flow import Flow
from ...protocols.messages import Message
from ..actions import Actuate, Compute, Note, Observe


class Begin(NamedTuple):
    """The run begins."""


class Arrival(NamedTuple):
    """An envelope has come in; `row`: which one of the run's streamed messages it is, if it is one."""

    envelope: Envelope
    row: int | None = None


class Due(NamedTuple):
    """A conversation's deadline has come."""

    conversation_id: str
    deadline_us: int


class Alarm(NamedTuple):
    """A timer has come."""

    timer: str
    at_us: int


class Result(NamedTuple):
    """A study has ended."""

    key: str
    result: object
    error: str | None = None


class Reading(NamedTuple):
    """A reading of an observed source."""

    source: str
    reading: object


Input = Begin | Arrival | Due | Alarm | Result | Reading


class Send(NamedTuple):
    """Put an envelope on its way; `streamed` if it is one of a subscription's many."""

    envelope: Envelope
    stage: str
    step: str | None
    streamed: bool = False


class Deadline(NamedTuple):
    """Give this back as `Due` when the time has come."""

    conversation_id: str
    deadline_us: int


class SetTimer(NamedTuple):
    """Give this back as `Alarm` when the time has come."""

    timer: str
    at_us: int


class Stream(NamedTuple):
    """Put messages of flows on their way, one after the other: which flow, the number in it, what it says and why.

    A node that says several in a row adds to the same lists.
    """

    flows: list[Flow]
    numbers: list[int]
    contents: list[Message]
    causes: list[str | None]

    def add(self, more: "Stream") -> None:
        """What flows right after this."""
        self.flows.extend(more.flows)
        self.numbers.extend(more.numbers)
        self.contents.extend(more.contents)
        self.causes.extend(more.causes)


class Chorus(NamedTuple):
    """Put the next messages of many flows on their way at once; the same `flows` are the same object."""

    flows: tuple[Flow, ...]
    numbers: Sequence[int]
    contents: Sequence[Message]
    causes: Sequence[str | None]


Effect = Send | Stream | Chorus | Deadline | SetTimer | Compute | Observe | Actuate | Note
