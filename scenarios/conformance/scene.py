"""The world around a DSO that is tried: its grid as it really is, and the units of the BSPs in it.

script ── moves ─▶ plants ─▶ readings ─▶ the DSO that is tried        measurements of the BSPs go the same way
                     └▶ what is violated, tick by tick, which only the script sees
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...agents.calendar import US_PER_MIN
from ...protocols.vocabulary import Vocabulary
from ..description.schema import Scenario
from ..operation import plants

if TYPE_CHECKING:
    from ...agents.runtime.mqtt.clock import InStep, SharedClock
    from ...grid.resources.resource import Resource
    from .play import Play

US_PER_H = 60 * US_PER_MIN


class Look(NamedTuple):
    """What is violated in the grid at a tick: (element, kind, value, limit) of each, the worst first."""

    at_us: int
    violated: tuple[tuple[str, str, float, float], ...]


@dataclass
class Unit:
    """A BSP's unit: what it is to give, and the energy of what it has told."""

    owner: str
    resource: Resource
    p_mw: float = 0.0
    told_mwh: float = 0.0

    def points(self) -> tuple[tuple[str, float], ...]:
        """Its connection points with their shares."""
        return plants.shares(self.resource)


@dataclass
class Scene:
    """Plants and units; nothing moves before `begin`."""

    scenario: Scenario
    grid: str
    vocabulary: Vocabulary
    looks: list[Look] = field(default_factory=list)
    _in_step: list[InStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build the grid and everybody's units. Raises as `plants.physics` does."""
        from ...agents.runtime.mqtt.plants import PlantService, RemotePlants

        made = plants.resources(self.scenario)
        owners = [name for name, who in self.scenario.providers.items() if who.grid == self.grid]
        self.units = {name: Unit(name, made.by_provider[name][0]) for name in owners}
        self.studies = plants.laboratory(self.scenario, made).studies[self.grid]
        self._physics = plants.physics(self.scenario, made)
        self._plant = self._physics.grids[self.grid]
        self.service = PlantService(self._physics, lambda agent, payload: None, end_us=self.scenario.time.end_us)
        self._remote = RemotePlants(lambda agent, payload: None, self.vocabulary)

    def begin(self, play: Play, clock: SharedClock) -> InStep:
        """Begin with the run; the DSO hears readings on the plants' line. To be run until the end."""
        from ...agents.runtime.happenings.timing import Timing
        from ...agents.runtime.mqtt.clock import InStep, LaggingClock
        from ...agents.runtime.mqtt.plants import LAG_S
        from ...agents.runtime.mqtt.topics import PLANTS

        def tell(agent: str, payload: bytes) -> None:
            if agent == play.participant:
                play.lines[PLANTS].send_fresh(play.topics.plant_reading(agent), payload)

        self.service.send = tell
        self.service.tick(self.scenario.ticks.lengths_us, self._look)
        self._remote.send = lambda agent, payload: self.ask(agent, payload, play.now_us)
        tick_s = min(self.scenario.ticks.lengths_us) / 1e6
        self._in_step.append(InStep(self.service.queue, LaggingClock(clock, LAG_S), Timing(tick_s, clock.speed, "")))
        return self._in_step[0]

    def ask(self, agent: str, payload: bytes, now_us: int) -> None:
        """Somebody asks something of the plants."""
        self.service.hear(agent, payload, now_us)
        for each in self._in_step:
            each.wake()

    def move(self, name: str, p_mw: float, at_us: int) -> None:
        """A BSP lets its unit give so much."""
        from ...agents.actions import Actuate

        unit = self.units[name]
        unit.p_mw = p_mw
        self._remote.actuate(name, Actuate(unit.resource.id, p_mw, False), at_us)

    def activated_mw(self, name: str, at_us: int) -> float:
        """What a BSP's unit gives now."""
        return self._physics.read_own(name, max(at_us, self._physics.now_us)).activated_mw

    def _look(self, at_us: int) -> None:
        found = self._plant.solve().violations
        self.looks.append(Look(at_us, tuple((one.element, one.kind, one.value, one.limit) for one in found)))
