"""The base of every message type: a frozen, typed payload with a performative.

A message says *what* is communicated. Who says it to whom, in which conversation and until when an
answer is wanted stands in the envelope (`envelope.py`). A type is named by an explicit, versioned id
(`gridpact.offer/1`), never by its Python name, so that two versions of the project can talk.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Reason = Annotated[str, Field(min_length=1)]


class Performative(StrEnum):
    """FIPA communicative acts (SC00037) that the interaction protocols here use."""

    ACCEPT_PROPOSAL = "accept-proposal"
    AGREE = "agree"
    CANCEL = "cancel"
    CFP = "cfp"
    FAILURE = "failure"
    INFORM = "inform"
    NOT_UNDERSTOOD = "not-understood"
    PROPOSE = "propose"
    QUERY_REF = "query-ref"
    REFUSE = "refuse"
    REJECT_PROPOSAL = "reject-proposal"
    REQUEST = "request"
    REQUEST_WHEN = "request-when"
    SUBSCRIBE = "subscribe"


class Payload(BaseModel):
    """A frozen part of a message; unknown fields, NaN and infinities are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


P = TypeVar("P", bound=BaseModel)
_given: dict[frozenset[str], set[str]] = {}


def kept(payload: P) -> P:
    """The payload itself, smaller: the names of the fields that were given are shared by all that were given the same.

    For what is kept by the thousand; these names take more room than all the values. Nobody changes them in place.
    """
    names = payload.__pydantic_fields_set__
    object.__setattr__(payload, "__pydantic_fields_set__", _given.setdefault(frozenset(names), names))
    return payload


class Message(Payload):
    """A message's content: its type id, its performative, and the paper's INFO number if it has one."""

    type_id: ClassVar[str]
    performative: ClassVar[Performative]
    info: ClassVar[str | None] = None


class NotUnderstood(Message):
    """Any receiver, at any time: the message named could not be taken, and why."""

    type_id: ClassVar[str] = "gridpact.not-understood/1"
    performative: ClassVar[Performative] = Performative.NOT_UNDERSTOOD
    message_id: Annotated[str, Field(min_length=1)]
    reason: Reason


class Refuse(Message):
    """The respondent will not do what was asked."""

    type_id: ClassVar[str] = "gridpact.refuse/1"
    performative: ClassVar[Performative] = Performative.REFUSE
    reason: Reason


class Agree(Message):
    """The respondent will do what was asked; the result follows."""

    type_id: ClassVar[str] = "gridpact.agree/1"
    performative: ClassVar[Performative] = Performative.AGREE


class Failure(Message):
    """The respondent tried and failed."""

    type_id: ClassVar[str] = "gridpact.failure/1"
    performative: ClassVar[Performative] = Performative.FAILURE
    reason: Reason


class Done(Message):
    """FIPA inform-done: what was asked has been done."""

    type_id: ClassVar[str] = "gridpact.done/1"
    performative: ClassVar[Performative] = Performative.INFORM


class Cancel(Message):
    """The initiator no longer wants what it asked for (the FIPA cancel meta-protocol)."""

    type_id: ClassVar[str] = "gridpact.cancel/1"
    performative: ClassVar[Performative] = Performative.CANCEL
    reason: Reason


class Cancelled(Message):
    """FIPA inform-done(cancel): the respondent has stopped."""

    type_id: ClassVar[str] = "gridpact.cancelled/1"
    performative: ClassVar[Performative] = Performative.INFORM


class CancelTooLate(Message):
    """FIPA failure(cancel): the action was over when the cancel arrived."""

    type_id: ClassVar[str] = "gridpact.cancel-too-late/1"
    performative: ClassVar[Performative] = Performative.FAILURE
    reason: Reason
