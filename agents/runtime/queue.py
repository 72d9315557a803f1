"""What happens next: a deterministic queue of events in simulated time.

Order: time, then phase (plant → DSO → TSO → BSP → telemetry), then agent, then kind of input, then the
order in which it was put in. So a tick's readings are taken before anybody decides, and a message that
arrives exactly at its deadline is in time.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .inputs import Alarm, Arrival, Begin, Due, Input, Reading, Result

PLANT, TELEMETRY = 0, 9
PHASE_OF_KIND = {"DSO": 2, "TSO": 3, "BSP": 4, "AGGREGATOR": 4}
KIND_OF_INPUT: dict[type[Input], int] = {Begin: 0, Arrival: 1, Reading: 2, Result: 3, Alarm: 4, Due: 5}

LEAST_SWEPT = 64  # fewer than twice as many are not worth a look

Happening = Callable[[int], None]
Taker = Callable[[Input, int], None]


@dataclass
class EventQueue:
    """Happenings in their order, and inputs with who takes them; `now_us` is the time of the last one taken."""

    now_us: int
    _heap: list[tuple[int, int, str, int, int, Any, Input | None]] = field(default_factory=list)
    _put: int = 0
    _swept: int = LEAST_SWEPT

    def put(self, at_us: int, happening: Happening, *, phase: int, agent: str = "", rank: int = 0) -> None:
        """Let something happen at a time (now, if that has passed already)."""
        self._put += 1
        at_us = max(at_us, self.now_us)
        heapq.heappush(self._heap, (at_us, phase, agent, rank, self._put, happening, None))

    def give(self, at_us: int, given: Input, taker: Taker, *, phase: int, agent: str) -> None:
        """Let an agent experience something at a time (now, if that has passed already)."""
        self._put += 1
        at_us = max(at_us, self.now_us)
        heapq.heappush(self._heap, (at_us, phase, agent, KIND_OF_INPUT[type(given)], self._put, taker, given))

    def next_time(self) -> int | None:
        """When the next thing happens, or None if nothing does any more."""
        return self._heap[0][0] if self._heap else None

    def is_before(self, at_us: int, *, phase: int, agent: str, rank: int) -> bool:
        """Whether something at this place in the order would come before all that waits."""
        return not self._heap or (at_us, phase, agent, rank) < self._heap[0][:4]

    def __len__(self) -> int:
        """How much waits."""
        return len(self._heap)

    def sweep(self, is_gone: Callable[[str, Input], bool]) -> None:
        """Let go of timers and deadlines that have been replaced or dropped, once most of what waits may be such.

        `is_gone`: whether an agent will not experience an input that it was given. What is gone would be passed over
        when its time has come, so nothing else changes.
        """
        if len(self._heap) < 2 * self._swept:
            return
        self._heap = [one for one in self._heap if one[6] is None or not is_gone(one[2], one[6])]
        heapq.heapify(self._heap)
        self._swept = max(LEAST_SWEPT, len(self._heap))

    def step(self) -> None:
        """Let the next thing happen."""
        at_us, _, _, _, _, happening, given = heapq.heappop(self._heap)
        self.now_us = at_us
        if given is None:
            happening(at_us)
        else:
            happening(given, at_us)
