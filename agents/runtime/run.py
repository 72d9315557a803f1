"""A run: hosts registered in a mango container, one exchange, one queue; simulated time or the wall clock.

simulated    take the next happening, whenever it is: as fast as the machine allows
real time    the same queue, paced by the loop's monotonic clock, in a started mango container; messages
             go through mango's inboxes
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mango import AgentAddress

from ...protocols.envelope import Envelope
from .container import LocalContainer
from .exchange import Exchange, Links
from .host import Host, World
from .node import Begin, Node
from .queue import PLANT, TELEMETRY

Progress = Callable[[float], None]


@dataclass
class Timing:
    """How late happenings were taken in real time (seconds of wall clock), one entry each."""

    lateness_s: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """Count, median, 99th percentile and maximum of the lateness."""
        late = sorted(self.lateness_s)
        if not late:
            return {"happenings": 0}
        at = [late[int(share * (len(late) - 1))] for share in (0.5, 0.99, 1.0)]
        return {"happenings": len(late), **dict(zip(("p50_s", "p99_s", "max_s"), at, strict=True))}


class Operation:
    """All hosts of a process and what drives them."""

    def __init__(self, nodes: Iterable[Node], world: World, links: Links, kinds: Mapping[str, str]) -> None:
        """Register a host for every node, and connect them by one exchange."""
        self.world = world
        self.container = LocalContainer(world.queue.now_us / 1e6)
        self.hosts = {node.agent.name: Host(node, world) for node in nodes}
        self.exchange = Exchange(links, kinds, world.recorder, self._deliver)
        self.timing = Timing()
        self._in_hand: list[Envelope] = []
        self._hand_over = False
        for name, host in self.hosts.items():
            host.exchange = self.exchange
            self.container.register(host, suggested_aid=name)

    def _deliver(self, envelope: Envelope, at_us: int) -> None:
        host = self.hosts[envelope.receiver]
        if self._hand_over:
            put = lambda _: self._in_hand.append(envelope)  # noqa: E731 - one expression, bound to this envelope
            host.plan_call(put, at_us)
        else:
            host.receive(envelope, at_us)

    def begin(self, plant_us: int, telemetry: Callable[[int], None], end_us: int) -> None:
        """Begin every agent, and let the plants tick and leave telemetry until the end."""
        queue = self.world.queue
        for name in sorted(self.hosts):
            self.hosts[name].plan(Begin(), queue.now_us)

        def tick(at_us: int) -> None:
            self.world.physics.advance(at_us)
            queue.put(at_us, telemetry, phase=TELEMETRY)
            if at_us + plant_us <= end_us:
                queue.put(at_us + plant_us, tick, phase=PLANT)

        queue.put(queue.now_us, tick, phase=PLANT)

    def simulate(self, until_us: int, progress: Progress | None = None) -> None:
        """Run in simulated time."""
        queue = self.world.queue
        start_us, shown = queue.now_us, 0.0
        gc.collect()
        while (at_us := queue.next_time()) is not None and at_us <= until_us:
            queue.step()
            done = (at_us - start_us) / max(1, until_us - start_us)
            if progress is not None and done - shown >= 0.01:
                shown = done
                progress(done)

    async def keep_pace(self, until_us: int, speed: float, progress: Progress | None = None) -> None:
        """Run in real time, `speed` simulated seconds a second, through a started mango container."""
        queue, loop = self.world.queue, asyncio.get_running_loop()
        self._hand_over = True
        await self.container.start()
        self.container.on_ready()
        try:
            start_us, began = queue.now_us, loop.time()
            while (at_us := queue.next_time()) is not None and at_us <= until_us:
                due = began + (at_us - start_us) / 1e6 / speed
                await asyncio.sleep(max(0.0, due - loop.time()))
                self.timing.lateness_s.append(max(0.0, loop.time() - due))
                queue.step()
                self.container.clock.set_time(queue.now_us / 1e6)
                await self._hand_over_messages()
                if progress is not None:
                    progress((at_us - start_us) / max(1, until_us - start_us))
        finally:
            await self.container.shutdown()

    async def _hand_over_messages(self) -> None:
        """Messages that are due go through mango's inboxes; what a host could not take is raised here."""
        while self._in_hand:
            envelope = self._in_hand.pop(0)
            host = self.hosts[envelope.receiver]
            address = AgentAddress(self.container.addr, envelope.receiver)
            await self.container.send_message(envelope, address, sender_id=envelope.sender)
            await host.inbox.join()
            if host.failure is not None:
                raise host.failure
