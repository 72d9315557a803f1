"""What is written at every tick: the area, every participant side by side, every grid as it is and as it would be.

`shadow` columns say what would have been had the TSO's orders not been limited: a power flow of the true
grid with the orders that the merit order list alone would have given, fully on.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import compress
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any

import numpy as np

from ...agents.bsp.agent import Bsp
from ...agents.bsp.delivery import METER
from ...agents.dso.agent import Dso
from ...agents.tso.agent import Tso
from .grid_log import GRID, SHADOW, GridLog, Limited, by_grid, own_of, shadow_figures, shadow_of
from .nodes import played_by

if TYPE_CHECKING:
    from ...agents.runtime.memory.recording import Recorder
    from ...agents.runtime.node import Node
    from ...agents.runtime.plants.meters import Meters
    from ...agents.runtime.plants.physics import Physics

Row = dict[str, float]
AREA = ("frequency_hz", "ace_mw", "fcr_mw", "disturbance_mw", "lowest_hz", "highest_hz")
MEASURED = ("p_mw", "q_mvar", "activated_mw", "baseline_mw")
MOST_TICKS, MOST_NUMBERS = 256, 2**22
_state = attrgetter("state")


class Telemetry:
    """Writes one row a tick, and the state of every grid; what has not changed since the last tick is not asked again.

    area, TSO: every tick   agents: who says something else   meters: who has moved   ─▶ places in the row
    rows of many ticks ─▶ the grids' columns, all at once ─▶ recorder
    """

    def __init__(self, nodes: Mapping[str, Node], meters: Meters, recorder: Recorder, *, at_once: bool = False) -> None:
        """The first tick fixes the columns; `at_once`: each tick is written when it happens, because somebody looks."""
        self.nodes, self.meters, self.recorder, self._at_once = nodes, meters, recorder, at_once
        agents = {name: played_by(node)[0] for name, node in sorted(nodes.items())}
        self._tso = {name: nodes[name] for name, agent in agents.items() if isinstance(agent, Tso)}
        self._metered = {name for name, agent in agents.items() if isinstance(agent, Bsp)}
        self._delivering = {
            name: isinstance(agent, Bsp) and agent.profile.product == "aFRR"
            for name, agent in agents.items()
            if isinstance(agent, Bsp | Dso)
        }
        self._quiet = {name: nodes[name] for name in agents if name not in self._tso}
        self._ordered = TsoColumns(self._delivering)
        self._states: list[Any] = [None] * len(self._quiet)
        self._said: dict[str, Mapping[str, float]] = {}
        self._names: tuple[str, ...] = ()
        self._values = array("d")
        self._places: dict[str, slice] = {}
        self._logs = {grid: GridLog(self.physics, grid) for grid in sorted(self.physics.grids)}
        self._rows: list[array[float]] = []
        self._times_us: list[int] = []
        self._most = 1

    @property
    def physics(self) -> Physics:
        """What is read."""
        return self.meters.physics

    def __call__(self, at_us: int) -> None:
        """Take the tick at `at_us`, after everybody has decided."""
        self.physics.advance(at_us)
        if not self._names:
            self._begin(at_us)
        else:
            self._renew(at_us)
        limited = by_grid(self.physics, withheld(self._tso, at_us))
        for grid, log in self._logs.items():
            log.note(limited[grid])
        self._rows.append(self._values[:])
        self._times_us.append(at_us)
        if len(self._times_us) >= self._most:
            self.close()

    def close(self) -> None:
        """Write the ticks that have been taken."""
        times_us, rows = self._times_us, self._rows
        self._times_us, self._rows = [], []
        if not times_us:
            return
        block = np.stack([np.frombuffer(row) for row in rows])
        for grid, log in self._logs.items():
            states, block[:, self._places[f"grid {grid}"]] = log.flush()
            for at_us, row in zip(times_us, states, strict=True):
                self.recorder.state(grid, at_us, log.plant.columns, row)
        for at_us, row in zip(times_us, block, strict=True):
            self.recorder.telemetry(at_us, self._names, row)

    def _begin(self, at_us: int) -> None:
        """Ask everybody for everything, and take note of where it stands."""
        rows = {"area": area_row(self.physics)}
        for name, node in sorted(self.nodes.items()):
            rows[f"agent {name}"] = agent_row(node, self._delivering, at_us)
            if name in self._metered:
                rows[f"meter of {name}"] = meter_row(self.meters, name, at_us)
        limited = by_grid(self.physics, withheld(self._tso, at_us))
        rows |= {f"grid {grid}": grid_row(self.physics, grid, limited[grid]) for grid in sorted(self.physics.grids)}
        first = 0
        for whose, row in rows.items():
            self._places[whose], first = slice(first, first + len(row)), first + len(row)
        self._names = tuple(column for row in rows.values() for column in row)
        self._values = array("d", [value for row in rows.values() for value in row.values()])
        self._most = 1 if self._at_once else self._ticks_at_once()

    def _ticks_at_once(self) -> int:
        """How many ticks wait to be written: bounded, also where a tick has very many numbers."""
        numbers = len(self._names) + sum(4 * len(log.plant.columns) for log in self._logs.values())
        return max(1, min(MOST_TICKS, MOST_NUMBERS // numbers))

    def _renew(self, at_us: int) -> None:
        """Ask whoever may have something else to say."""
        self._set("area", area_values(self.physics))
        for name, node in self._tso.items():
            agent, state = played_by(node)
            assert isinstance(agent, Tso)
            told = agent.telemetry(state).values()
            self._set(f"agent {name}", [*told, *self._ordered.values(agent, state, at_us)])
        states = list(map(_state, self._quiet.values()))
        for name in compress(self._quiet, map(is_not, states, self._states)):
            self._ask(name, self._quiet[name])
        self._states = states
        for name in self.physics.moved():
            if name in self._metered:  # a DSO that operates units shows them as an agent
                self._set(f"meter of {name}", self.meters.read(name, METER, at_us)[1:5])

    def _set(self, whose: str, values: Iterable[float]) -> None:
        self._values[self._places[whose]] = array("d", values)

    def _ask(self, name: str, node: Node) -> None:
        agent, state = played_by(node)
        values = agent.telemetry(state)
        if values and values is not self._said.get(name):
            self._said[name] = values
            self._set(f"agent {name}", values.values())


def area_row(physics: Physics) -> Row:
    """The area as it is now, and its neighbours."""
    names = [*AREA]
    for number, area in enumerate(physics.area.neighbours()):
        names += [*(() if number else ("tie_mw",)), f"{area}.frequency_hz", f"{area}.ace_mw"]
    return dict(zip(names, area_values(physics), strict=True))


def area_values(physics: Physics) -> list[float]:
    """The values of `area_row`."""
    _, frequency_hz, ace_mw, fcr_mw, disturbance_mw, tie_mw = physics.area.reading()
    values = [frequency_hz, ace_mw, fcr_mw, disturbance_mw, *physics.area.extremes_hz()]
    for number, other in enumerate(physics.area.neighbours().values()):
        values += [*(() if number else (tie_mw,)), other.frequency_hz, other.ace_mw]
    return values


def agent_row(node: Node, delivering: Mapping[str, bool], at_us: int) -> Row:
    """What an agent knows of itself; the TSO also the set-point of each of `delivering` in force from now on.

    `delivering`: who may be given a set-point, and whether by the controller of aFRR, whose channel is shown then.
    """
    agent, state = played_by(node)
    values = agent.telemetry(state)
    if not isinstance(agent, Tso):
        return dict(zip(_columns(agent.name, tuple(values)), values.values(), strict=True))
    tso = TsoColumns(delivering)
    return dict(zip((*values, *tso.columns), (*values.values(), *tso.values(agent, state, at_us)), strict=True))


class TsoColumns:
    """What a TSO orders: what limits keep back, everybody's set-point, and the acceptance channels of aFRR."""

    def __init__(self, delivering: Mapping[str, bool]) -> None:
        """`delivering`: as for `agent_row`."""
        self._names = tuple(sorted(delivering))
        regulated = tuple(name for name in self._names if delivering[name])
        self._places = {name: place for place, name in enumerate(self._names)}
        self._channels = {name: 2 * place for place, name in enumerate(regulated)}
        own = ("redispatched_mw", "redispatch_eur_per_h")
        channels = _of_each(regulated, ("channel_low_mw", "channel_high_mw"))
        self.columns = (*own, *_of_each(self._names, ("set_point_mw",)), *channels)

    def values(self, agent: Tso, state: Any, at_us: int) -> list[float]:
        """Return the values of its columns."""
        limited = agent.redispatch(state, at_us)
        ordered, places = [0.0] * len(self._names), self._places
        for participant, power_mw in agent.set_points(state, at_us):
            if power_mw:
                ordered[places[participant]] += power_mw
        rounded = [round(power_mw, 6) + 0.0 if power_mw else 0.0 for power_mw in ordered]
        return [limited.withheld_mw, limited.eur_per_h, *rounded, *self._bounds(agent, state)]

    def _bounds(self, agent: Tso, state: Any) -> list[float]:
        """The channels in their order; those without are no numbers."""
        bounds = [math.nan] * (2 * len(self._channels))
        places = self._channels
        for name, low_mw, high_mw in agent.channels(state):
            place = places[name]
            bounds[place], bounds[place + 1] = low_mw, high_mw
        return bounds


