"""The exchange platform between the agents: delay, loss and the order of sending, in one place.

A message's delay is lognormal and keyed by the seed and the message's id, never drawn in order of arrival, so that a
run does not depend on who speaks first; those of streams are drawn many at once (delays.py). Between two agents order
is kept, as on one connection.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b
from statistics import NormalDist

from ....protocols.flow import Flow, Row, Volley
from ..inputs import Arrival, Chorus, Send, Stream
from ..memory.recording import Recorder, Sent
from .delays import Delays
from .queues import Queues

Link = tuple[str, str]
LEAST_TOGETHER = 16  # fewer are sooner sent one by one
MOST_TOGETHER = 64  # so many different flows together are remembered
Deliver = Callable[[Arrival, int], None]
Post = Callable[[Row, int], None]
PostTogether = Callable[[Volley], None]
_quantile = NormalDist().inv_cdf
_new = tuple.__new__  # a named tuple of known length, made with every message


def uniform(seed: int, purpose: str, key: str) -> float:
    """A number between 0 and 1 that follows from what it is for, not from the order of asking."""
    begun = _begun(seed, purpose).copy()
    begun.update(key.encode())
    return (int.from_bytes(begun.digest()) + 0.5) / 2**64


@lru_cache(maxsize=256)
def _begun(seed: int, purpose: str) -> blake2b:
    """The hash of what many keys have before them."""
    return blake2b(f"{seed}/{purpose}/".encode(), digest_size=8)


@dataclass(frozen=True, slots=True)
class Silence:
    """What an agent sends in a span of time is lost: to all or one receiver, everything or streams only."""

    sender: str
    receiver: str | None
    since_us: int
    until_us: int
    streams_only: bool = False

    def swallows(self, link: Link, now_us: int, *, streamed: bool) -> bool:
        """Whether a message from one to the other is lost in it."""
        between = link[0] == self.sender and self.receiver in (None, link[1])
        return between and self.since_us <= now_us < self.until_us and (streamed or not self.streams_only)


@dataclass(frozen=True)
class Links:
    """How messages travel: median delay, spread of its logarithm, the probability of loss, and who is silent when."""

    seed: int
    delay_median_s: float = 0.05
    delay_sigma: float = 0.3
    loss: float = 0.0
    silences: tuple[Silence, ...] = ()

    def silent(self, link: Link, now_us: int, *, streamed: bool) -> bool:
        """Whether somebody's silence swallows a message."""
        return any(silence.swallows(link, now_us, streamed=streamed) for silence in self.silences)

    @cached_property
    def streams(self) -> Delays:
        """How long messages of streams take."""
        return Delays(self.seed, self.delay_median_s, self.delay_sigma)

    def delay_us(self, message_id: str, *, streamed: bool = False) -> int:
        """Delay of one message."""
        if streamed:
            return self.streams.of(message_id)
        drawn = _quantile(uniform(self.seed, "delay", message_id))
        return round(self.delay_median_s * math.exp(self.delay_sigma * drawn) * 1e6)

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
    mail: Post = lambda row, at_us: None
    mail_together: PostTogether = lambda volley: None
    sequence: int = 0
    row: int = 0
    _queues: Queues = field(default_factory=Queues)
    gathered: Stream | None = None
    _together: dict[tuple[Flow, ...], tuple[Flow, ...]] = field(default_factory=dict)  # the same for the same flows

    def send(self, sending: Send, now_us: int) -> None:
        """Put a message on its way at `now_us`."""
        self._keep_order(now_us)
        envelope, stage, step, streamed = sending
        message_id, sender, receiver = envelope[:3]
        arrives_us = self._arrival(message_id, (sender, receiver), now_us, streamed=streamed)
        kind, hears = self.kinds[sender], self.kinds.get(receiver)
        sequence, row = (None, self.row) if streamed else (self.sequence, None)
        sent = _new(Sent, (sequence, now_us, arrives_us, envelope, kind, hears or "UNKNOWN", stage, step))
        if streamed:
            self.row += 1
            self.recorder.stream(sent)
        else:
            self.sequence += 1
            self.recorder.message(sent)
        if arrives_us is not None and hears is not None:
            self.deliver(_new(Arrival, (envelope, row)), arrives_us)

    def stream(self, streaming: Stream, now_us: int) -> None:
        """Put the next messages of flows on their way: many at once, which comes to the same."""
        if self.gathered is not None:
            self.gathered.add(streaming)
        elif len(streaming.flows) < LEAST_TOGETHER:
            self._one_by_one(streaming, now_us)
        else:
            flows, numbers, contents, causes = streaming
            self.chorus(Chorus(self._as_before(tuple(flows)), numbers, contents, causes), now_us)

    def _as_before(self, flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
        """The same object for the same flows."""
        if len(self._together) >= MOST_TOGETHER:
            self._together.clear()
        return self._together.setdefault(flows, flows)

    def _one_by_one(self, streaming: Stream, now_us: int) -> None:
        for flow, number, content, caused_by in zip(*streaming, strict=True):
            message_id = f"{flow.prefix}{number}"
            arrives_us = self._arrival(message_id, flow.link, now_us, streamed=True)
            row = _new(Row, (flow, message_id, number, content, caused_by, now_us, arrives_us))
            self.row += 1
            self.recorder.flowed(row)
            if arrives_us is not None and flow.link[1] in self.kinds:
                self.mail(row, arrives_us)

    def gather(self) -> None:
        """Keep what flows from now on, until it is released: what is said at one instant leaves together."""
        self.gathered = Stream([], [], [], [])

    def release(self, now_us: int) -> None:
        """Put on its way what has been gathered, all of it at this instant, and gather no more."""
        gathered, self.gathered = self.gathered, None
        if gathered is not None:
            self.stream(gathered, now_us)

    def _keep_order(self, now_us: int) -> None:
        """What has been gathered leaves before anything else does."""
        if self.gathered is not None and self.gathered.flows:
            self.release(now_us)
            self.gather()

    def chorus(self, singing: Chorus, now_us: int) -> None:
        """Put the next messages of many flows on their way at once."""
        self._keep_order(now_us)
        flows, numbers, contents, causes = singing
        volley = Volley(flows, numbers, contents, causes, now_us, ())
        volley.received_us = self._arrivals(volley)
        self.row += len(flows)
        self.recorder.volley(volley)
        self.mail_together(volley)

    def _arrivals(self, volley: Volley) -> Sequence[int | None]:
        """When all messages of a volley arrive."""
        now_us, links = volley.sent_us, self.links
        if links.silences or links.loss:
            named = zip(volley.flows, volley.ids(), strict=True)
            return [self._arrival(message_id, flow.link, now_us, streamed=True) for flow, message_id in named]
        delays_us = links.streams.of_all(volley.flows, list(volley.numbers))
        return self._queues.in_order(volley.flows, [now_us + delay_us for delay_us in delays_us], now_us)

    def _arrival(self, message_id: str, link: Link, now_us: int, *, streamed: bool) -> int | None:
        """When a message arrives, never before an earlier one of the same two; None if it is lost."""
        links = self.links
        if links.silences and links.silent(link, now_us, streamed=streamed):
            return None
        if links.loss and links.loses(message_id):
            return None
        return self._queues.after_others(link, now_us + links.delay_us(message_id, streamed=streamed))


class AsRecorded(Exchange):
    """An exchange in which every message arrives when a record says it did; it delivers nothing."""

    def __init__(self, received_us: Mapping[str, int], kinds: Mapping[str, str], recorder: Recorder) -> None:
        """`received_us`: by message id; what is not in it was lost."""
        super().__init__(Links(seed=0), kinds, recorder, lambda arrival, at_us: None)
        self._received_us = received_us

    def _arrival(self, message_id: str, link: Link, now_us: int, *, streamed: bool) -> int | None:
        return self._received_us.get(message_id)

    def _arrivals(self, volley: Volley) -> Sequence[int | None]:
        return [self._received_us.get(message_id) for message_id in volley.ids()]
