"""What comes in on the lines of one process, and where it goes.

    negotiation, streams ─▶ gate ─▶ the agent's inbox      readings ─▶ the agent's queue
    requests ─▶ the plants, if they are here               presence, roll ─▶ the muster

Before the run has begun here, all but presence and roll waits. A broker is told that something has been taken only when
it has been: until then it would bring it again to a process started anew. What it brings twice is taken once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from ....protocols.envelope import Envelope
from ...errors import BrokerError
from ..happenings.errands import Errands
from ..inputs import Arrival, Reading
from .clock import SharedClock
from .gate import Gate, Turnstile
from .line import Incoming
from .memory import Memory
from .muster import Muster
from .network import Network
from .outpost import Outpost
from .plants import PlantService, RemotePlants
from .roll import Presence, said
from .topics import ASKED, NEGOTIATION, PLANTS, READINGS, STREAM

Answer = Callable[[Envelope], None]
Taken = Callable[[], None]


class Reception:
    """Everything that comes in from outside."""

    def __init__(
        self,
        hosts: Mapping[str, Outpost],
        network: Network,
        errands: Errands,
        *,
        remote: RemotePlants,
        service: PlantService | None,
        memory: Memory | None,
        answer: Answer,
    ) -> None:
        """`answer` sends what a gate says to what it does not let in."""
        self.gates = {name: Gate(host.node.desk, network.allowance) for name, host in hosts.items()}
        self.counts: Counter[str] = Counter()
        self.muster: Muster | None = None
        self.wake: Callable[[], None] = lambda: None
        self.read_us: dict[tuple[str, str], int] = {}  # of when the latest reading is, by agent and source
        self._clock: SharedClock | None = None
        self._early: list[tuple[Arrival, Incoming]] = []
        self._early_of_plants: list[tuple[str, Incoming, bool]] = []
        kinds = next(iter(self.gates.values())).desk.kinds
        self._turnstile = Turnstile({*kinds, PLANTS}, network.allowance)
        self._hosts, self._topics, self._errands = hosts, network.topics, errands
        self._remote, self._service, self._memory, self._answer = remote, service, memory, answer

    def begin(self, clock: SharedClock) -> None:
        """The run has begun: what has come before now goes its way."""
        self._clock = clock
        self.pace(clock.speed)
        for name, incoming, asked in self._early_of_plants:
            self._of_plants(name, incoming, asked=asked)
        for arrival, incoming in self._early:
            self._take(arrival, incoming)
        self._early, self._early_of_plants = [], []

    def pace(self, speed: float) -> None:
        """How fast the run goes, and so what is said in it; who comes back knows it before it has begun."""
        for turnstile in (self._turnstile, *(gate.turnstile for gate in self.gates.values())):
            turnstile.speed = speed

    def hear(self, name: str, incoming: Incoming) -> None:
        """Something has come in on the line of an agent here (or of the plants)."""
        address = self._topics.address(incoming.topic)
        if address is None or address.receiver not in (name, None):
            self.counts["foreign topics"] += 1
        elif address.kind in (NEGOTIATION, STREAM):
            self._hear_message(name, str(address.sender), incoming, streamed=address.kind == STREAM)
            return
        elif address.kind == READINGS:
            self._of_plants(name, incoming, asked=False)
            return
        elif (why := self._turned_away(address.sender, incoming.payload)) is not None:
            self.counts[why] += 1
        elif address.kind == ASKED and self._service is not None:
            self._of_plants(str(address.sender), incoming, asked=True)
            return
        else:
            self._hear_roll(address.sender, incoming.payload)
        self._done(incoming)

    def _turned_away(self, via: str | None, payload: bytes) -> str | None:
        """Why a request to the plants or a presence is not read; the roll is the leader's alone, and always read."""
        at_s = asyncio.get_running_loop().time()
        return None if via is None else self._turnstile.refusal(payload, via, at_s)

    def hear_request(self, agent: str, payload: bytes) -> None:
        """An agent asks something of the plants here."""
        assert self._service is not None
        self._service.hear(agent, payload, self._now_us())
        self.wake()

    def hear_reading(self, name: str, payload: bytes, taken: Taken = lambda: None) -> None:
        """The plants tell an agent here a reading; `taken` is called when it has experienced it."""
        reading = self._remote.reading(payload)
        at_us = getattr(reading.reading, "at_us", None) if reading is not None else None
        if reading is None or not isinstance(at_us, int):
            self.counts["unreadable readings"] += 1
            taken()
            return
        host, is_news = self._hosts[name], at_us > self.read_us.get((name, reading.source), -1)
        if is_news:
            self.read_us[name, reading.source] = at_us
        else:
            self.counts["repeated readings"] += 1

        def take(now_us: int) -> None:
            if is_news:
                host.take(reading, now_us)
            taken()

        host.plan_call(take, at_us, Reading)
        self.wake()

    def _of_plants(self, name: str, incoming: Incoming, *, asked: bool) -> None:
        """An agent elsewhere asks something of the plants here, or plants elsewhere tell an agent here a reading."""
        if self._clock is None:
            self._early_of_plants.append((name, incoming, asked))
        elif asked:
            self.hear_request(name, incoming.payload)
            self._done(incoming)
        else:
            self.hear_reading(name, incoming.payload, partial(self._done, incoming))

    def _now_us(self) -> int:
        world_us = next(iter(self._hosts.values())).world.queue.now_us
        return world_us if self._clock is None else max(world_us, self._clock.now_us)

    def _hear_message(self, name: str, via: str, incoming: Incoming, *, streamed: bool) -> None:
        at_s = asyncio.get_running_loop().time()
        waiting = max(len(self._early), self._errands.waiting[name])
        admission = self.gates[name].admit(incoming.payload, via, waiting=waiting, at_s=at_s)
        if admission.answer is not None and not streamed:
            self._reply(admission.answer)
        if admission.envelope is not None:
            self._take(Arrival(admission.envelope), incoming)
        else:
            self._done(incoming)

    def _reply(self, answer: Envelope) -> None:
        """What the gate answers is no promise of anybody: where it cannot be sent, it is counted."""
        try:
            self._answer(answer)
        except BrokerError:
            self.counts["answers not sent"] += 1

    def _take(self, arrival: Arrival, incoming: Incoming) -> None:
        if self._clock is None:
            self._early.append((arrival, incoming))
        else:
            self._errands.deliver(arrival, self._clock.now_us, partial(self._done, incoming))
            self.wake()

    def _done(self, incoming: Incoming) -> None:
        if self._memory is not None and incoming.taken is not None:
            self._memory.log.flush()
            incoming.taken()

    def _hear_roll(self, name: str | None, payload: bytes) -> None:
        what = said(payload)
        if what is None or self.muster is None or (name is None) == isinstance(what, Presence):
            self.counts["unreadable roll"] += 1
        else:
            self.muster.hear(name, what)
