"""What is seen of a run as it happens: its telemetry, thinned so that any length fits, and how far it is.

    a tick ─▶ every stride-th row is kept; when there are too many, every second goes and the stride doubles

Of many participants only the first are kept each for himself; what all deliver together is kept in any case.
Written by the thread that runs, read by others; a row is complete or not there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...agents.runtime.recording import Values
from ...grid.arrays import Floats
from ..record.writer import RunWriter
from ..schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, MOST_PARTICIPANTS = 600, 60
DELIVERED, UP, DOWN = ".activated_mw", "all.up_mw", "all.down_mw"


class Moment(NamedTuple):
    """One tick: microseconds since the epoch, and values by column."""

    at_us: int
    values: dict[str, float]


class Sight:
    """Telemetry of a run in progress."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.over = False
        self._lock = threading.Lock()
        self._told: tuple[str, ...] = ()  # columns as they come, and those that are kept
        self._names: tuple[str, ...] = ()
        self._kept: list[int] = []
        self._delivered: list[int] = []
        self._times: list[int] = []
        self._rows: list[tuple[float, ...]] = []
        self._last: tuple[int, tuple[float, ...]] | None = None
        self._stride, self._seen = 1, 0

    def see(self, at_us: int, names: Sequence[str], values: Values) -> None:
        """A tick has passed."""
        with self._lock:
            if names is not self._told and tuple(names) != self._told:
                self._choose(tuple(names))
            row = self._row(np.asarray(values, dtype=float))
            self._last = at_us, row
            if self._seen % self._stride == 0:
                self._times.append(at_us)
                self._rows.append(row)
            self._seen += 1
            if len(self._rows) > MOST_ROWS:
                self._times, self._rows, self._stride = self._times[::2], self._rows[::2], 2 * self._stride

    def _choose(self, names: tuple[str, ...]) -> None:
        """Which columns are kept: all of the area and the grids, and of participants the first."""
        people = tuple(self.scenario.participants)
        hidden = frozenset(people[MOST_PARTICIPANTS:])
        self._told = names
        self._kept = [place for place, name in enumerate(names) if name.rpartition(".")[0] not in hidden]
        self._delivered = [place for place, name in enumerate(names) if name.endswith(DELIVERED)]
        self._names = (*(names[place] for place in self._kept), UP, DOWN)
        self._times, self._rows = [], []

    def _row(self, values: Floats) -> tuple[float, ...]:
        delivered = np.nan_to_num(values[self._delivered])
        up_mw, down_mw = delivered.clip(min=0).sum(), (-delivered).clip(min=0).sum() + 0.0
        return (*values[self._kept].tolist(), float(up_mw), float(down_mw))

    def finish(self) -> None:
        """The run is over; nothing more will be seen."""
        self.over = True

    @property
    def ticks(self) -> int:
        """How many ticks have been seen."""
        return self._seen

    @property
    def share(self) -> float:
        """How much of the run has passed, 0 to 1."""
        times, last = self.scenario.time, self._last
        if last is None:
            return 0.0
        return min(1.0, (last[0] - times.start_us) / max(1, times.end_us - times.start_us))

    def last(self) -> Moment | None:
        """The last tick, or None before the first."""
        with self._lock:
            if self._last is None:
                return None
            return Moment(self._last[0], dict(zip(self._names, self._last[1], strict=True)))

    def telemetry(self) -> pd.DataFrame:
        """What is kept, with the last tick, as a run's telemetry has it: column `at` (UTC), and a column each."""
        import pandas as pd

        with self._lock:
            names, times, rows, last = self._names, list(self._times), list(self._rows), self._last
        if last is not None and (not times or times[-1] != last[0]):
            times, rows = [*times, last[0]], [*rows, last[1]]
        table = pd.DataFrame(np.array(rows, dtype=float).reshape(len(rows), len(names)), columns=list(names))
        at = pd.to_datetime(np.array(times, dtype="int64"), unit="us", utc=True)
        return pd.concat([pd.DataFrame({"at": at}), table], axis=1)


class WatchedWriter(RunWriter):
    """Writes a record and lets it be seen."""

    watched = True

    def __init__(self, scenario: Scenario, out: Path, sight: Sight) -> None:
        super().__init__(scenario, out)
        self._sight = sight

    def telemetry(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """One tick of the area and of every participant, by column."""
        super().telemetry(at_us, names, values)
        self._sight.see(at_us, names, values)
