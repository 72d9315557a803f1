"""What an agent takes from the network, and what it answers to what it does not take.

    payload ─▶ stranger, size ─▶ rate ─▶ readable, and from whom the topic says ─▶ inbox ─▶ conversations ─▶ the node
                  │               │           │                                      │           │
               counted         counted, and answered with not-understood and the reason, a few times a second

Nothing that is refused here reaches the agent's desk, so it changes no state and is in no record; it is counted.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from ....protocols.desk import Desk
from ....protocols.envelope import Envelope, Side
from ....protocols.errors import RemoteProtocolError
from ....protocols.messages import NotUnderstood
from ....protocols.wire import from_json

ANSWERS_PER_S = 5.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that one sender may ask of one agent; rates count wall-clock seconds at speed 1."""

    message_bytes: int = 1_048_576
    messages_per_s: float = 100.0
    open_conversations: int = 500
    known_conversations: int = 20_000
    inbox: int = 10_000


class Admission(NamedTuple):
    """An envelope to take, or none and what to answer, if anything."""

    envelope: Envelope | None
    answer: Envelope | None = None


@dataclass
class Bucket:
    """Tokens that fill up with time: one is taken for each message, ten seconds' worth may be saved."""

    per_s: float
    left: float
    at_s: float

    def take(self, at_s: float) -> bool:
        """Take a token, if there is one."""
        self.left = min(10 * self.per_s, self.left + (at_s - self.at_s) * self.per_s)
        self.at_s = at_s
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Gate:
    """The gate of one agent."""

    def __init__(self, desk: Desk, allowance: Allowance) -> None:
        """The gate before a desk; `speed` is set when the run begins: a faster run says more in a second."""
        self.desk = desk
        self.counts: Counter[str] = Counter()
        self.speed = 1.0
        self._allowance = allowance
        self._heard: dict[str, Bucket] = {}
        self._answers: dict[str, Bucket] = {}

    @property
    def _rate(self) -> float:
        return self._allowance.messages_per_s * max(1.0, self.speed)

    def admit(self, payload: bytes, via: str, *, waiting: int, at_s: float) -> Admission:
        """Judge a payload from the topic of `via`; `waiting`: the inbox's length, `at_s`: a monotonic clock."""
        if via not in self.desk.kinds:
            return self._refused("stranger")
        if len(payload) > self._allowance.message_bytes:
            return self._refused("oversized")
        if not self._bucket(self._heard, via, self._rate, at_s).take(at_s):
            return self._answered("too fast", payload, via, at_s)
        try:
            envelope = from_json(payload, self.desk.vocabulary)
        except RemoteProtocolError:
            return self._answered("unreadable", payload, via, at_s)
        why = self._against(envelope, via, waiting)
        return Admission(envelope) if why is None else self._answered(why, payload, via, at_s)

    def _against(self, envelope: Envelope, via: str, waiting: int) -> str | None:
        """Why a readable message is not taken."""
        if envelope.sender != via:
            return "forged"
        if waiting >= self._allowance.inbox:
            return "inbox full"
        return "too many conversations" if self._opens_too_many(envelope) else None

    def _opens_too_many(self, envelope: Envelope) -> bool:
        conversations = self.desk.conversations
        if envelope.conversation_id in conversations:
            return False
        theirs = [one for one in conversations.values() if one.peer == envelope.sender and one.side is Side.RESPONDENT]
        still_open = sum(not one.ended for one in theirs)
        return still_open >= self._allowance.open_conversations or len(theirs) >= self._allowance.known_conversations

    def _refused(self, why: str) -> Admission:
        self.counts[why] += 1
        return Admission(None)

    def _answered(self, why: str, payload: bytes, via: str, at_s: float) -> Admission:
        refused = self._refused(why)
        if not self._bucket(self._answers, via, ANSWERS_PER_S, at_s).take(at_s):
            return refused
        return Admission(None, self._answer(why, payload, via))

    def _answer(self, why: str, payload: bytes, via: str) -> Envelope | None:
        """Not-understood with the reason, on the channel that the payload came by; None if it names nothing."""
        try:
            envelope = from_json(payload, self.desk.vocabulary)
        except RemoteProtocolError:
            envelope = None
        if envelope is None or envelope.sender != via:
            return self.desk.hear_text(payload, via=via).reply
        if isinstance(envelope.content, NotUnderstood):
            return None
        content = NotUnderstood(message_id=envelope.id, reason=f"not taken by {self.desk.name}: {why}")
        about = (envelope.protocol, envelope.conversation_id)
        return Envelope(f"{envelope.id}!{self.desk.name}", self.desk.name, via, *about, content, envelope.id)

    @staticmethod
    def _bucket(buckets: dict[str, Bucket], name: str, per_s: float, at_s: float) -> Bucket:
        return buckets.setdefault(name, Bucket(per_s, 10 * per_s, at_s))
