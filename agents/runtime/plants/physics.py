"""The physical world of a run: resources move, grids carry what they inject, the area feels the sum.

    resources ─▶ connection points ─▶ GridPlant ─▶ interface deviation ─┐
       ▲     transmission-connected resources ──────────────────────────┼─▶ Area ─▶ frequency, ACE
       │                                                 disturbances ──┘    │
       └───────────── local frequency control (FCR), in sub-steps ◀──────────┘

It is no party: agents read what they may read and move what is theirs. The area's imbalance is the sum of
measured interface deviations from what was scheduled, losses included, not of activated MW. An announced
prequalification test is part of the schedule, so it is no imbalance. Containment reserve of providers moves with the
frequency between two ticks, so the area adds it itself: it is left out of the deviation, and acts on the connection
points from the tick on that it has reached. A resource at rest costs nothing until something is asked of it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ....grid.area.area import Area, AreaReading
from ....grid.area.containment import Droop
from ....grid.plant.plant import GridPlant
from ....grid.plant.protection import Incident
from ....grid.resources.outage import is_lost, metered
from ....grid.resources.park import Parks
from ....grid.resources.pool import Pool
from ....grid.resources.resource import PointPower, Resource, ResourceState
from ...actions import RESERVE, RESERVE_TEST, TAPS, UNITS, VOLTAGE, Actuate
from ...bsp.reading import ParticipantReading
from .metering import reading_of

Report = Callable[[str, Incident], None]
Metered = tuple[ResourceState, tuple[PointPower, ...]]


def _is_same(shown: Metered, before: Metered) -> bool:
    """Whether a resource shows the very same as before."""
    return shown[0] is before[0] and shown[1] is before[1]


class PhysicsError(RuntimeError):
    """An agent reads or moves what is not its own: our bug."""


@dataclass(frozen=True)
class LocalControl:
    """How a resource answers the frequency: full at this deviation, nothing within its dead band."""

    full_deviation_hz: float
    dead_band_hz: float

    def droop(self, resource: Resource, mw: float, tested_mw: float | None) -> Droop:
        """With `mw` of reserve; under test it sees the deviation to which `tested_mw` (+ up) is the full answer."""
        state, agility = resource.state(), resource.agility
        synthetic_hz = None if tested_mw is None else math.copysign(self.full_deviation_hz, -tested_mw)
        return Droop(
            mw / (self.full_deviation_hz - self.dead_band_hz),
            min(mw, state.available_up_mw),
            min(mw, state.available_down_mw),
            self.dead_band_hz,
            agility.lag_s,
            agility.rate_mw_per_s,
            synthetic_hz if tested_mw else tested_mw,
        )


@dataclass(frozen=True)
class Holding:
    """A resource, who owns it, the grid it is connected to (None: transmission), and its local frequency control."""

    owner: str
    resource: Resource
    grid: str | None
    control: LocalControl | None = None


@dataclass
class Physics:
    """All plants of a run, moved together."""

    area: Area
    grids: Mapping[str, GridPlant]
    operators: Mapping[str, str]
    holdings: Mapping[str, Holding]
    now_us: int
    report: Report = lambda grid, incident: None
    _announced: set[str] = field(default_factory=set)
    _reserves: dict[str, tuple[float, float | None]] = field(default_factory=dict)  # awarded MW, MW under test
    _owned: dict[str, list[Holding]] = field(default_factory=dict)
    _injected: dict[str, tuple[object, ...]] = field(default_factory=dict)  # points as they stand in the grid
    _known: dict[str, ParticipantReading] = field(default_factory=dict)  # what meters show, while nothing moves
    _read: dict[str, tuple[list[Metered], ParticipantReading]] = field(default_factory=dict)  # the last, and of what
    _moving: dict[str, None] = field(default_factory=dict)  # resources that are not at rest
    _moved: dict[str, None] = field(default_factory=dict)
    _beside_mw: dict[str, float] = field(default_factory=dict)
    _parks: Parks = field(default_factory=Parks)

    def __post_init__(self) -> None:
        """Sort the holdings by owner; whether they are at rest is seen at the first tick."""
        for _, holding in sorted(self.holdings.items()):
            self._owned.setdefault(holding.owner, []).append(holding)
        self._moving = dict.fromkeys(self.holdings)

    def advance(self, to_us: int) -> None:
        """Move everything to a time.

        What resources do has changed in a straight line since the last time; profiles, taps and protection step.
        """
        if to_us <= self.now_us:
            return
        self._set_reserves()
        self._move(to_us)
        beside_mw = sum(self._beside_mw.values())
        reached_mw = beside_mw + sum([self._deviation_mw(plant, self.now_us) for plant in self.grids.values()])
        for plant in self.grids.values():
            plant.advance(to_us)
            self._protect(plant, to_us)
        stepped_mw = beside_mw + sum([self._deviation_mw(plant, to_us) for plant in self.grids.values()])
        self.area.advance(to_us, reached_mw)
        if stepped_mw != reached_mw:
            self.area.advance(to_us, stepped_mw)
        self._contain()
        self.now_us = to_us

    def _move(self, to_us: int) -> None:
        """Let resources go on, those at rest excepted; whoever has come to rest is left alone from now on."""
        moving = [(name, self.holdings[name]) for name in self._moving]
        self._parks.advance([each.resource for _, each in moving if isinstance(each.resource, Pool)], to_us)
        for name, holding in moving:
            holding.resource.advance(to_us)
            self._beside_mw[name] = self._beside_grid_mw(holding)
            self._forget(holding.owner)
            if holding.resource.at_rest and name not in self._reserves:
                del self._moving[name]

    def _forget(self, owner: str) -> None:
        self._known.pop(owner, None)
        self._moved[owner] = None

    def moved(self) -> tuple[str, ...]:
        """Whose meters may show something else than when this was last asked."""
        moved, self._moved = tuple(self._moved), {}
        return moved

    def _stir(self, holding: Holding) -> None:
        """Something is asked of a resource, so it moves, and its owner's meters show something else."""
        self._forget(holding.owner)
        self._moving[holding.resource.id] = None

    @staticmethod
    def _deviation_mw(plant: GridPlant, scheduled_us: int) -> float:
        """By how much a grid draws less than was scheduled for an instant."""
        return plant.untouched.scheduled_interface_p_mw(scheduled_us) - plant.solve().interface_p_mw

    def close(self) -> None:
        """The run is over: what goes on in the grids is reported as far as it has come."""
        for grid, plant in self.grids.items():
            for incident in plant.close():
                self.report(grid, incident)

    def _protect(self, plant: GridPlant, at_us: int) -> None:
        """What protection takes out of service is lost: a resource without supply stops, and starts from rest later."""
        before = plant.lost_points
        for incident in plant.protect():
            self.report(plant.grid_id, incident)
        if plant.lost_points != before:
            for holding in self.holdings.values():
                if holding.grid == plant.grid_id:
                    self._stir(holding)
                if self._is_lost(holding):
                    holding.resource.set_target(0.0, at_us)

    def _lost(self, holding: Holding) -> frozenset[str]:
        """The connection points without supply in the grid of a resource."""
        return frozenset() if holding.grid is None else self.grids[holding.grid].lost_points

    def _is_lost(self, holding: Holding) -> bool:
        return is_lost(holding.resource, self._lost(holding))

    def _beside_grid_mw(self, holding: Holding) -> float:
        """What a resource adds to the deviation that its grid's interface does not show, or should not have shown."""
        resource = holding.resource
        counted_mw = -resource.contained_mw
        if holding.grid is None:
            counted_mw += resource.power_mw()
        else:
            self._inject(self.grids[holding.grid], resource)
        if resource.id in self._announced:
            counted_mw -= resource.power_mw() - resource.contained_mw
        return counted_mw

    def _set_reserves(self) -> None:
        """Reserves within what their resources have left, which falls as storages run empty; none without supply."""
        for name, (mw, tested_mw) in self._reserves.items():
            holding = self.holdings[name]
            assert holding.control is not None
            own = (0.0, None) if self._is_lost(holding) else (mw, tested_mw)
            self.area.set_reserve(name, holding.control.droop(holding.resource, *own))

    def _contain(self) -> None:
        """What the frequency has made of the reserves acts on their connection points."""
        for name, mw in self.area.reserves_mw().items():
            holding = self.holdings[name]
            if mw != holding.resource.contained_mw:
                holding.resource.contain(mw)
                if holding.grid is not None:
                    self._inject(self.grids[holding.grid], holding.resource)

    def _inject(self, plant: GridPlant, resource: Resource) -> None:
        points = resource.points()
        if points is not self._injected.get(resource.id):
            self._injected[resource.id] = points
            for point in points:
                plant.set_point_power(point.name, point.p_mw, point.q_mvar)

    def read(self, agent: str, source: str, at_us: int) -> AreaReading | ParticipantReading | object:
        """What an agent reads of a source: the area, its grid, or its own resources.

        A participant that looks between two ticks moves its own resources only; the world does not depend on who looks.
        """
        if source.rpartition(":")[2] == "area":  # a plugin's name may stand before it
            self.advance(at_us)
            return self.area.reading()
        if agent in self.operators and not source.startswith(UNITS):
            self.advance(at_us)
            return self.grids[self.operators[agent]].readings(at_us)
        return self.read_own(agent, at_us)

    def read_own(self, agent: str, at_us: int) -> ParticipantReading:
        """What a participant reads of its own resources."""
        known = self._known.get(agent)
        if known is not None:
            return ParticipantReading(at_us, *known[1:])
        if at_us > self.now_us and self._is_armed(agent):  # moves with everything else, by the frequency
            self.advance(at_us)
        return self._own(agent, at_us)

    def _is_armed(self, agent: str) -> bool:
        """Whether a participant keeps containment reserve."""
        return bool(self._reserves) and any(one.resource.id in self._reserves for one in self._owned[agent])

    def at_rest(self, agent: str) -> ParticipantReading | None:
        """What a participant's meters show as long as nothing of its own moves; None while something does."""
        return self._known.get(agent)

    def _own(self, agent: str, at_us: int) -> ParticipantReading:
        own = self._owned[agent]
        if at_us > self.now_us:
            for holding in own:
                holding.resource.advance(at_us)
        reading = self._shown_by(agent, [metered(holding.resource, self._lost(holding)) for holding in own], at_us)
        if not any(holding.resource.id in self._moving for holding in own):
            self._known[agent] = reading
        return reading

    def _shown_by(self, agent: str, shown: list[Metered], at_us: int) -> ParticipantReading:
        """What all of its resources show together: as before, if each shows the very same."""
        last = self._read.get(agent)
        if last is not None and all(map(_is_same, shown, last[0])):
            return ParticipantReading(at_us, *last[1][1:])
        reading = reading_of(tuple(shown), at_us)
        self._read[agent] = shown, reading
        return reading

    def _own_grid(self, agent: str, target: str) -> GridPlant:
        if agent not in self.operators:
            raise PhysicsError(f"{agent} moves {target}, but operates no grid")
        return self.grids[self.operators[agent]]

    def actuate(self, agent: str, order: Actuate, at_us: int) -> None:
        """Move what is the agent's own: a resource to a change in MW, `taps/…` to a position, `voltage/…` to pu."""
        target = order.target
        if target.startswith(TAPS):
            self._own_grid(agent, target).set_tap_target(target.removeprefix(TAPS), int(order.value), at_us)
        elif target.startswith(VOLTAGE):
            self._own_grid(agent, target).set_voltage_target(target.removeprefix(VOLTAGE), order.value, at_us)
        elif target.startswith((RESERVE, RESERVE_TEST)):
            self._arm(agent, target, order.value, at_us)
        else:
            holding = self._held_by(agent, target)
            if not self._is_lost(holding):
                (self._announced.add if order.announced else self._announced.discard)(target)
                self._stir(holding)
                holding.resource.set_target(order.value, at_us)

    def _held_by(self, agent: str, name: str) -> Holding:
        holding = self.holdings.get(name)
        if holding is None or holding.owner != agent:
            raise PhysicsError(f"{agent} moves {name}, which is not its own")
        return holding

    def _arm(self, agent: str, target: str, mw: float, at_us: int) -> None:
        """Set what a resource keeps as reserve, or test it: then it answers a synthetic frequency (0 MW: none)."""
        kind, _, name = target.partition("/")
        holding = self._held_by(agent, name)
        if holding.control is None:
            raise PhysicsError(f"{agent} moves {target}, but {name} has no local frequency control")
        self.advance(at_us)
        self._stir(holding)
        self._reserves[name] = (abs(mw), mw if f"{kind}/" == RESERVE_TEST else None)
