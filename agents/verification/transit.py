"""What is on its way between agents, as small numbers: every pair has its own queue, in which order is kept.

ways     the number of the queue of each pair; 0 is nothing, and equal queues are the same number
queue    envelopes by number; what a queue becomes is looked up once
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...protocols.envelope import Envelope
from ...protocols.verification.search import Interning

NOBODY = -1
Queue = tuple[int, ...]
Ways = tuple[int, ...]


class Queues:
    """Queues of envelopes in order of arrival."""

    def __init__(self) -> None:
        """Begin with the empty one."""
        self._number: dict[Queue, int] = {(): 0}
        self._queues: list[Queue] = [()]
        self._rest = [0]
        self._longer: dict[tuple[int, int], int] = {}

    def __getitem__(self, number: int) -> Queue:
        """The envelopes of a queue."""
        return self._queues[number]

    def rest(self, number: int) -> int:
        """The queue when its first envelope has arrived."""
        return self._rest[number]

    def longer(self, number: int, envelope: int) -> int:
        """The queue when one more envelope has been sent."""
        found = self._longer.get((number, envelope))
        if found is None:
            found = self._longer[number, envelope] = self._numbered((*self._queues[number], envelope))
        return found

    def _numbered(self, queue: Queue) -> int:
        found = self._number.get(queue)
        if found is None:
            rest = self._numbered(queue[1:])
            found = self._number[queue] = len(self._queues)
            self._queues.append(queue)
            self._rest.append(rest)
        return found


class Transit:
    """The ways between agents (by their place among `names`) that may speak with each other."""

    def __init__(self, names: Sequence[str], envelopes: Interning[Envelope, Envelope]) -> None:
        """A way for every pair."""
        self._envelopes, self._queues = envelopes, Queues()
        self._pairs = [(a, b) for a in range(len(names)) for b in range(len(names)) if a != b]
        self._way_of = {(names[a], names[b]): way for way, (a, b) in enumerate(self._pairs)}
        self._way_taken: dict[int, int] = {}

    @property
    def empty(self) -> Ways:
        """Nothing is on its way."""
        return (0,) * len(self._pairs)

    def first(self, ways: Ways) -> list[tuple[int, int]]:
        """The receiver and the envelope of what arrives next, on each way."""
        return [(self._pairs[way][1], self._queues[queue][0]) for way, queue in enumerate(ways) if queue]

    def count(self, ways: Ways) -> int:
        """How many envelopes are on their way."""
        return sum(len(self._queues[queue]) for queue in ways)

    def taken(self, ways: Ways, envelope: int) -> Ways:
        """The ways when the first envelope of one has arrived, or is lost."""
        way = self._way(envelope)
        return (*ways[:way], self._queues.rest(ways[way]), *ways[way + 1 :])

    def put(self, ways: Ways, sent: tuple[int, ...], silent: int) -> Ways:
        """The ways when these have been sent; the silent neither speaks nor hears."""
        for envelope in sent:
            way = self._way(envelope)
            if silent not in self._pairs[way]:
                ways = (*ways[:way], self._queues.longer(ways[way], envelope), *ways[way + 1 :])
        return ways

    def hushed(self, ways: Ways, silent: int) -> Ways:
        """The ways when somebody falls silent: what is on its way to it will not be heard; what it has said will."""
        return tuple(0 if self._pairs[way][1] == silent else queue for way, queue in enumerate(ways))

    def added(self, before: Ways, after: Ways, sender: int) -> Iterator[tuple[int, int]]:
        """What a sender has put on its ways: the receiver and the envelope."""
        for way, (who, receiver) in enumerate(self._pairs):
            if who == sender and after[way] != before[way]:
                for envelope in self._queues[after[way]][len(self._queues[before[way]]) :]:
                    yield receiver, envelope

    def _way(self, envelope: int) -> int:
        """The way that an envelope takes."""
        found = self._way_taken.get(envelope)
        if found is None:
            sent = self._envelopes[envelope]
            found = self._way_taken[envelope] = self._way_of[sent.sender, sent.receiver]
        return found
