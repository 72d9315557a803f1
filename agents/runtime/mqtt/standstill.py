"""A run that waits: while somebody is away the time of the run stands still everywhere, and nothing is missed.

    gone (last will), a line lost, or the roll called anew ─▶ clock stopped ─▶ what is under way still arrives
    everybody is back ─▶ the TSO's host has called the roll, and how far each has come ─▶ start, from the furthest on

So whoever was killed or cut off misses no measurement, no deadline and no order, and the outcome is that of a run in
which nothing had been. It is for runs whose plants are simulated: a real one does not wait.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from .clock import SharedClock
from .memory import Memory
from .muster import Muster


class Standstill:
    """One process's part in it."""

    def __init__(
        self, clock: SharedClock, muster: Muster, memory: Memory | None, counts: Counter[str], wake: Callable[[], None]
    ) -> None:
        """`wake` is called when the clock has been set; `counts`: how often it had been stopped."""
        self.counts = counts
        self._clock, self._muster, self._memory, self._wake = clock, muster, memory, wake
        self._news = asyncio.Event()

    def part(self) -> None:
        """Somebody is away."""
        if self._clock.stopped_us is None:
            self._clock.stop()
            self.counts["standstills"] += 1
            self._muster.begin_again()
            self._news.set()

    async def watch(self) -> None:
        """Whenever the run stands still, wait until everybody is back; BrokerError if somebody is not in time."""
        while True:
            await self._news.wait()
            self._news.clear()
            start = await self._muster.gather()
            begin_us = self._muster.begin_us(start)
            if self._memory is not None:
                self._memory.begins(start, begin_us)
            self._clock.go_on(start.at_us or self._clock.start_us, begin_us)
            self._wake()
