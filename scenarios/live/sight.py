"""What is seen of a run as it happens: its market, its grids, and its telemetry.

    a tick ─▶ Course (of many only some are kept)               the last one in any case
    a plant's solved state ─▶ the last one of each grid         messages, events ─▶ Market

Of many participants only the first are kept each for himself; what all deliver together is kept in any case.
Written by the thread that runs, read by others; a row is complete or not there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...agents.runtime.memory.recording import Values
from ...grid.arrays import Floats
from ..description.schema import Scenario
from ..record.cells import moment, plain
from ..record.messages import message_row
from ..record.writer import RunWriter
from .course import Course, frame
from .market import SEEN, Market

if TYPE_CHECKING:
    import pandas as pd

    from ...agents.runtime.memory.recording import Sent
    from ...grid.moments.one_line import OneLine
    from ...grid.plant.plant import GridPlant
    from ...grid.plant.state import PlantState

MOST_PARTICIPANTS, BEFORE_US = 60, 300_000_000
DELIVERED, UP, DOWN = ".activated_mw", "all.up_mw", "all.down_mw"


class Moment(NamedTuple):
    """One tick: microseconds since the epoch, and values by column."""

    at_us: int
    values: dict[str, float]


class GridMoment(NamedTuple):
    """A grid as its plant has solved it last, and the positions of the branches that are out of service."""

    state: PlantState
    out: tuple[int, ...]


class Sight:
    """What is seen of a run in progress; `drawn`: its grids too, as diagrams."""

    def __init__(self, scenario: Scenario, *, drawn: bool = False) -> None:
        self.scenario = scenario
        self.over = False
        self.market = Market()
        self.diagrams: dict[str, OneLine] = {}
        self.grids: dict[str, GridMoment] = {}
        self._drawn = drawn
        self._plants: Mapping[str, GridPlant] = {}
        self._lock = threading.Lock()
        self._told: tuple[str, ...] = ()  # columns as they come, and those that are kept
        self._course = Course(())
        self._kept: list[int] = []
        self._delivered: list[int] = []
        self._last: tuple[int, Floats] | None = None
        self._seen = 0

    def see(self, at_us: int, names: Sequence[str], values: Values) -> None:
        """A tick has passed."""
        self._look()
        with self._lock:
            if names is not self._told and tuple(names) != self._told:
                self._choose(tuple(names))
            if self._last is not None and self._last[0] < self._shown_from_us <= at_us:
                self._course.begin_anew()
            self._last = at_us, self._row(np.asarray(values, dtype=float))
            self._course.add(*self._last)
            self._seen += 1

    @property
    def _shown_from_us(self) -> int:
        """Once deliveries are near, what was long before them is not shown any more."""
        return self.scenario.time.first_delivery_us - BEFORE_US

    def network(self, grid: str, text: str) -> None:
        """A grid has been built: its diagram, from its pandapower JSON."""
        if self._drawn:
            from ...grid.moments.one_line import one_line

            self.diagrams[grid] = one_line(text, (), grid)

    def watch(self, plants: Mapping[str, GridPlant]) -> None:
        """From now on the states of these plants are seen with every tick."""
        self._plants = plants if self._drawn else {}

    def _look(self) -> None:
        """Take the states that the plants have solved for this tick; a state is never changed again."""
        for grid, plant in self._plants.items():
            state = plant.solve()
            if grid not in self.grids or self.grids[grid].state is not state:
                names = plant.model.ratings.branches
                self.grids[grid] = GridMoment(state, tuple(names.index(name) for name in plant.out_of_service))

    def _choose(self, names: tuple[str, ...]) -> None:
        """Which columns are kept: all of the area and the grids, and of participants the first."""
        people = tuple(self.scenario.participants)
        hidden = frozenset(people[MOST_PARTICIPANTS:])
        self._told = names
        self._kept = [place for place, name in enumerate(names) if name.rpartition(".")[0] not in hidden]
        self._delivered = [place for place, name in enumerate(names) if name.endswith(DELIVERED)]
        self._course = Course((*(names[place] for place in self._kept), UP, DOWN))

    def _row(self, values: Floats) -> Floats:
        delivered = np.nan_to_num(values[self._delivered])
        up_mw, down_mw = delivered.clip(min=0).sum(), (-delivered).clip(min=0).sum() + 0.0
        return np.concatenate([values[self._kept], [up_mw, down_mw]])

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
            return Moment(self._last[0], dict(zip(self._course.names, self._last[1].tolist(), strict=True)))

    def telemetry(self) -> pd.DataFrame:
        """What is kept, with the last tick, as a run's telemetry has it: column `at` (UTC), and a column each."""
        with self._lock:
            names, (times, rows), last = self._course.names, self._course.copied(), self._last
        if last is not None and (not times or times[-1] != last[0]):
            times, rows = [*times, last[0]], [*rows, last[1]]
        return frame(names, times, rows)


class WatchedWriter(RunWriter):
    """Writes a record and lets it be seen."""

    watched = True

    def __init__(self, scenario: Scenario, out: Path, sight: Sight, *, realtime: bool = False) -> None:
        super().__init__(scenario, out, realtime=realtime)
        self._sight = sight

    def message(self, sent: Sent) -> None:
        """A negotiation message, in the order of sending."""
        super().message(sent)
        if sent.envelope.content.type_id in SEEN:
            self._sight.market.message(message_row(sent))

    def event(self, *, agent: str, at_us: int, stage: str, step: str | None, evidence: Mapping[str, object]) -> None:
        """A step without a message, with its evidence."""
        super().event(agent=agent, at_us=at_us, stage=stage, step=step, evidence=evidence)
        if "entries" in evidence:
            row = {"agent": agent, "at": moment(at_us), "stage": stage, "step": step, "evidence": plain(evidence)}
            self._sight.market.event(row)

    def network(self, grid: str, json_text: str) -> None:
        """A grid's pandapower network, once."""
        super().network(grid, json_text)
        self._sight.network(grid, json_text)

    def telemetry(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """One tick of the area and of every participant, by column."""
        super().telemetry(at_us, names, values)
        self._sight.see(at_us, names, values)
