"""The exchange platform between the agents: delay, loss and the order of sending, in one place.

A message's delay is lognormal and keyed by the seed and the message's id, never drawn in order of arrival,
so that a run does not depend on who speaks first. Between two agents order is kept, as on one connection.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from statistics import NormalDist

from ...protocols.envelope import Envelope
from .node import Arrival, Send
from .recording import Recorder, Sent

Deliver = Callable[[Arrival, int], None]
_NORMAL = NormalDist()


def uniform(seed: int, purpose: str, key: str) -> float:
    """A number between 0 and 1 that follows from what it is for, not from the order of asking."""
    digest = blake2b(f"{seed}/{purpose}/{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2**64


@dataclass(frozen=True, slots=True)
class Silence:
    """What an agent sends in a span of time is lost: to all or one receiver, everything or streams only."""

    sender: str
    receiver: str | None
    since_us: int
    until_us: int
    streams_only: bool = False

    def swallows(self, sending: Send, now_us: int) -> bool:
        """Whether a message is lost in it."""
        envelope = sending.envelope
        between = envelope.sender == self.sender and self.receiver in (None, envelope.receiver)
        return between and self.since_us <= now_us < self.until_us and (sending.streamed or not self.streams_only)


@dataclass(frozen=True, slots=True)
class Links:
    """How messages travel: median delay, spread of its logarithm, the probability of loss, and who is silent when."""

    seed: int
    delay_median_s: float = 0.05
    delay_sigma: float = 0.3
    loss: float = 0.0
    silences: tuple[Silence, ...] = ()

    def silent(self, sending: Send, now_us: int) -> bool:
        """Whether somebody's silence swallows a message."""
        return any(silence.swallows(sending, now_us) for silence in self.silences)

    def delay_us(self, message_id: str) -> int:
        """Delay of one message."""
        spread = math.exp(self.delay_sigma * _NORMAL.inv_cdf(uniform(self.seed, "delay", message_id)))
        return round(self.delay_median_s * spread * 1e6)

    def loses(self, message_id: str) -> bool:
        """Whether one message never arrives."""
        return self.loss > 0 and uniform(self.seed, "loss", message_id) < self.loss


@dataclass
class Exchange:
    """Takes envelopes from hosts, records them, and hands them over when they arrive."""

    links: Links
    kinds: Mapping[str, str]
    recorder: Recorder
    deliver: Deliver
    sequence: int = 0
    row: int = 0
    _free_at: dict[tuple[str, str], int] = field(default_factory=dict)

    def send(self, sending: Send, now_us: int) -> None:
        """Put a message on its way at `now_us`."""
        envelope, stage, step, streamed = sending
        swallowed = bool(self.links.silences) and self.links.silent(sending, now_us)
        arrives_us = None if swallowed else self._arrival(envelope, now_us)
        sequence, row = (None, self.row) if streamed else (self.sequence, None)
        roles = self.kinds[envelope.sender], self.kinds.get(envelope.receiver, "UNKNOWN")
        sent = Sent(sequence, now_us, arrives_us, envelope, *roles, stage, step)
        if streamed:
            self.row += 1
            self.recorder.stream(sent)
        else:
            self.sequence += 1
            self.recorder.message(sent)
        if arrives_us is not None and envelope.receiver in self.kinds:
            self.deliver(Arrival(envelope, row), arrives_us)

    def _arrival(self, envelope: Envelope, now_us: int) -> int | None:
        if self.links.loses(envelope.id):
            return None
        link = (envelope.sender, envelope.receiver)
        arrives_us = max(now_us + self.links.delay_us(envelope.id), self._free_at.get(link, 0))
        self._free_at[link] = arrives_us
        return arrives_us


class AsRecorded(Exchange):
    """An exchange in which every message arrives when a record says it did; it delivers nothing."""

    def __init__(self, received_us: Mapping[str, int], kinds: Mapping[str, str], recorder: Recorder) -> None:
        """`received_us`: by message id; what is not in it was lost."""
        super().__init__(Links(seed=0), kinds, recorder, lambda arrival, at_us: None)
        self._received_us = received_us

    def _arrival(self, envelope: Envelope, now_us: int) -> int | None:
        return self._received_us.get(envelope.id)
