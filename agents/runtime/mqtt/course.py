"""What comes round at every tick of a run on one of several hosts: telemetry of the agents here, and of the plants.

    begin    from the beginning of the run: agents begin, plants move, telemetry is left
    go on    after an earlier life (`past.py`): telemetry of the ticks that were missed, since nothing has changed in
             them, then the next tick; what was due in between is due now

With a memory it is noted that telemetry was left, and how far the plants had come, so that a later life does the same.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..happenings.queue import TELEMETRY
from ..happenings.rhythm import next_of
from ..host import World
from .clock import InStep
from .memory import Memory
from .past import Past
from .plants import PlantService

Telemetry = Callable[[int], None]


class Ticks(NamedTuple):
    """How often telemetry is left, by the agents here and by the plants if they are here."""

    lengths_us: tuple[int, ...]
    agents: Telemetry
    plants: Telemetry


class Course:
    """The ticks of one process."""

    def __init__(
        self, world: World, ticks: Ticks, *, service: PlantService | None, memory: Memory | None, end_us: int
    ) -> None:
        """`service`: the plants, if they are here."""
        self.ticks = ticks
        self._world, self._service, self._memory, self._end_us = world, service, memory, end_us

    def begin_plants(self) -> None:
        """The plants tick from the beginning on; their requests are noted, where there is a memory."""
        service, memory = self._service, self._memory
        if service is None:
            return
        service.tick(self.ticks.lengths_us, self._stepped)
        if memory is not None:
            service.noted = lambda agent, payload, now_us: memory.asked(agent, payload, now_us, service.queue.taken)

    def begin(self, agents: InStep) -> None:
        """Telemetry of the agents from the beginning on."""
        self._tick(agents, self._world.queue.now_us)

    def go_on(self, agents: InStep, past: Past) -> None:
        """Telemetry of what was missed, then as ever."""
        queue = self._world.queue
        at_us = queue.now_us if past.ticked_us is None else self._next(past.ticked_us)
        queue.now_us = max(past.until_us, agents.clock.now_us)
        while at_us < min(queue.now_us, self._end_us):
            self._leave(at_us)
            at_us = self._next(at_us)
        self._tick(agents, at_us)

    def _next(self, at_us: int) -> int:
        return next_of(at_us, self.ticks.lengths_us)

    def _tick(self, agents: InStep, first_us: int) -> None:
        def tick(at_us: int) -> None:
            self._leave(at_us)
            next_us = self._next(at_us)
            agents.ticked(at_us, next_us)
            if next_us <= self._end_us:
                self._world.queue.put(next_us, tick, phase=TELEMETRY)

        if first_us <= self._end_us:
            self._world.queue.put(first_us, tick, phase=TELEMETRY)

    def _leave(self, at_us: int) -> None:
        if self._memory is not None:
            self._memory.ticked(at_us)
        self.ticks.agents(at_us)

    def _stepped(self, at_us: int) -> None:
        service = self._service
        assert service is not None
        if self._memory is not None and not service.reliving:
            self._memory.stepped(at_us, service.queue.taken)
        self.ticks.plants(at_us)
