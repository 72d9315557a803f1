"""Real time: every simulated instant has an absolute deadline on a monotonic clock, so that nothing drifts.

    deadline = began + (instant - start) / speed            never "now + tick", which would add the work of each tick

Ticks that come late: `catch_up` takes every one of them, in order, as fast as it goes, so the outcome is that of
simulated time. `skip` leaves out those whose successor is due already; messages and timers are never left out.
"""

from collections.abc import Callable
from typing import Literal

from .rhythm import Rhythm

Late = Literal["catch_up", "skip"]


class Pace(Rhythm):
    """Deadlines of a run that begins at `start_us` and goes `speed` times as fast as the clock (seconds, monotonic)."""

    def __init__(self, start_us: int, speed: float, late: Late = "catch_up") -> None:
        """Ready; `begin` sets the hands."""
        self.start_us = start_us
        self.speed = speed
        self.late: Late = late
        self._clock: Callable[[], float] | None = None
        self._began_s = 0.0

    def begin(self, clock: Callable[[], float]) -> None:
        """The run begins now, by this clock."""
        self._clock = clock
        self._began_s = clock()

    def due_s(self, at_us: int) -> float:
        """When an instant is due, on the clock."""
        return self._began_s + self.lasts_s(at_us - self.start_us)

    def lasts_s(self, simulated_us: int) -> float:
        """How long a stretch of simulated time takes by the clock."""
        return simulated_us / 1e6 / self.speed

    def passed_us(self, at_us: int) -> int:
        """With `skip`, ticks are over up to the present; else up to the one just taken."""
        if self.late == "catch_up" or self._clock is None:
            return at_us
        return max(at_us, self.start_us + int((self._clock() - self._began_s) * self.speed * 1e6))
