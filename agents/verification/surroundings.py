"""What studies and readings may say: free choices from small sets, so that every turn of events is met.

    study of capacity or merit order    all of it ok │ the first limited to half │ nothing of the first
                                        (of a merit order also: it fails)
    taps for demand response            one step may be offered │ none
    monitoring                          fine │ the first order limited to half │ nothing of it may stay on
    area                                the need is met by what is delivered and … │ there is no need
    meters                              resources deliver at once what was last asked of them
                                        (in a prequalification test also: nothing)

The first choice of each is the ordinary one; what leads up to a stage is played with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...grid.area.area import AreaReading
from ...grid.limits.allowing import Activation, Allowed
from ...grid.limits.constraints import Binding
from ...grid.readings import Assessment, Readings
from ...grid.voltage.cvr import TapBlock
from ..actions import RESERVE_TEST, UNITS
from ..agent import Agent
from ..bsp.qualification import TEST_METER
from ..bsp.reading import ParticipantReading, ResourceReading
from ..dso import Dso
from ..dso.own_study import AskOwn, OwnOptions
from ..dso.own_units import TEST
from ..dso.studies import (
    AskTaps,
    Forecast,
    InterfaceForecast,
    Monitor,
    Prequalify,
    TapOptions,
    Transformer,
    Validate,
    Watch,
)
from ..tso.state import TsoState

if TYPE_CHECKING:
    from .actor import Standing

IMPORT_MW, MW_PER_TAP = 10.0, 0.15
BINDING = Binding("line 1", "loading_percent", 120.0, 100.0, "now")
Answer = tuple[object, str | None]


@dataclass(frozen=True)
class Surroundings:
    """What may be read and computed; `needs_mw` are the needs that the area may show, the ordinary one first."""

    needs_mw: tuple[float, ...] = (1.0, 0.0)
    capacity_ways: int = 3
    list_ways: int = 4
    monitor_ways: int = 3
    test_ways: int = 1

    @property
    def bounds(self) -> tuple[str, ...]:
        """What is left to choice, in words."""
        needs = " or ".join(f"{need_mw:g}" for need_mw in self.needs_mw)
        ways = {"capacity": self.capacity_ways, "lists": self.list_ways, "monitoring": self.monitor_ways}
        told = ", ".join(f"of {what} {number}" for what, number in ways.items())
        return f"a need of {needs} MW", f"answers of studies {told}", f"ways of tests {self.test_ways}"

    def results(self, job: object) -> tuple[Answer, ...]:
        """In which ways a study may turn out."""
        match job:
            case Prequalify(activations=activations):
                return _allowed(activations)[: self.capacity_ways]
            case Validate(activations=activations):
                return _allowed(activations)[: self.list_ways]
            case Monitor(ordered=ordered, reserves=reserves):
                return _watches(job, (*reserves, *ordered))[: self.monitor_ways]
            case AskTaps():
                return ((_options(1), None), (_options(0), None))[: 2 if self.list_ways > 1 else 1]
            case AskOwn(units=units):
                return tuple(_own_options(found) for found in _allowed(units.activations))[: self.list_ways]
            case Forecast(at_us=instants):
                return ((tuple(InterfaceForecast("point", at_us, IMPORT_MW, 40.0) for at_us in instants), None),)
        raise TypeError(f"no study is called {type(job).__name__}")

    def readings(self, agent: Agent[Any], source: str, standing: Standing, at_us: int) -> tuple[object, ...]:
        """In which ways a reading may turn out."""
        if source == "area":
            return tuple(_area(standing.state, need_mw, at_us) for need_mw in self.needs_mw)
        applied = dict(standing.seen.applied)
        read = _grid if isinstance(agent, Dso) and not source.startswith(UNITS) else _own
        ways = self.test_ways if source in (TEST_METER, TEST) and any(applied.values()) else 1
        return (read(agent, applied, at_us), read(agent, {}, at_us))[:ways]


def _options(blocks: int) -> TapOptions:
    found = tuple(TapBlock("tr", 1, MW_PER_TAP, 0.0, 0.97, 1.02, 50.0, (number,)) for number in range(1, blocks + 1))
    return TapOptions((Transformer("tr", 0, -9, 9),), found, IMPORT_MW, 1.5, 0.95, 1.05)


def _own_options(found: Answer) -> Answer:
    """One step of the taps, and of the DSO's own units what is allowed of a list."""
    allowed, error = found
    return (None, error) if error else (OwnOptions(_options(1), allowed), None)  # type: ignore[arg-type]


def _allowed(activations: tuple[Activation, ...]) -> tuple[Answer, ...]:
    whole = tuple(Allowed(each.id, each.p_mw, None) for each in activations)
    first = activations[0]
    half = (Allowed(first.id, first.p_mw / 2, BINDING), *whole[1:])
    none = (Allowed(first.id, 0.0, BINDING), *whole[1:])
    return (whole, None), (half, None), (none, None), (None, "no solution")


def _watches(job: Monitor, ordered: tuple[Activation, ...]) -> tuple[Answer, ...]:
    """Fine; or, if anything has been ordered or is kept, the first of it limited to half, or to nothing."""
    freed_mw = MW_PER_TAP * sum(job.readings.taps)
    state = Assessment(job.readings.at_us, "line 1", 50.0, 0.98, 1.02, IMPORT_MW, 1.0, 0.0, (), near=False)
    fine = tuple(Allowed(each.id, each.p_mw, None) for each in ordered) if ordered and job.look else None
    ways: list[Answer] = [(Watch(state, state, fine, freed_mw), None)]
    for share in (0.5, 0.0) if ordered else ():
        first = ordered[0]
        cut = (
            Allowed(first.id, share * first.p_mw, BINDING),
            *(Allowed(each.id, each.p_mw, None) for each in ordered[1:]),
        )
        ways.append((Watch(state, state, cut, freed_mw), None))
    return tuple(ways)


def _area(state: TsoState, need_mw: float, at_us: int) -> AreaReading:
    """The area control error that shows this need beside what the TSO knows to be activated."""
    known_mw = sum(known.activated_mw for _, known in sorted(state.activation.known.items()))
    return AreaReading(at_us, 50.0, round(known_mw - need_mw, 6), 0.0, 0.0)


def _grid(agent: Agent[Any], applied: Mapping[str, float], at_us: int) -> Readings:
    """The import falls with every tap step."""
    position = int(applied.get("taps/tr", 0))
    return Readings(at_us, (), (position,), (("point", IMPORT_MW - MW_PER_TAP * position, 1.0),))


def _own(agent: Agent[Any], applied: Mapping[str, float], at_us: int) -> ParticipantReading:
    found = []
    profile = agent.profile  # type: ignore[attr-defined]
    for resource in profile.units.resources if isinstance(agent, Dso) else profile.resources:
        p_mw = applied.get(resource.id, 0.0) + applied.get(RESERVE_TEST + resource.id, 0.0)
        found.append(ResourceReading(resource.id, p_mw, resource.max_up_mw - p_mw, resource.max_down_mw + p_mw))
    together_mw = round(sum(one.activated_mw for one in found), 6)
    return ParticipantReading(at_us, together_mw, 0.0, together_mw, 0.0, tuple(found), ())
