"""Simulated time that follows the wall clocks of several machines: the same beginning, and a queue taken in step.

    time of the run = start + (monotonic clock - beginning) × speed

Happenings are taken at their due time or as soon after it as the machine can; a new one that is due earlier wakes the
wait. Between two of them the network has its turn every few milliseconds, and as long again if it has much to bring, so
that what comes to a host that is behind is not late because of that. What takes longer (an inbox, a study) is waited
for. A clock can be stopped and go on (`standstill.py`): what is due by then is taken, and nothing after it.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..happenings.errands import Errands
from ..happenings.queue import EventQueue
from ..happenings.timing import Timing

TURN_S = 0.005
Progress = Callable[[float], None]


def wall_us() -> int:
    """The machine's clock: microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass
class SharedClock:
    """The time of a run on one machine; `began_s` is on the loop's monotonic clock, `stopped_us`: it stands still."""

    start_us: int
    speed: float
    began_s: float
    stopped_us: int | None = None

    @classmethod
    def beginning(cls, start_us: int, speed: float, begin_us: int) -> "SharedClock":
        """A clock that shows `start_us` when the machine's clock shows `begin_us`."""
        return cls(start_us, speed, asyncio.get_running_loop().time() + (begin_us - wall_us()) / 1e6)

    @property
    def now_us(self) -> int:
        """The time of the run; before the beginning it stands still."""
        if self.stopped_us is not None:
            return self.stopped_us
        passed_s = max(0.0, asyncio.get_running_loop().time() - self.began_s)
        return self.start_us + int(passed_s * self.speed * 1e6)

    def wait_s(self, at_us: int) -> float:
        """Seconds of wall clock until a time of the run; negative if it has passed, infinite if none can be told."""
        if self.stopped_us is not None:
            return math.inf if at_us > self.stopped_us else (at_us - self.stopped_us) / 1e6 / self.speed
        return self.began_s + (at_us - self.start_us) / 1e6 / self.speed - asyncio.get_running_loop().time()

    def stop(self) -> None:
        """Stand still from now on."""
        self.stopped_us = self.now_us

    def go_on(self, at_us: int, begin_us: int) -> None:
        """Go on, so that it shows `at_us` when the machine's clock shows `begin_us`."""
        anew = SharedClock.beginning(at_us, self.speed, begin_us)
        self.start_us, self.began_s, self.stopped_us = anew.start_us, anew.began_s, None


@dataclass(frozen=True)
class LaggingClock:
    """A clock that shows everything a while later than another one: `lag_s` seconds of wall clock."""

    ahead: SharedClock
    lag_s: float

    @property
    def speed(self) -> float:
        """How fast it goes."""
        return self.ahead.speed

    @property
    def now_us(self) -> int:
        """What it shows."""
        return self.ahead.now_us - self._lag_us

    def wait_s(self, at_us: int) -> float:
        """As for the one ahead."""
        return self.ahead.wait_s(at_us + self._lag_us)

    @property
    def _lag_us(self) -> int:
        return round(self.lag_s * self.ahead.speed * 1e6)


@dataclass
class InStep:
    """A queue taken in step with a clock; `errands`, if there are any, are done before the next happening."""

    queue: EventQueue
    clock: SharedClock | LaggingClock
    timing: Timing
    errands: Errands | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _turn_s: float = 0.0

    def wake(self) -> None:
        """Something has been put into the queue from outside."""
        self._news.set()

    def ticked(self, at_us: int, next_us: int) -> None:
        """A tick of the run has been taken, and when the next one comes."""
        lasts_s = (next_us - at_us) / 1e6 / self.clock.speed
        self.timing.tick(max(0.0, -self.clock.wait_s(at_us)), lasts_s)

    async def run(self, until_us: int, progress: Progress | None = None) -> None:
        """Take everything until a time of the run, and wait for that time."""
        start_us = self.queue.now_us
        while True:
            at_us = self.queue.next_time()
            due_us = until_us if at_us is None else min(at_us, until_us)
            wait_s = self.clock.wait_s(due_us)
            if wait_s > 0:
                await self._wait(wait_s)
                continue
            if at_us is None or at_us > until_us:
                return
            await self._take(at_us, -wait_s)
            if progress is not None:
                progress((at_us - start_us) / max(1, until_us - start_us))

    async def _take(self, at_us: int, late_s: float) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        ticks = len(self.timing.ticks_s)
        self.queue.step()
        if len(self.timing.ticks_s) == ticks:  # else it was a tick, which has told so itself
            self.timing.other(late_s)
        if self.errands is not None:
            await self.errands.run(at_us)
        self.timing.busy(loop.time() - began_s)
        if loop.time() - self._turn_s > TURN_S:  # the network must not wait for a host that is behind
            await self._give_way()
            self._turn_s = loop.time()

    async def _give_way(self) -> None:
        """The network has its turn: one packet of each line at a time, and the next one while there is any news."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + TURN_S
        self._news.set()
        while self._news.is_set() and loop.time() < until_s:
            self._news.clear()
            await asyncio.sleep(0)  # what has come in is looked for now
            await asyncio.sleep(0)  # and heard after that

    async def _wait(self, seconds: float) -> None:
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._news.wait()
