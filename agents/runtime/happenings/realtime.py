"""A run in real time: the queue of simulated time, paced by the loop's monotonic clock, in a started mango container.

    deadline of the next instant ─▶ sleep ─▶ all that happens then ─▶ messages through mango's inboxes
                                                                   └▶ studies from the process that computes them

What takes time is elsewhere, so the loop is blocked by nothing but the agents' own decisions. A study's result is
heard at its declared time; if it is not there by then, the run waits for it and is late, because to go on without
it would make the outcome depend on the machine.
"""

import asyncio

from ..collector import calm
from ..run import Operation, Progress
from ..studies.annex import Annex
from .errands import Errands
from .pace import Pace
from .timing import Timing


class RealTime:
    """Drives an operation by the clock."""

    def __init__(self, operation: Operation, pace: Pace, annex: Annex | None = None) -> None:
        """`annex`: where studies are computed; without one they are computed on the loop."""
        self.operation, self.pace, self.annex = operation, pace, annex
        self.timing = Timing(min(operation.ticks_us) / 1e6, pace.speed, pace.late)
        self._errands = Errands(operation.container, operation.hosts)

    async def run(self, until_us: int, progress: Progress | None = None) -> None:
        """Run until an instant; raises what a host or a study raises."""
        operation = self.operation
        operation.exchange.deliver = self._errands.deliver
        await operation.container.start()
        operation.container.on_ready()
        try:
            await self._errands.send_studies_away(self.annex)
            with calm():
                self.pace.begin(asyncio.get_running_loop().time)
                await self._drive(until_us, progress)
        finally:
            if self.annex is not None:
                await self.annex.close()
            await operation.container.shutdown()

    async def _drive(self, until_us: int, progress: Progress | None) -> None:
        queue, clock = self.operation.world.queue, asyncio.get_running_loop().time
        start_us = queue.now_us
        while (at_us := queue.next_time()) is not None and at_us <= until_us:
            due_s = self.pace.due_s(at_us)
            await asyncio.sleep(max(0.0, due_s - clock()))
            began_s = clock()
            self._note(at_us, max(0.0, began_s - due_s))
            while queue.next_time() == at_us:
                queue.step()
                await self._errands.run(at_us)
            self.timing.busy(clock() - began_s)
            if progress is not None:
                progress((at_us - start_us) / max(1, until_us - start_us))
        self.timing.leave_out(self.operation.skipped_before(until_us + 1))

    def _note(self, at_us: int, late_s: float) -> None:
        """Keep how late this instant is; a tick of the plant counts apart from what happens between ticks."""
        operation = self.operation
        if at_us != operation.next_tick_us:
            self.timing.other(late_s)
            return
        lasts_us = operation.tick_after(at_us) - at_us
        self.timing.leave_out(operation.skipped_before(at_us))
        self.timing.tick(late_s, self.pace.lasts_s(lasts_us))
