"""Lays a swarm under what a scenario says itself, and takes it away again for the record.

    declared ──expand──▶ complete, ready to run        complete ──undrawn──▶ declared, as it stands in scenario.yaml

Whatever the file gives (a participant of that name, a need, the area's load) stands as given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...agents.market.merit_order import floor_to_step
from ...grid.clock import clock_text
from ...grid.description.grid import GridDescription
from ...protocols.information.quantities import EPOCH, US_PER_S
from ..description.market import Need
from ..description.participants import AggregatorDescription, BspDescription, DsoDescription, Participant, Provider
from ..description.times import microseconds
from . import surroundings
from .description import SwarmDescription
from .drawing import Drawing

if TYPE_CHECKING:
    from ..description.schema import Scenario

TRIGGER = 0.05  # mFRR is ordered when the averaged demand has moved by this share of the need
SETTLE_S = 5  # the swarm applies so long after the start
PROVIDERS = (BspDescription, AggregatorDescription)


@dataclass(frozen=True)
class Drawn:
    """All that a swarm adds to a scenario."""

    grids: Mapping[str, GridDescription]
    participants: Mapping[str, Participant]
    needs: tuple[Need, ...]
    trigger_mw: float
    first_delivery: datetime
    area: Mapping[str, object]


def expand(scenario: Scenario) -> None:
    """Complete a scenario, as it is being validated, by its swarm; without one nothing happens."""
    if scenario.swarm is None:
        return
    drawn = _drawn(scenario, scenario.swarm)
    market, area, time = scenario.market, scenario.area, scenario.time
    missing = {name: value for name, value in drawn.area.items() if name not in area.model_fields_set}
    completed = {
        "grids": {**scenario.grids, **{name: g for name, g in drawn.grids.items() if name not in scenario.grids}},
        "participants": {**scenario.participants, **_absent(drawn, scenario)},
        "area": area.model_copy(update=missing),
    }
    if "needs" not in market.model_fields_set:
        market = market.model_copy(update={"needs": drawn.needs})
    if "trigger_mw" not in market.activation.model_fields_set:
        rules = market.activation.model_copy(update={"trigger_mw": drawn.trigger_mw})
        market = market.model_copy(update={"activation": rules})
    completed["market"] = market
    if time.first_delivery is None:
        completed["time"] = time.model_copy(update={"first_delivery": drawn.first_delivery})
    scenario.__dict__.update(completed)  # it is frozen for everybody else


def undrawn(scenario: Scenario) -> dict[str, Any]:
    """A scenario as plain JSON values without what its swarm draws anyway: what is written down of it."""
    values: dict[str, Any] = scenario.model_dump(mode="json")
    if scenario.swarm is None:
        return values
    drawn = _drawn(scenario, scenario.swarm)
    values["grids"] = _besides(values["grids"], scenario.grids, drawn.grids)
    values["participants"] = _besides(values["participants"], scenario.participants, drawn.participants)
    area = {name: getattr(scenario.area, name) for name in drawn.area}
    values["area"] = _besides(values["area"], area, drawn.area)
    if scenario.market.needs == drawn.needs:
        del values["market"]["needs"]
    if scenario.market.activation.trigger_mw == drawn.trigger_mw:
        del values["market"]["activation"]["trigger_mw"]
    if scenario.time.first_delivery == drawn.first_delivery:
        del values["time"]["first_delivery"]
    return values


def _besides(values: dict[str, Any], complete: Mapping[str, object], drawn: Mapping[str, object]) -> dict[str, Any]:
    """The values of what is not exactly as drawn."""
    return {name: value for name, value in values.items() if name not in drawn or complete[name] != drawn[name]}


def _absent(drawn: Drawn, scenario: Scenario) -> dict[str, Participant]:
    """The drawn participants whom the file does not name, without a second DSO for a grid that has one."""
    operated = {who.grid for who in scenario.participants.values() if isinstance(who, DsoDescription)}
    return {
        name: who
        for name, who in drawn.participants.items()
        if name not in scenario.participants and not (isinstance(who, DsoDescription) and who.grid in operated)
    }


def _drawn(scenario: Scenario, swarm: SwarmDescription) -> Drawn:
    templates, market, time = surroundings.grids(swarm), scenario.market, scenario.time
    opens_us = time.start_us - time.midnight_us + SETTLE_S * US_PER_S
    places = [(name, surroundings.standing(template)) for name, template in templates.items()]
    drawing = Drawing(swarm, market, scenario.seed, opens_us, places)
    providers: dict[str, Participant] = dict(map(drawing.bsp, range(swarm.bsps)))
    providers |= dict(map(drawing.aggregator, range(swarm.aggregators)))
    needed = surroundings.needed_mw(swarm, market, _providers(providers))
    last = clock_text(opens_us + round(swarm.apply_within_min * 60) * US_PER_S)
    reserve = surroundings.reserve(swarm, market, needed, last)
    if reserve is not None:
        providers[surroundings.RESERVE] = reserve
    first = _first_delivery(scenario, _providers({**providers, **scenario.participants}))
    first_us = microseconds(time.first_delivery or first)
    return Drawn(
        grids={name: surroundings.plain_grid(template) for name, template in templates.items()},
        participants={**_dsos(templates), **providers},
        needs=surroundings.needs(swarm, needed),
        trigger_mw=max(market.min_bid_mw, floor_to_step(TRIGGER * max(needed.values()), market.bid_step_mw)),
        first_delivery=first,
        area=surroundings.area(swarm, needed, time, first_us),
    )


def _providers(participants: Mapping[str, Participant]) -> tuple[Provider, ...]:
    return tuple(who for who in participants.values() if isinstance(who, PROVIDERS))


def _dsos(grids: Mapping[str, object]) -> dict[str, Participant]:
    return {name.replace("grid", "dso"): DsoDescription(kind="dso", grid=name) for name in grids}


def _first_delivery(scenario: Scenario, providers: tuple[Provider, ...]) -> datetime:
    """The first market time unit by which all tests can be over and the call for offers be out."""
    from ..description.consistency import WINDOW_S, lanes_s

    time, swarm = scenario.time, scenario.swarm
    assert swarm is not None
    tests_s = max(lanes_s(providers, scenario.market).values(), default=0.0)
    before_s = SETTLE_S + 60 * swarm.apply_within_min + WINDOW_S + tests_s + SETTLE_S
    before_s += 60 * (time.gate_closure_min + time.cfp_lead_min)
    since_us = time.start_us - time.midnight_us + round(before_s * US_PER_S)
    aligned_us = time.midnight_us + -(-since_us // time.period_us) * time.period_us
    return (EPOCH + timedelta(microseconds=aligned_us)).astimezone(time.start.tzinfo)
