"""What has been streamed and is on its way: heard in bulk when the next thing happens, as of the time of each row.

    Exchange.stream ─▶ rows by receiver ─▶ the next happening of the queue is later ─▶ each receiver hears its rows

Between two happenings nobody looks, so that hearing a row a little later than it arrives changes nothing: the order of
rows at one receiver is that of their arrival, and what a reaction does it does as of that moment.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter

from ...protocols.flow import Row
from .inputs import Arrival
from .queue import KIND_OF_INPUT, PHASE_OF_KIND, EventQueue

Listen = Callable[[list[Row]], list[Row]]
NEVER_US = 1 << 62
RANK = KIND_OF_INPUT[Arrival]
_arrival = attrgetter("received_us")


class Mail:
    """Rows on their way, by receiver; `listeners` hear them in order and give back what they have not taken."""

    def __init__(self, listeners: Mapping[str, Listen], kinds: Mapping[str, str]) -> None:
        """Nothing is on its way."""
        self.next_us = NEVER_US
        self._listeners = listeners
        self._phases = {name: PHASE_OF_KIND.get(kind, 5) for name, kind in kinds.items()}
        self._rows: dict[str, list[Row]] = {}

    def put(self, row: Row, at_us: int) -> None:
        """A row will arrive at a time."""
        waiting = self._rows.get(row.flow.link[1])
        if waiting is None:
            self._rows[row.flow.link[1]] = [row]
        else:
            waiting.append(row)
        self.next_us = min(self.next_us, at_us)

    def deliver(self, queue: EventQueue) -> bool:
        """Let everybody hear what arrives before the queue's next happening; whether there was any."""
        heard = False
        for name in tuple(self._rows):
            rows = self._rows.pop(name)
            if len(rows) > 1:
                rows.sort(key=_arrival)
            due = self._due(rows, name, queue)
            left = rows[len(due) :]
            if due:
                heard = True
                left = self._listeners[name](due) + left
            if left:
                self._rows[name] = left
        self.next_us = min((_arrival(row) for rows in self._rows.values() for row in rows), default=NEVER_US)
        return heard

    def _due(self, rows: list[Row], name: str, queue: EventQueue) -> list[Row]:
        phase = self._phases[name]
        if queue.is_before(_arrival(rows[-1]), phase=phase, agent=name, rank=RANK):
            return rows
        return [row for row in rows if queue.is_before(_arrival(row), phase=phase, agent=name, rank=RANK)]
