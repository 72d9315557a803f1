"""What has been streamed and is on its way: heard in bulk when the next thing happens, as of the time of each row.

    Exchange.stream ─▶ rows by receiver ─▶ the next happening of the queue is later ─▶ each receiver hears its rows
    Exchange.chorus ─▶ volleys ──────────▶ …                                       ─▶ each receiver hears its part

Between two happenings nobody looks, so that hearing a row a little later than it arrives changes nothing: the order of
rows at one receiver is that of their arrival, and what a reaction does it does as of that moment. A volley of which
something arrives only after the next happening falls apart into its rows.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from ....protocols.flow import Flow, Row, Volley
from ...identity import ByIdentity
from ..happenings.queue import KIND_OF_INPUT, PHASE_OF_KIND, EventQueue
from ..inputs import Arrival

Listen = Callable[[list[Row]], list[Row]]
Hear = Callable[[Volley, Sequence[int]], bool]
NEVER_US = 1 << 62
RANK = KIND_OF_INPUT[Arrival]
_arrival = attrgetter("received_us")


class Listener(NamedTuple):
    """How a receiver takes rows (it gives back what it has not taken) and its part of a volley (or not)."""

    listen: Listen
    hear: Hear


class Routes(NamedTuple):
    """The places of a volley by receiver, in the order of their first; `flows` as a set."""

    places: tuple[tuple[str, tuple[int, ...]], ...]
    flows: frozenset[Flow]


class Mail:
    """Rows and volleys on their way; `listeners` hear them in order."""

    def __init__(self, listeners: Mapping[str, Listener], kinds: Mapping[str, str]) -> None:
        """Nothing is on its way."""
        self.next_us = NEVER_US
        self._listeners = listeners
        self._phases = {name: PHASE_OF_KIND.get(kind, 5) for name, kind in kinds.items()}
        self._rows: dict[str, list[Row]] = {}
        self._mixed: set[str] = set()  # whose rows are not in the order of arrival
        self._volleys: list[Volley] = []
        self._routes = ByIdentity(self._routed)

    def put(self, row: Row, at_us: int) -> None:
        """A row will arrive at a time."""
        if self._volleys:
            self._fall_apart([one for one in self._volleys if row.flow in self._routes.of(one.flows).flows])
        self._put(row, at_us)

    def _put(self, row: Row, at_us: int) -> None:
        waiting = self._rows.get(row.flow.link[1])
        if waiting is None:
            self._rows[row.flow.link[1]] = [row]
        else:
            waiting.append(row)
            self._mixed.add(row.flow.link[1])
        self.next_us = min(self.next_us, at_us)

    def put_together(self, volley: Volley) -> None:
        """The rows of a volley will arrive, each at its time, those that are lost excepted."""
        self._volleys.append(volley)
        flows, lost = self._routes.of(volley.flows).flows, None in volley.received_us
        if lost or (self._rows and any(row.flow in flows for rows in self._rows.values() for row in rows)):
            self._fall_apart([volley])
        else:
            self.next_us = min(self.next_us, _first(volley))

    def _fall_apart(self, volleys: list[Volley]) -> None:
        for volley in volleys:
            self._volleys.remove(volley)
            for place, at_us in enumerate(volley.received_us):
                if at_us is not None and volley.flows[place].link[1] in self._listeners:
                    self._put(volley.row(place), at_us)

    def _routed(self, flows: tuple[Flow, ...]) -> Routes:
        places: dict[str, list[int]] = {}
        for place, flow in enumerate(flows):
            if flow.link[1] in self._listeners:
                places.setdefault(flow.link[1], []).append(place)
        return Routes(tuple((name, tuple(own)) for name, own in places.items()), frozenset(flows))

    def deliver(self, queue: EventQueue) -> bool:
        """Let everybody hear what arrives before the queue's next happening; whether there was any."""
        heard = False
        while self._volleys:
            heard = self._hear(self._volleys[0], queue) or heard
        self.next_us, then_us = NEVER_US, queue.next_time()  # but for what is put from now on, and what is left
        for name in tuple(self._rows):
            rows = self._rows.pop(name)
            if name in self._mixed:
                self._mixed.discard(name)
                rows.sort(key=_arrival)
            later = then_us is not None and _arrival(rows[0]) > then_us
            due = [] if later else self._due(rows, name, queue)
            left = rows[len(due) :] if due else rows
            if due:
                heard = True
                left = self._listeners[name].listen(due) + left
            if left:
                self._rows[name] = left
                self.next_us = min(self.next_us, _arrival(left[0]))
        return heard

    def _hear(self, volley: Volley, queue: EventQueue) -> bool:
        """Let everybody hear a volley, as far as nothing happens before all of it has arrived."""
        last_us, heard = _last(volley), False
        self._volleys.remove(volley)
        for name, places in self._routes.of(volley.flows).places:
            next_us = queue.next_time()
            if (next_us is None or last_us < next_us) and self._listeners[name].hear(volley, places):
                heard = True
            else:
                self._put_rows(name, volley.rows(places))
        return heard

    def _put_rows(self, name: str, rows: list[Row]) -> None:
        """Rows of a volley to one receiver will arrive."""
        rows.sort(key=_arrival)
        self.next_us = min(self.next_us, _arrival(rows[0]))
        waiting = self._rows.setdefault(name, rows)
        if waiting is not rows:
            waiting += rows
            self._mixed.add(name)

    def _due(self, rows: list[Row], name: str, queue: EventQueue) -> list[Row]:
        phase = self._phases[name]
        if queue.is_before(_arrival(rows[-1]), phase=phase, agent=name, rank=RANK):
            return rows
        # in the order of arrival, so it is found without a look at each, of which a swarm has thousands on their way
        first = bisect_left(
            rows,
            True,
            key=lambda row: not queue.is_before(_arrival(row), phase=phase, agent=name, rank=RANK),
        )
        return rows[:first]


def _first(volley: Volley) -> int:
    return min(volley.received_us)  # type: ignore[type-var, return-value]  # nothing of it is lost


def _last(volley: Volley) -> int:
    return max(volley.received_us)  # type: ignore[type-var, return-value]  # nothing of it is lost
