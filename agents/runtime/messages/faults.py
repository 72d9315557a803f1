"""Faults of links in simulated time, seeded: messages that are late, lost, doubled or overtaken, links that are cut.

    said ─▶ attempt ─▶ lost? cut off? ─▶ said again after `repeat_us` ─▶ … ─▶ arrives, in the order of its link
                  └─▶ its acknowledgement is lost, or it is doubled ─▶ a copy arrives some time later

With `repeat_us` links are as those over a broker: what must arrive is said again until it is acknowledged, and links
keep their order. Without it what is lost stays lost, and one message may overtake another. Streams are never said
again. All of it follows from the seed and the message's id, whoever speaks first.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..inputs import Arrival, Send
from .exchange import Exchange, Link, uniform

MOST_ATTEMPTS = 10_000


@dataclass(frozen=True, slots=True)
class Partition:
    """In a span of time nothing passes between one side and everybody else (or the other side), either way."""

    one: frozenset[str]
    other: frozenset[str] | None
    since_us: int
    until_us: int

    def cuts(self, sender: str, receiver: str, at_us: int) -> bool:
        """Whether a message at this time is lost in it."""
        within = self.since_us <= at_us < self.until_us
        return within and (self._apart(sender, receiver) or self._apart(receiver, sender))

    def _apart(self, here: str, there: str) -> bool:
        return here in self.one and (there not in self.one if self.other is None else there in self.other)


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each fault is, of one message; `spread_us` is the most by which a fault makes it later.

    `counts` says how often it came to what.
    """

    seed: int
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    late: float = 0.0
    spread_us: int = 0
    repeat_us: int | None = None
    partitions: tuple[Partition, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)

    def happens(self, what: str, share: float, key: str) -> bool:
        """Whether a fault of this kind happens here."""
        found = share > 0 and uniform(self.seed, what, key) < share
        self.counts[what] += found
        return found

    def later_us(self, what: str, key: str) -> int:
        """By how much a fault makes something later."""
        return round(self.spread_us * uniform(self.seed, f"by how much {what}", key))


@dataclass(frozen=True, slots=True)
class Passage:
    """When a message arrives, whether it keeps the order of its link, and when copies of it arrive."""

    arrives_us: int
    in_order: bool
    copies_us: tuple[int, ...]


@dataclass
class FaultyExchange(Exchange):
    """An exchange whose links have faults."""

    faults: Faults = field(default_factory=lambda: Faults(0))
    _passage: Passage | None = None
    _arrives_us: int = 0

    def send(self, sending: Send, now_us: int) -> None:
        """Put a message on its way, and its copies."""
        self._passage = None
        super().send(sending, now_us)
        if self._passage is not None and sending.envelope.receiver in self.kinds:
            for at_us in self._passage.copies_us:
                self.deliver(Arrival(sending.envelope), max(at_us, self._arrives_us))

    def again(self, sending: Send, now_us: int) -> None:
        """Send once more what is in the record already: who has died does not know whether it had sent it."""
        if sending.envelope.receiver in self.kinds:
            envelope = sending.envelope
            at_us = now_us + self.links.delay_us(f"{envelope.id} again")
            link = envelope.sender, envelope.receiver
            self.deliver(Arrival(envelope), self._after_others(link, at_us))

    def _arrival(self, message_id: str, link: Link, now_us: int, *, streamed: bool) -> int | None:
        self._passage = found = self._pass(message_id, link, now_us, streamed=streamed)
        if found is None:
            return None
        self._arrives_us = found.arrives_us
        if found.in_order:
            self._arrives_us = self._after_others(link, found.arrives_us)
        return self._arrives_us

    def _after_others(self, link: Link, arrives_us: int) -> int:
        """After whatever is on the same link already."""
        return self._queues.after_others(link, arrives_us)

    def _pass(self, about: str, link: Link, now_us: int, *, streamed: bool) -> Passage | None:
        faults = self.faults
        repeated = faults.repeat_us is not None and not streamed
        arriving = list(self._attempts(about, link, now_us, repeated=repeated, streamed=streamed))
        if not arriving:
            return None
        if faults.happens("doubled", faults.duplication, about):
            arriving.append(arriving[0] + faults.later_us("doubled", about))
        overtaken = faults.happens("overtaken", faults.reordering, about)
        first_us = arriving[0] + (faults.later_us("overtaken", about) if overtaken else 0)
        return Passage(first_us, repeated or not overtaken, tuple(max(first_us, at_us) for at_us in arriving[1:]))

    def _attempts(self, message_id: str, link: Link, now_us: int, *, repeated: bool, streamed: bool) -> Iterator[int]:
        """When each attempt arrives that does; the last one is the first whose acknowledgement arrives too."""
        for attempt in range(MOST_ATTEMPTS if repeated else 1):
            key, at_us = f"{message_id} {attempt}", now_us + attempt * (self.faults.repeat_us or 0)
            if not self._is_lost(key if attempt else message_id, link, key, at_us):
                yield at_us + self._delay_us(key if attempt else message_id, streamed=streamed)
                if not self.faults.happens("unacknowledged", self.faults.loss, key):
                    return

    def _is_lost(self, message_id: str, link: Link, key: str, at_us: int) -> bool:
        faults = self.faults
        cut = any(partition.cuts(*link, at_us) for partition in faults.partitions)
        faults.counts["cut off"] += cut
        return cut or self.links.loses(message_id) or faults.happens("lost", faults.loss, key)

    def _delay_us(self, key: str, *, streamed: bool) -> int:
        late = self.faults.happens("late", self.faults.late, key)
        return self.links.delay_us(key, streamed=streamed) + (self.faults.later_us("late", key) if late else 0)
