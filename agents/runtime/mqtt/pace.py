"""Simulated time that follows the wall clock: when it begins, how fast it goes, and a queue that is taken in step.

    time of the run = start + (monotonic clock - beginning) × speed

Happenings are taken at their due time or as soon after it as the machine can; a new one that is due earlier wakes the
wait. What came in from outside is handed over between two happenings.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..queue import EventQueue

Progress = Callable[[float], None]


def wall_us() -> int:
    """The machine's clock: microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass
class Pace:
    """The clock of a run on one machine."""

    start_us: int
    speed: float
    began_s: float

    @classmethod
    def beginning(cls, start_us: int, speed: float, begin_us: int) -> "Pace":
        """A clock that shows `start_us` when the machine's clock shows `begin_us`."""
        return cls(start_us, speed, asyncio.get_running_loop().time() + (begin_us - wall_us()) / 1e6)

    @property
    def now_us(self) -> int:
        """The time of the run; before the beginning it stands still."""
        passed_s = max(0.0, asyncio.get_running_loop().time() - self.began_s)
        return self.start_us + int(passed_s * self.speed * 1e6)

    def wait_s(self, at_us: int) -> float:
        """Seconds of wall clock until a time of the run; negative if it has passed."""
        return self.began_s + (at_us - self.start_us) / 1e6 / self.speed - asyncio.get_running_loop().time()


@dataclass
class Paced:
    """A queue taken in step with a clock."""

    queue: EventQueue
    pace: Pace
    after_each: Callable[[], Awaitable[None]]
    lateness_s: list[float] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something has been put into the queue from outside."""
        self._news.set()

    async def run(self, until_us: int, progress: Progress | None = None) -> None:
        """Take everything until a time of the run, and wait for that time."""
        start_us = self.queue.now_us
        while True:
            at_us = self.queue.next_time()
            due_us = until_us if at_us is None else min(at_us, until_us)
            wait_s = self.pace.wait_s(due_us)
            if wait_s > 0:
                await self._wait(wait_s)
                continue
            if at_us is None or at_us > until_us:
                return
            self.lateness_s.append(-wait_s)
            self.queue.step()
            await self.after_each()
            await asyncio.sleep(0)  # the network must not wait for a host that is behind
            if progress is not None:
                progress((at_us - start_us) / max(1, until_us - start_us))

    async def _wait(self, seconds: float) -> None:
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
