"""Who reads its plant at the same ticks reads in one round: one happening of the queue, however many take part.

tick ─▶ a reads, reacts ─▶ b reads, reacts ─▶ …        whatever comes in between by the queue's order still does
       those of whom it is known what a reading comes to speak together (fleet.py), in their order
"""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from ..inputs import Reading
from ..plants.fleet import Fleet, Seat
from .queue import KIND_OF_INPUT, EventQueue
from .rhythm import next_tick

RANK = KIND_OF_INPUT[Reading]
NEVER_US = 1 << 62
Read = Callable[[str, int], None]


class Span(NamedTuple):
    """A source, and the first and last instant at which it is read."""

    source: str
    from_us: int
    until_us: int


class Member(NamedTuple):
    """Somebody who takes part; `seat`: its place in the fleet, if it may have one."""

    agent: str
    span: Span
    read: Read
    seat: Seat | None = None


_name = attrgetter("agent")


@dataclass
class Circle:
    """Who reads at the same ticks, by name; all of them from the last beginning to the first end of a span."""

    members: list[Member] = field(default_factory=list)
    from_us: int = 0
    until_us: int = NEVER_US

    def join(self, member: Member) -> None:
        """Those of one name stay in the order of joining."""
        insort(self.members, member, key=_name)
        self.from_us = max(self.from_us, member.span.from_us)
        self.until_us = min(self.until_us, member.span.until_us)

    def reading(self, at_us: int) -> list[Member]:
        """Who reads at a tick."""
        if self.from_us <= at_us <= self.until_us:
            return self.members
        return [one for one in self.members if one.span.from_us <= at_us <= one.span.until_us]

    def leave(self, next_us: int) -> None:
        """Whoever does not read at the next tick any more has read for the last time."""
        if self.until_us < next_us:
            self.members = [member for member in self.members if member.span.until_us >= next_us]
            self.until_us = min([member.span.until_us for member in self.members], default=NEVER_US)


@dataclass
class Rounds:
    """All rounds of a run, by the length of their ticks and the phase in which they read."""

    queue: EventQueue
    fleet: Fleet
    _circles: dict[tuple[int, int], Circle] = field(default_factory=dict)

    def join(self, member: Member, phase: int, *, every_us: int) -> None:
        """Read at every tick of a span, which begins with the next tick."""
        key = every_us, phase
        circle = self._circles.setdefault(key, Circle())
        if not circle.members:
            self._plan(member.span.from_us, key)
        circle.join(member)

    def _plan(self, at_us: int, key: tuple[int, int]) -> None:
        self.queue.put(at_us, lambda now_us: self._round(now_us, key), phase=key[1], rank=RANK)

    def _round(self, at_us: int, key: tuple[int, int]) -> None:
        circle = self._circles[key]
        self._read(circle.reading(at_us), at_us, key[1])
        next_us = next_tick(at_us, key[0])
        circle.leave(next_us)
        if circle.members:
            self._plan(next_us, key)

    def _read(self, members: list[Member], at_us: int, phase: int) -> None:
        """One after the other; those who go on as they are speak together, up to the next who does not."""
        exchange = self.fleet.exchange
        assert exchange is not None
        exchange.gather()
        together: list[Seat] = []
        undisturbed, puts = False, -1
        for agent, (source, _, _), read, seat in members:
            if not undisturbed:
                undisturbed, puts = self._comes_next(at_us, phase, members[-1].agent), self.queue.puts
            if not undisturbed and not self._comes_next(at_us, phase, agent):
                self.fleet.speak(together, at_us)
                together = []
                exchange.release(at_us)
                while not self._comes_next(at_us, phase, agent):
                    self.queue.step()
                exchange.gather()
            if seat is not None and seat.goes_on(at_us):
                together.append(seat)
                continue
            self.fleet.speak(together, at_us)
            together = []
            read(source, at_us)
            undisturbed = undisturbed and puts == self.queue.puts
        self.fleet.speak(together, at_us)
        exchange.release(at_us)

    def _comes_next(self, at_us: int, phase: int, agent: str) -> bool:
        """Whether nothing that waits comes before this agent's reading."""
        return self.queue.is_before(at_us, phase=phase, agent=agent, rank=RANK)
