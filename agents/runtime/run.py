"""A run: hosts registered in a mango container, one exchange, one queue, and what drives them in simulated time.

simulated    take the next happening, whenever it is: as fast as the machine allows
real time    the same queue, paced by the clock: realtime.py
"""

from collections.abc import Callable, Iterable, Mapping

from .collector import PATIENT, calm
from .container import LocalContainer
from .happenings.queue import PLANT, TELEMETRY
from .happenings.rhythm import next_of
from .host import Host, World
from .inputs import Arrival, Begin, Input
from .messages.exchange import Exchange, Links
from .messages.faults import Faults, FaultyExchange
from .messages.mail import Listener, Mail
from .node import Node

Progress = Callable[[float], None]


class Operation:
    """All hosts of a process and what drives them; `ticks_us` are the lengths of all series of ticks."""

    def __init__(
        self,
        nodes: Iterable[Node],
        world: World,
        links: Links,
        kinds: Mapping[str, str],
        ticks_us: Iterable[int],
        *,
        in_bulk: bool = False,
        host: Callable[[Node, World], Host] = Host,
        faults: Faults | None = None,
    ) -> None:
        """Register a host for every node, and connect them by one exchange, whose links may have faults.

        `in_bulk`: what subscriptions stream is heard in bulk, which in simulated time comes to the same.
        """
        self.world = world
        self.ticks_us = tuple(sorted(set(ticks_us)))
        self.next_tick_us = self._last_tick_us = world.queue.now_us
        self.at_end: list[Callable[[], None]] = []
        self.container = LocalContainer(world.queue.now_us / 1e6)
        self.hosts = {node.agent.name: host(node, world) for node in nodes}
        self.exchange = Exchange(links, kinds, world.recorder, self._receive)
        self.faults = faults
        if faults is not None:
            self.exchange = FaultyExchange(links, kinds, world.recorder, self._receive, faults=faults)
        self.mail = Mail({name: Listener(made.listen, made.hear) for name, made in self.hosts.items()}, kinds)
        self.exchange.mail, self.exchange.mail_together = self.mail.put, self.mail.put_together
        world.fleet.exchange = self.exchange
        for name, made in self.hosts.items():
            made.node.in_bulk = in_bulk
            made.exchange = self.exchange
            self.container.register(made, suggested_aid=name)

    def close(self) -> None:
        """The run is over: what goes on in the plants is reported as far as it has come, and what waits is written."""
        self.world.physics.close()
        for close in self.at_end:
            close()

    def _receive(self, arrival: Arrival, at_us: int) -> None:
        self.hosts[arrival.envelope.receiver].receive(arrival, at_us)

    def _is_gone(self, agent: str, given: Input) -> bool:
        return self.hosts[agent].node.is_stale(given)

    def tick_after(self, at_us: int) -> int:
        """The next tick of anybody after an instant."""
        return next_of(at_us, self.ticks_us)

    def skipped_before(self, at_us: int) -> int:
        """How many ticks were left out between the last one taken and the one at `at_us`."""
        skipped, tick_us = 0, self.tick_after(self._last_tick_us)
        while tick_us < at_us:
            skipped, tick_us = skipped + 1, self.tick_after(tick_us)
        return skipped

    def begin(self, telemetry: Callable[[int], None], end_us: int) -> None:
        """Begin every agent, and let the plants tick and leave telemetry until the end."""
        queue = self.world.queue
        for name in sorted(self.hosts):
            self.hosts[name].plan(Begin(), queue.now_us)

        def tick(at_us: int) -> None:
            self.world.physics.advance(at_us)
            queue.sweep(self._is_gone)
            queue.put(at_us, telemetry, phase=TELEMETRY)
            self._last_tick_us = at_us
            self.next_tick_us = self.tick_after(self.world.rhythm.passed_us(at_us))
            if self.next_tick_us <= end_us:
                queue.put(self.next_tick_us, tick, phase=PLANT)

        queue.put(queue.now_us, tick, phase=PLANT)

    def simulate(self, until_us: int, progress: Progress | None = None) -> None:
        """Run in simulated time."""
        queue, mail = self.world.queue, self.mail
        start_us, shown = queue.now_us, 0.0
        with calm(PATIENT):
            while True:
                at_us = queue.next_time()
                if at_us is None or at_us > until_us:
                    if mail.next_us > until_us or not mail.deliver(queue):
                        break
                elif mail.next_us > at_us or not mail.deliver(queue):
                    queue.step()
                    if progress is not None and (done := (at_us - start_us) / (until_us - start_us)) - shown >= 0.01:
                        shown = done
                        progress(done)
