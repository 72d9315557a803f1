"""What an agent takes from the network, and what it answers to what it does not take.

    payload ─▶ stranger, size ─▶ rate ─▶ readable, and from whom the topic says ─▶ inbox ─▶ conversations ─▶ the node
                  │               │           │                                      │           │
               counted         counted, and answered with not-understood and the reason, a few times a second

Nothing that is refused here reaches the agent's desk, so it changes no state and is in no record; it is counted.

Conversations are counted because the desk keeps them: those that may be open, and all that it still remembers. What it
has forgotten leaves room, so a sender may go on for ever at its pace, and no sender fills the memory.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ....protocols.desk import Desk
from ....protocols.envelope import Envelope, Side, message_id
from ....protocols.errors import RemoteProtocolError
from ....protocols.messages import NotUnderstood
from ....protocols.wire import from_json

ANSWERS_PER_S = 5.0
SAVED_S = 10.0
RECOUNTED_S = 1.0  # all conversations are gone through no more often than that
STRANGER, OVERSIZED, TOO_FAST = "stranger", "oversized", "too fast"


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that one sender may ask of one agent; rates count wall-clock seconds at speed 1.

    `known_conversations`: with those that are over and remembered.
    """

    message_bytes: int = 1_048_576
    messages_per_s: float = 100.0
    open_conversations: int = 500
    known_conversations: int = 20_000
    inbox: int = 10_000


class Admission(NamedTuple):
    """An envelope to take, or none and what to answer, if anything."""

    envelope: Envelope | None
    answer: Envelope | None = None


class Turnstile:
    """What is not even read: payloads of strangers, too large ones, and too many a second."""

    def __init__(self, known: Collection[str], allowance: Allowance) -> None:
        """`known` may speak; `speed` is how much faster than real time the run goes, and so its messages."""
        self.speed = 1.0
        self._known = known
        self._allowance = allowance
        self._left: dict[str, tuple[float, float]] = {}

    def refusal(self, payload: bytes, via: str, at_s: float) -> str | None:
        """Why a payload from `via` is not read, or None; `at_s`: a monotonic clock."""
        if via not in self._known:
            return STRANGER
        if len(payload) > self._allowance.message_bytes:
            return OVERSIZED
        return None if self._token(via, at_s) else TOO_FAST

    def _token(self, via: str, at_s: float) -> bool:
        """Take one of the tokens that a sender gets with time; some seconds' worth may be saved."""
        per_s = self._allowance.messages_per_s * max(1.0, self.speed)
        left, since_s = self._left.get(via, (SAVED_S * per_s, at_s))
        left = min(SAVED_S * per_s, left + (at_s - since_s) * per_s)
        self._left[via] = (left - 1 if left >= 1 else left, at_s)
        return left >= 1


@dataclass
class Opened:
    """The conversations that one sender has begun: how many when last counted and since, and those that may be open."""

    known: int = 0
    open: set[str] = field(default_factory=set)
    counted_s: float = 0.0


class Gate:
    """The gate of one agent."""

    def __init__(self, desk: Desk, allowance: Allowance) -> None:
        """The gate before a desk."""
        self.desk = desk
        self.counts: Counter[str] = Counter()
        self.turnstile = Turnstile(desk.kinds, allowance)
        self._allowance = allowance
        self._answers = Turnstile(desk.kinds, replace(allowance, messages_per_s=ANSWERS_PER_S))
        self._opened: dict[str, Opened] = {}

    def admit(self, payload: bytes, via: str, *, waiting: int, at_s: float) -> Admission:
        """Judge a payload from the topic of `via`; `waiting`: the inbox's length, `at_s`: a monotonic clock."""
        why = self.turnstile.refusal(payload, via, at_s)
        if why is not None:
            self.counts[why] += 1
            return Admission(None, self._answer(why, payload, via, at_s) if why == TOO_FAST else None)
        try:
            envelope = from_json(payload, self.desk.vocabulary)
            why = self._against(envelope, via, waiting, at_s)
        except RemoteProtocolError:
            why = "unreadable"
        if why is None:
            return Admission(envelope)
        self.counts[why] += 1
        return Admission(None, self._answer(why, payload, via, at_s))

    def _against(self, envelope: Envelope, via: str, waiting: int, at_s: float) -> str | None:
        """Why a readable message is not taken."""
        if envelope.sender != via:
            return "forged"
        if envelope.receiver != self.desk.name:
            return "misdirected"
        if waiting >= self._allowance.inbox:
            return "inbox full"
        return "too many conversations" if self._opens_too_many(envelope, waiting, at_s) else None

    def _opens_too_many(self, envelope: Envelope, waiting: int, at_s: float) -> bool:
        """Whether it would begin a conversation beyond the limit; if it may, it counts from now on."""
        about, sender, most = envelope.conversation_id, envelope.sender, self._allowance
        if self.desk.find(about) is not None or envelope.id != message_id(about, Side.INITIATOR, 0):
            return False
        theirs = self._opened.get(sender)
        if theirs is None:
            theirs = self._opened[sender] = self._begun_by(sender, at_s)
        if about in theirs.open:
            return False
        if len(theirs.open) >= most.open_conversations:
            theirs.open = {one for one in theirs.open if self._may_be_open(one, waiting)}
        if theirs.known >= most.known_conversations and at_s >= theirs.counted_s + RECOUNTED_S:
            unheard = {one for one in theirs.open if waiting and self.desk.find(one) is None}
            theirs = self._opened[sender] = self._begun_by(sender, at_s, unheard)
        if len(theirs.open) >= most.open_conversations or theirs.known >= most.known_conversations:
            return True
        theirs.open.add(about)
        theirs.known += 1
        return False

    def _begun_by(self, sender: str, at_s: float, unheard: Collection[str] = ()) -> Opened:
        """What the desk knows of a sender's, and what is still in the inbox."""
        head = f"{sender}/"
        going = [one for about, one in self.desk.conversations.items() if about.startswith(head)]
        known = len(going) + self.desk.past.begun_by(head) + len(unheard)
        return Opened(known, {one.id for one in going if not one.ended}.union(unheard), at_s)

    def _may_be_open(self, about: str, waiting: int) -> bool:
        """What the desk does not know is still in the inbox, or has been refused."""
        known = self.desk.find(about)
        return waiting > 0 if known is None else not known.ended

    def _answer(self, why: str, payload: bytes, via: str, at_s: float) -> Envelope | None:
        """Not-understood with the reason, on the channel that the payload came by; None if it names nothing.

        A few a second at most, and none about a not-understood.
        """
        if self._answers.refusal(b"", via, at_s) is not None:
            return None
        try:
            envelope = from_json(payload, self.desk.vocabulary)
        except RemoteProtocolError:
            envelope = None
        if envelope is None or envelope.sender != via:
            return self.desk.hear_text(payload, via=via).reply
        if isinstance(envelope.content, NotUnderstood):
            return None
        return self.desk.not_understood(envelope, f"not taken by {self.desk.name}: {why}")
