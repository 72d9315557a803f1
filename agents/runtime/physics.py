"""The physical world of a run: resources move, grids carry what they inject, the area feels the sum.

    resources ─▶ connection points ─▶ GridPlant ─▶ interface deviation ─┐
    transmission-connected resources ───────────────────────────────────┼─▶ Area ─▶ frequency, ACE
    disturbances ───────────────────────────────────────────────────────┘

It is no party: agents read what they may read and move what is theirs. The area's imbalance is the sum of
measured interface deviations from what was scheduled, losses included, not of activated MW. An announced
prequalification test is part of the schedule, so it is no imbalance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...grid.area import Area, AreaReading
from ...grid.plant import GridPlant
from ...grid.resources import Resource
from ...protocols.information.activation import PointPower
from ..actions import Actuate
from ..bsp.reading import ParticipantReading, ResourceReading


class PhysicsError(RuntimeError):
    """An agent reads or moves what is not its own: our bug."""


@dataclass(frozen=True)
class Holding:
    """A resource, who owns it, and the grid it is connected to (None: transmission)."""

    owner: str
    resource: Resource
    grid: str | None


@dataclass
class Physics:
    """All plants of a run, moved together."""

    area: Area
    grids: Mapping[str, GridPlant]
    operators: Mapping[str, str]
    holdings: Mapping[str, Holding]
    now_us: int
    _announced: set[str] = field(default_factory=set)
    _owned: dict[str, list[Holding]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the holdings by owner."""
        for _, holding in sorted(self.holdings.items()):
            self._owned.setdefault(holding.owner, []).append(holding)

    def advance(self, to_us: int) -> None:
        """Move everything to a time."""
        if to_us <= self.now_us:
            return
        deviation_mw = 0.0
        for holding in self.holdings.values():
            holding.resource.advance(to_us)
            if holding.grid is None:
                deviation_mw += holding.resource.power_mw()
            else:
                self._inject(self.grids[holding.grid], holding.resource)
            if holding.resource.id in self._announced:
                deviation_mw -= holding.resource.power_mw()
        for plant in self.grids.values():
            plant.advance(to_us)
            deviation_mw += plant.reference_interface_p_mw(to_us) - plant.solve().interface_p_mw
        self.area.advance(to_us, deviation_mw)
        self.now_us = to_us

    @staticmethod
    def _inject(plant: GridPlant, resource: Resource) -> None:
        for point in resource.points():
            plant.set_point_power(point.name, point.p_mw, point.q_mvar)

    def read(self, agent: str, source: str, at_us: int) -> AreaReading | ParticipantReading | object:
        """What an agent reads of a source: the area, its grid, or its own resources."""
        self.advance(at_us)
        if source.rpartition(":")[2] == "area":  # a plugin's name may stand before it
            return self.area.reading()
        if agent in self.operators:
            return self.grids[self.operators[agent]].readings(at_us)
        return self._own(agent, at_us)

    def _own(self, agent: str, at_us: int) -> ParticipantReading:
        states = [holding.resource.state() for holding in self._owned[agent]]
        baseline_mw = round(sum(state.baseline_mw for state in states), 6)
        activated_mw = round(sum(state.p_mw for state in states), 6)
        points = tuple(
            PointPower(point=point.name, p_mw=point.p_mw, q_mvar=point.q_mvar)
            for holding in self._owned[agent]
            for point in holding.resource.points()
        )
        return ParticipantReading(
            at_us,
            round(baseline_mw + activated_mw, 6),
            round(sum(state.q_mvar for state in states), 6),
            activated_mw,
            baseline_mw,
            tuple(
                ResourceReading(state.id, state.p_mw, state.available_up_mw, state.available_down_mw)
                for state in states
            ),
            points,
        )

    def _own_grid(self, agent: str, target: str) -> GridPlant:
        if agent not in self.operators:
            raise PhysicsError(f"{agent} moves {target}, but operates no grid")
        return self.grids[self.operators[agent]]

    def actuate(self, agent: str, order: Actuate, at_us: int) -> None:
        """Move what is the agent's own: a resource to a change in MW, `taps/…` to a position, `voltage/…` to pu."""
        target = order.target
        if target.startswith("taps/"):
            plant = self._own_grid(agent, target)
            plant.set_tap_target(target.removeprefix("taps/"), int(order.value), at_us)
            return
        if target.startswith("voltage/"):
            self._own_grid(agent, target).set_voltage_target(target.removeprefix("voltage/"), order.value, at_us)
            return
        holding = self.holdings.get(target)
        if holding is None or holding.owner != agent:
            raise PhysicsError(f"{agent} moves {target}, which is not its own")
        (self._announced.add if order.announced else self._announced.discard)(target)
        holding.resource.set_target(order.value, at_us)
