"""Who reads its plant at the same ticks reads in one round: one happening of the queue, however many take part.

tick ─▶ a reads, reacts ─▶ b reads, reacts ─▶ …        whatever comes in between by the queue's order still does
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .inputs import Reading
from .queue import KIND_OF_INPUT, EventQueue
from .rhythm import next_tick

RANK = KIND_OF_INPUT[Reading]
Read = Callable[[str, int], None]


class Span(NamedTuple):
    """A source, and the first and last instant at which it is read."""

    source: str
    from_us: int
    until_us: int


class Member(NamedTuple):
    """Somebody who takes part, in the order of names and of joining."""

    agent: str
    number: int
    span: Span
    read: Read


@dataclass
class Rounds:
    """All rounds of a run, by the length of their ticks and the phase in which they read."""

    queue: EventQueue
    _members: dict[tuple[int, int], list[Member]] = field(default_factory=dict)
    _joined: int = 0

    def join(self, agent: str, phase: int, read: Read, *, every_us: int, span: Span) -> None:
        """`read(source, at_us)` at every tick of a span, which begins with the next tick."""
        key = every_us, phase
        members = self._members.setdefault(key, [])
        if not members:
            self._plan(span.from_us, key)
        self._joined += 1
        members.append(Member(agent, self._joined, span, read))
        members.sort()

    def _plan(self, at_us: int, key: tuple[int, int]) -> None:
        self.queue.put(at_us, lambda now_us: self._round(now_us, key), phase=key[1], rank=RANK)

    def _round(self, at_us: int, key: tuple[int, int]) -> None:
        queue, phase, members = self.queue, key[1], self._members[key]
        for agent, _, (source, from_us, until_us), read in tuple(members):
            if from_us <= at_us <= until_us:
                while not queue.is_before(at_us, phase=phase, agent=agent, rank=RANK):
                    queue.step()
                read(source, at_us)
        next_us = next_tick(at_us, key[0])
        members[:] = [member for member in members if member.span.until_us >= next_us]
        if members:
            self._plan(next_us, key)
