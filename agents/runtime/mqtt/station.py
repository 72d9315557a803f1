"""One process of a run on many hosts: its agents, its lines to the broker, maybe the plants.

    start: lines open ─▶ roll called by the TSO's host until all are there ─▶ same beginning ─▶ queue in step
    in:    line ─▶ reception ─▶ queue ─▶ mango inbox ─▶ host ─▶ node
    out:   node ─▶ host ─▶ dispatch ─▶ mango inbox here, or line
    plants, if they are here: a queue of their own that runs a little behind (`plants.py`)
    with a memory: whoever was killed and is started again goes on where it was (`past.py`)

A failure of our own code in any host ends the process with that error; what others do wrong is answered and counted.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from typing import Any

from ....protocols.envelope import Envelope
from ....protocols.wire import to_json
from ...errors import BrokerError
from ..collector import calm
from ..container import LocalContainer
from ..happenings.errands import Errands
from ..happenings.timing import Timing
from ..host import World
from ..inputs import Begin
from ..node import Node
from ..plants.physics import Physics
from ..studies.annex import Annex
from .clock import InStep, LaggingClock, Progress, SharedClock
from .course import Course, Ticks
from .dispatch import Dispatch
from .line import Line, Outgoing
from .memory import Memory
from .muster import Muster, Readiness
from .network import Network, open_all
from .outpost import Outpost
from .past import Past
from .plants import LAG_S, PlantService, RemotePlants, reading_key, request_key
from .reception import Reception
from .roll import Presence, to_bytes
from .standstill import Standstill
from .topics import PLANTS


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
        memory: Memory | None = None,
    ) -> None:
        """`kinds`: of everybody in the run; `plants`: the physical world, `annex`: where studies are made, if here.

        `memory`: what this process keeps of its life, and may have kept of an earlier one.
        """
        self.world = world
        self.network = network
        self.container = LocalContainer(world.queue.now_us / 1e6)
        self.annex = annex
        self.memory = memory
        self.timing: Timing | None = None
        self.counts: Counter[str] = Counter()
        self.end_us = end_us
        self.physics = plants
        self.service = PlantService(plants, self._send_reading, end_us=end_us) if plants else None
        chosen = list(nodes)
        self.remote = RemotePlants(self._ask_plants, chosen[0].desk.vocabulary)
        self.hosts = {node.agent.name: Outpost(node, world, self.remote, memory) for node in chosen}
        self.lines: dict[str, Line] = {}
        self._keeps = False  # what is streamed must arrive, because the run waits
        self._in_step: list[InStep] = []
        self._errands = Errands(self.container, self.hosts)
        self._reception = self._receiving()
        self._dispatch = Dispatch(
            kinds, world.recorder, self.hosts, deliver=self._errands.deliver, publish=self._publish
        )
        for name, host in self.hosts.items():
            host.exchange = self._dispatch
            self.container.register(host, suggested_aid=name)

    def _receiving(self) -> Reception:
        reception = Reception(
            self.hosts,
            self.network,
            self._errands,
            remote=self.remote,
            service=self.service,
            memory=self.memory,
            answer=lambda envelope: self._publish(envelope, False),
        )
        reception.wake = self._wake
        return reception

    async def run(self, readiness: Readiness, ticks: Ticks, progress: Progress | None = None) -> None:
        """From the first connection to the last acknowledgement; BrokerError if the others cannot be reached."""
        await self._errands.send_studies_away(self.annex)
        await self.container.start()
        self.container.on_ready()
        try:
            self._keeps = readiness.waits
            course = Course(self.world, ticks, service=self.service, memory=self.memory, end_us=self.end_us)
            past = self._past(course)
            muster = await self._open(
                readiness, past
            )  # last: who is connected answers the roll, and must be ready to begin
            with calm():  # the collector takes its time before the beginning, not after it
                clock = await self._beginning(muster)
                self._begin(clock, course, past)
                going = asyncio.gather(*(each.run(self.end_us, progress) for each in self._in_step))
                await self._watched(going, *self._standing_still(clock, muster))
            self._say_presence(Presence(state="finished"))
        except BaseException:  # a line that is closed in good order has no last will
            self._say_presence(Presence(state="gone"))
            raise
        finally:
            await self._close()

    def _standing_still(self, clock: SharedClock, muster: Muster) -> tuple[Coroutine[Any, Any, None], ...]:
        """Where the run waits for whoever is away: what makes it do so."""
        if not muster.readiness.waits:
            return ()
        still = Standstill(clock, muster, self.memory, self.counts, self._wake)
        muster.came_us, muster.parted = lambda: clock.now_us, still.part
        return (still.watch(),)

    async def _close(self) -> None:
        if self.service is not None:
            self.service.close()
        await self.container.shutdown()
        await asyncio.gather(*(line.close() for line in self.lines.values()))
        if self.annex is not None:
            await self.annex.close()
        self._count()

    def _past(self, course: Course) -> Past | None:
        """The earlier life of this process, lived through again, if it had one that had begun."""
        if self.memory is None or self.memory.beginning is None:
            return None
        course.begin_plants()
        past = Past(self.memory, self.hosts, self._dispatch, self.remote, self.service, keeps=self._keeps)
        past.relive(course.ticks.agents)
        self._reception.read_us = past.read_us
        self._reception.pace(self.memory.beginning.start.speed)
        self.counts["lives before this one"] = self.memory.lives
        return past

    async def _open(self, readiness: Readiness, past: Past | None) -> Muster:
        topics, here = self.network.topics, Presence(state="here", scenario=readiness.scenario)
        names = sorted([*self.hosts, *([PLANTS] if self.service else [])])
        acknowledged = None if self.memory is None else self.memory.log.acknowledge
        for name in names:
            line = self.network.line(name, partial(self._reception.hear, name), acknowledged)
            line.subscriptions += (
                topics.heard_by_plants() if name == PLANTS else topics.heard_by(name, kept=self._keeps)
            )
            line.greeting = Outgoing(topics.presence(name), to_bytes(here), retain=True)
            self.lines[name] = line
        lives = 0 if self.memory is None else self.memory.lives
        muster = self._reception.muster = Muster(self.lines, topics, readiness, lives)
        if past is not None and self.memory is not None and self.memory.beginning is not None:
            muster.start, muster.came_us = self.memory.beginning.start, lambda: past.until_us
        for line in self.lines.values() if readiness.waits else ():
            line.lost = muster.cut_off
        self.lines[names[0]].subscriptions += topics.heard_by_all()
        fresh = self.memory is None or self.memory.is_new
        await open_all(self.lines.values(), fresh=fresh)
        return muster

    async def _beginning(self, muster: Muster) -> SharedClock:
        """The clock of the run: as it has been agreed upon now, or in an earlier life."""
        start_us, memory = self.world.queue.now_us, self.memory
        if memory is not None and memory.beginning is not None and not muster.readiness.waits:
            return SharedClock.beginning(start_us, memory.beginning.start.speed, memory.beginning.begin_us)
        start = await self._watched(muster.gather())
        begin_us = muster.begin_us(start)
        if memory is not None:
            memory.begins(start, begin_us)
        return SharedClock.beginning(start.at_us or start_us, start.speed, begin_us)

    async def _watched(self, work: Any, *besides: Any) -> Any:
        """Wait for some work, or for what fails meanwhile: a line for good, or something besides; then all is over."""
        doing = asyncio.ensure_future(work)
        failing = [asyncio.ensure_future(each) for each in (*(line.failed() for line in self.lines.values()), *besides)]
        try:
            await asyncio.wait([doing, *failing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (doing, *failing):
                task.cancel()
            await asyncio.gather(doing, *failing, return_exceptions=True)
        for task in failing:
            if not task.cancelled():
                task.result()
        return doing.result()

    def _begin(self, clock: SharedClock, course: Course, past: Past | None) -> None:
        """Everything that begins at the agreed time, or goes on after an earlier life."""
        self.timing = Timing(min(course.ticks.lengths_us) / 1e6, clock.speed, "catch_up")
        agents = InStep(self.world.queue, clock, self.timing, self._errands)
        self._in_step.append(agents)
        if self.service is not None:
            self._in_step.append(InStep(self.service.queue, LaggingClock(clock, LAG_S), self.timing))
        if past is None:
            self._begin_anew(course, agents)
        else:
            course.go_on(agents, past)
            past.go_on(self.world.queue.now_us)
            self.counts["seconds of the run away"] = (self.world.queue.now_us - past.until_us) // 1_000_000
        self._reception.begin(clock)

    def _begin_anew(self, course: Course, agents: InStep) -> None:
        for name in sorted(self.hosts):
            self.hosts[name].plan(Begin(), self.world.queue.now_us)
        course.begin(agents)
        course.begin_plants()

    def _publish(self, envelope: Envelope, streamed: bool) -> None:
        topic = self.network.topics.message(envelope.sender, envelope.receiver, streamed=streamed)
        line, payload = self.lines[envelope.sender], to_json(envelope).encode()
        most = self.network.allowance.message_bytes
        if len(payload) > most:
            size = f"{len(payload)} bytes, but others take {most}; raise hosting.limits.message_kb"
            raise BrokerError(f"message {envelope.id} has {size}")
        if streamed and not self._keeps:
            line.send_fresh(topic, payload)
        else:
            self._flush()
            line.send(topic, payload, key=envelope.id)

    def _flush(self) -> None:
        """What leads to something that leaves is on the disk before."""
        if self.memory is not None:
            self.memory.log.flush()

    def _ask_plants(self, agent: str, payload: bytes) -> None:
        if self.service is None:
            self._flush()
            topic = self.network.topics.plant_asked(agent)
            self.lines[agent].send(topic, payload, key=request_key(agent, payload))
        else:
            self._reception.hear_request(agent, payload)

    def _send_reading(self, agent: str, payload: bytes) -> None:
        if agent in self.hosts:
            self._reception.hear_reading(agent, payload)
            return
        line, topic = self.lines[PLANTS], self.network.topics.plant_reading(agent)
        if self._keeps:
            line.send(topic, payload, key=reading_key(agent, payload))
        else:
            line.send_fresh(topic, payload)

    def _say_presence(self, presence: Presence) -> None:
        for name, line in self.lines.items():
            if presence.state == "gone" and not line.is_connected:
                continue  # its last will has been said, or there was no connection yet
            line.greeting = None
            line.send(self.network.topics.presence(name), to_bytes(presence), retain=True)

    def _wake(self) -> None:
        for each in self._in_step:
            each.wake()

    def refused(self) -> dict[str, Counter[str]]:
        """What each agent here has not taken, by the reason: at its gate, and at its desk."""
        gates = sorted(self._reception.gates.items())
        return {name: gate.counts + self.hosts[name].node.refused for name, gate in gates}

    def _count(self) -> None:
        self.counts += self._reception.counts
        for gate in self._reception.gates.values():
            self.counts += gate.counts
        for line in self.lines.values():
            self.counts += line.counts
        if self.service is not None:
            self.counts += self.service.counts
