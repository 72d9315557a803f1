"""One process of a run on many hosts: its agents, its lines to the broker, maybe the plants.

    start: lines open ─▶ roll called by the TSO's host until all are there ─▶ same beginning ─▶ queue in step
    in:    line ─▶ gate ─▶ queue ─▶ mango inbox ─▶ host ─▶ node
    out:   node ─▶ host ─▶ dispatch ─▶ mango inbox here, or line
    plants, if they are here: a queue of their own that runs a little behind (`plants.py`)

A failure of our own code in any host ends the process with that error; what others do wrong is answered and counted.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ....protocols.envelope import Envelope
from ....protocols.wire import to_json
from ..annex import Annex
from ..collector import calm
from ..container import LocalContainer
from ..errands import Errands
from ..host import World
from ..inputs import Arrival, Begin
from ..node import Node
from ..physics import Physics
from ..queue import TELEMETRY
from ..rhythm import next_of
from ..timing import Timing
from .address import BrokerError
from .clock import InStep, Progress, SharedClock
from .dispatch import Dispatch
from .gate import Gate, Turnstile
from .line import Incoming, Line, Outgoing
from .muster import Muster, Readiness
from .network import Network
from .outpost import Outpost
from .plants import LAG_S, PlantService, RemotePlants
from .roll import Presence, said, to_bytes
from .topics import ASKED, NEGOTIATION, PLANTS, READINGS, STREAM

Telemetry = Callable[[int], None]


class Ticks(NamedTuple):
    """How often telemetry is left, by the agents here and by the plants if they are here."""

    lengths_us: tuple[int, ...]
    agents: Telemetry
    plants: Telemetry


class Station:
    """The agents of one process, and what connects them to the others."""

    def __init__(
        self,
        nodes: Iterable[Node],
        world: World,
        kinds: Mapping[str, str],
        network: Network,
        *,
        plants: Physics | None,
        annex: Annex | None,
        end_us: int,
    ) -> None:
        """`kinds`: of everybody in the run; `plants`: the physical world, `annex`: where studies are made, if here."""
        self.world = world
        self.network = network
        self.container = LocalContainer(world.queue.now_us / 1e6)
        self.annex = annex
        self.timing: Timing | None = None
        self.counts: Counter[str] = Counter()
        self.end_us = end_us
        self.physics = plants
        self.service = PlantService(plants, self._send_reading, end_us=end_us) if plants else None
        chosen = list(nodes)
        self.remote = RemotePlants(self._ask_plants, chosen[0].desk.vocabulary)
        self.hosts = {node.agent.name: Outpost(node, world, self.remote) for node in chosen}
        self.gates = {name: Gate(host.node.desk, network.allowance) for name, host in self.hosts.items()}
        self.turnstile = Turnstile({*kinds, PLANTS}, network.allowance)
        self.lines: dict[str, Line] = {}
        self.clock: SharedClock | None = None
        self._in_step: list[InStep] = []
        self._errands = Errands(self.container, self.hosts)
        self._early: list[Arrival] = []
        self._muster: Muster | None = None
        exchange = Dispatch(kinds, world.recorder, self.hosts, deliver=self._errands.deliver, publish=self._publish_as)
        for name, host in self.hosts.items():
            host.exchange = exchange
            self.container.register(host, suggested_aid=name)

    async def run(self, readiness: Readiness, ticks: Ticks, progress: Progress | None = None) -> None:
        """From the first connection to the last acknowledgement; BrokerError if the others cannot be reached."""
        await self._errands.send_studies_away(self.annex)
        await self.container.start()
        self.container.on_ready()
        try:
            await self._open(readiness)  # last: who is connected answers the roll, and must be ready to begin
            assert self._muster is not None
            with calm():  # the collector takes its time before the beginning, not after it
                start = await self._watched(self._muster.gather())
                self._begin(start.speed, self._muster.begin_us(start), ticks)
                await self._watched(asyncio.gather(*(each.run(self.end_us, progress) for each in self._in_step)))
            self._say_presence(Presence(state="finished"))
        finally:
            await self._close()

    async def _close(self) -> None:
        if self.service is not None:
            self.service.close()
        await self.container.shutdown()
        await asyncio.gather(*(line.close() for line in self.lines.values()))
        if self.annex is not None:
            await self.annex.close()
        self._count()

    async def _open(self, readiness: Readiness) -> None:
        topics, here = self.network.topics, Presence(state="here", scenario=readiness.scenario)
        names = sorted([*self.hosts, *([PLANTS] if self.service else [])])
        for name in names:
            line = self.network.line(name, partial(self._hear, name))
            line.subscriptions += topics.heard_by_plants() if name == PLANTS else topics.heard_by(name)
            line.greeting = Outgoing(topics.presence(name), to_bytes(here), retain=True)
            self.lines[name] = line
        self._muster = Muster(self.lines, topics, readiness)
        self.lines[names[0]].subscriptions += topics.heard_by_all()
        await asyncio.gather(*(line.open() for line in self.lines.values()))

    async def _watched(self, work: Any) -> Any:
        """Wait for some work, or for a line that fails for good."""
        doing = asyncio.ensure_future(work)
        failing = [asyncio.ensure_future(line.failed()) for line in self.lines.values()]
        await asyncio.wait([doing, *failing], return_when=asyncio.FIRST_COMPLETED)
        for task in (doing, *failing):
            if not task.done():
                task.cancel()
        for task in failing:
            if task.done() and not task.cancelled():
                task.result()
        return await doing

    def _begin(self, speed: float, begin_us: int, ticks: Ticks) -> None:
        """Everything that begins at the agreed time."""
        queue = self.world.queue
        self.timing = Timing(min(ticks.lengths_us) / 1e6, speed, "catch_up")
        self.clock = SharedClock.beginning(queue.now_us, speed, begin_us)
        agents = InStep(queue, self.clock, self.timing, self._errands)
        self._in_step.append(agents)
        for turnstile in (self.turnstile, *(gate.turnstile for gate in self.gates.values())):
            turnstile.speed = speed
        for name in sorted(self.hosts):
            self.hosts[name].plan(Begin(), queue.now_us)

        def tick(at_us: int) -> None:
            ticks.agents(at_us)
            next_us = next_of(at_us, ticks.lengths_us)
            agents.ticked(at_us, next_us)
            if next_us <= self.end_us:
                queue.put(next_us, tick, phase=TELEMETRY)

        queue.put(queue.now_us, tick, phase=TELEMETRY)
        for arrival in self._early:
            self._take(arrival)
        if self.service is not None:
            self.service.tick(ticks.lengths_us, ticks.plants)
            self._in_step.append(InStep(self.service.queue, self.clock.behind(LAG_S), self.timing))

    def _now_us(self) -> int:
        return self.world.queue.now_us if self.clock is None else self.clock.now_us

    def _publish_as(self, envelope: Envelope, streamed: bool) -> None:
        self._publish(envelope, streamed=streamed)

    def _publish(self, envelope: Envelope, *, streamed: bool) -> None:
        topic = self.network.topics.message(envelope.sender, envelope.receiver, streamed=streamed)
        line, payload = self.lines[envelope.sender], to_json(envelope).encode()
        most = self.network.allowance.message_bytes
        if len(payload) > most:
            size = f"{len(payload)} bytes, but others take {most}; raise hosting.limits.message_kb"
            raise BrokerError(f"message {envelope.id} has {size}")
        if streamed:
            line.send_fresh(topic, payload)
        else:
            line.send(topic, payload)

    def _ask_plants(self, agent: str, payload: bytes) -> None:
        if self.service is None:
            self.lines[agent].send(self.network.topics.plant_asked(agent), payload)
        else:
            self._hear_request(agent, payload)

    def _send_reading(self, agent: str, payload: bytes) -> None:
        if agent in self.hosts:
            self._hear_reading(agent, payload)
        else:
            self.lines[PLANTS].send_fresh(self.network.topics.plant_reading(agent), payload)

    def _hear_request(self, agent: str, payload: bytes) -> None:
        assert self.service is not None
        self.service.hear(agent, payload, max(self._now_us(), self.world.queue.now_us))
        self._wake()

    def _say_presence(self, presence: Presence) -> None:
        for name, line in self.lines.items():
            line.greeting = None
            line.send(self.network.topics.presence(name), to_bytes(presence), retain=True)

    def _hear(self, name: str, incoming: Incoming) -> None:
        """Something has come in on the line of an agent here (or of the plants)."""
        address = self.network.topics.address(incoming.topic)
        if address is None or address.receiver not in (name, None):
            self.counts["foreign topics"] += 1
        elif address.kind in (NEGOTIATION, STREAM):
            self._hear_message(name, str(address.sender), incoming.payload, streamed=address.kind == STREAM)
        elif address.kind == READINGS:
            self._hear_reading(name, incoming.payload)
        elif (why := self._turned_away(address.sender, incoming.payload)) is not None:
            self.counts[why] += 1
        elif address.kind == ASKED and self.service is not None:
            self._hear_request(str(address.sender), incoming.payload)
        else:
            self._hear_roll(address.sender, incoming.payload)

    def _turned_away(self, via: str | None, payload: bytes) -> str | None:
        """Why a request to the plants or a presence is not read; the roll is the leader's alone, and always read."""
        at_s = asyncio.get_running_loop().time()
        return None if via is None else self.turnstile.refusal(payload, via, at_s)

    def _hear_message(self, name: str, via: str, payload: bytes, *, streamed: bool) -> None:
        at_s = asyncio.get_running_loop().time()
        waiting = max(len(self._early), self._errands.waiting[name])
        admission = self.gates[name].admit(payload, via, waiting=waiting, at_s=at_s)
        if admission.answer is not None and not streamed:
            self._answer(admission.answer)
        if admission.envelope is not None:
            self._take(Arrival(admission.envelope))

    def _answer(self, answer: Envelope) -> None:
        """What the gate answers is no promise of anybody: where it cannot be sent, it is counted."""
        try:
            self._publish(answer, streamed=False)
        except BrokerError:
            self.counts["answers not sent"] += 1

    def _take(self, arrival: Arrival) -> None:
        """A message has come in now; before this host has begun, it waits until it has."""
        if self.clock is None:
            self._early.append(arrival)
        else:
            self._errands.deliver(arrival, self.clock.now_us)
            self._wake()

    def _hear_reading(self, name: str, payload: bytes) -> None:
        reading = self.remote.reading(payload)
        at_us = getattr(reading.reading, "at_us", None) if reading is not None else None
        if reading is None or not isinstance(at_us, int):
            self.counts["unreadable readings"] += 1
            return
        self.hosts[name].plan(reading, at_us)
        self._wake()

    def _hear_roll(self, name: str | None, payload: bytes) -> None:
        what = said(payload)
        if what is None or self._muster is None or (name is None) == isinstance(what, Presence):
            self.counts["unreadable roll"] += 1
        else:
            self._muster.hear(name, what)

    def _wake(self) -> None:
        for each in self._in_step:
            each.wake()

    def refused(self) -> dict[str, Counter[str]]:
        """What each agent here has not taken, by the reason: at its gate, and at its desk."""
        return {name: gate.counts + self.hosts[name].node.refused for name, gate in sorted(self.gates.items())}

    def _count(self) -> None:
        for gate in self.gates.values():
            self.counts += gate.counts
        for line in self.lines.values():
            self.counts += line.counts
        if self.service is not None:
            self.counts += self.service.counts
