"""What happens next: a deterministic queue of events in simulated time.

Order: time, then phase (plant → DSO → TSO → BSP → telemetry), then agent, then kind of input, then the
order in which it was put in. So a tick's readings are taken before anybody decides, and a message that
arrives exactly at its deadline is in time.

    a heap of instants ─▶ the earliest ─▶ what happens then, put in order once ─▶ one after the other

Ticks bring thousands of happenings at one instant, and they are put in nearly in their order: a heap of all of them
would compare names at every step.
"""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

from ..inputs import Alarm, Arrival, Begin, Due, Input, Reading, Result

PLANT, TELEMETRY = 0, 9
PHASE_OF_KIND = {"DSO": 2, "TSO": 3, "BSP": 4, "AGGREGATOR": 4}
KIND_OF_INPUT: dict[type[Input], int] = {Begin: 0, Arrival: 1, Reading: 2, Result: 3, Alarm: 4, Due: 5}

LEAST_SWEPT = 64  # fewer than twice as many are not worth a look

Happening = Callable[[int], None]
Taker = Callable[[Input, int], None]


Entry = tuple[int, str, int, int, Any, Input | None]  # phase, agent, kind of input, number, who takes it, what


@dataclass
class EventQueue:
    """Happenings in their order, and inputs with who takes them; `now_us` is the time of the last one taken."""

    now_us: int
    _instants: list[int] = field(default_factory=list)
    _at: dict[int, list[Entry]] = field(default_factory=dict)
    _sorted_us: int | None = None  # the instant whose happenings are in order, of which the first `_taken` are over
    _taken: int = 0
    puts: int = 0  # how many have ever been put
    _waiting: int = 0
    _swept: int = LEAST_SWEPT

    def put(self, at_us: int, happening: Happening, *, phase: int, agent: str = "", rank: int = 0) -> None:
        """Let something happen at a time (now, if that has passed already)."""
        self.puts += 1
        self._insert(at_us, (phase, agent, rank, self.puts, happening, None))

    def give(self, at_us: int, given: Input, taker: Taker, *, phase: int, agent: str) -> None:
        """Let an agent experience something at a time (now, if that has passed already)."""
        self.puts += 1
        self._insert(at_us, (phase, agent, KIND_OF_INPUT[type(given)], self.puts, taker, given))

    def _insert(self, at_us: int, entry: Entry) -> None:
        at_us = max(at_us, self.now_us)
        self._waiting += 1
        entries = self._at.get(at_us)
        if entries is None:
            self._at[at_us] = [entry]
            heappush(self._instants, at_us)
        elif at_us == self._sorted_us:
            insort(entries, entry, self._taken)
        else:
            entries.append(entry)

    def next_time(self) -> int | None:
        """When the next thing happens, or None if nothing does any more."""
        return self._instants[0] if self._instants else None

    def is_before(self, at_us: int, *, phase: int, agent: str, rank: int) -> bool:
        """Whether something at this place in the order would come before all that waits."""
        if not self._instants or at_us != self._instants[0]:
            return not self._instants or at_us < self._instants[0]
        return (phase, agent, rank) < self._first(at_us)[self._taken][:3]

    def _first(self, at_us: int) -> list[Entry]:
        """What happens at the earliest instant, in order."""
        entries = self._at[at_us]
        if at_us != self._sorted_us:
            entries.sort()
            self._sorted_us, self._taken = at_us, 0
        return entries

    def __len__(self) -> int:
        """How much waits."""
        return self._waiting

    def sweep(self, is_gone: Callable[[str, Input], bool]) -> None:
        """Let go of timers and deadlines that have been replaced or dropped, once most of what waits may be such.

        `is_gone`: whether an agent will not experience an input that it was given. What is gone would be passed over
        when its time has come, so nothing else changes.
        """
        if self._waiting < 2 * self._swept:
            return
        if self._sorted_us is not None:
            del self._at[self._sorted_us][: self._taken]
        left = ((at_us, [one for one in then if not _goes(one, is_gone)]) for at_us, then in self._at.items())
        self._at = {at_us: entries for at_us, entries in left if entries}
        self._instants, self._sorted_us = list(self._at), None
        heapify(self._instants)
        self._waiting = sum(map(len, self._at.values()))
        self._swept = max(LEAST_SWEPT, self._waiting)

    def step(self) -> None:
        """Let the next thing happen."""
        at_us = self._instants[0]
        entries = self._first(at_us)
        _, _, _, _, happening, given = entries[self._taken]
        self._taken += 1
        if self._taken == len(entries):
            heappop(self._instants)
            del self._at[at_us]
            self._sorted_us = None
        self._waiting -= 1
        self.now_us = at_us
        if given is None:
            happening(at_us)
        else:
            happening(given, at_us)


def _goes(entry: Entry, is_gone: Callable[[str, Input], bool]) -> bool:
    _, agent, _, _, _, given = entry
    return given is not None and is_gone(agent, given)