@cache
def _columns(name: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of somebody."""
    return tuple(f"{name}.{key}" for key in keys)


@cache
def _of_each(names: tuple[str, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of several, one after the other."""
    return tuple(column for name in names for column in _columns(name, keys))


def meter_row(meters: Meters, name: str, at_us: int) -> Row:
    """What a participant's meter shows."""
    _, *shown = meters.read(name, METER, at_us)[:5]
    return dict(zip(_columns(name, MEASURED), shown, strict=True))


def withheld(nodes: Mapping[str, Node], at_us: int) -> tuple[tuple[str, float], ...] | None:
    """(resource, signed MW) that limits keep the TSO from ordering; None if the TSO is not among the nodes."""
    for node in nodes.values():
        agent, known = played_by(node)
        if isinstance(agent, Tso):
            return tuple(agent.withheld(known, at_us))
    return None


def grid_row(physics: Physics, grid: str, limited: Limited) -> Row:
    """A grid as it is, and as it would be with what is `limited` (not known: None)."""
    plant = physics.grids[grid]
    state = plant.solve()
    shown = shadow_figures(state)
    losses_mw = float(plant.tabulated([plant.moment()])[2][0])
    values = (state.interface_p_mw, state.interface_q_mvar, *shown[:3], losses_mw, *own_of(plant, state), *shown[3:])
    shadow = shadow_of(physics, grid, limited) or shown
    return dict(zip(_columns(grid, (*GRID, *SHADOW)), (*values, *shadow), strict=True))
