"""Run a scenario: assemble it, drive it, record it.

Scenario ─▶ assembly ─▶ Operation (simulated or real time) ─▶ RunWriter ─▶ Run
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..description.schema import Scenario
from ..errors import ScenarioError
from ..extension import plugins
from ..record.columns import PLANT
from . import assembly, mishaps, plants, studying

if TYPE_CHECKING:
    from ...agents.runtime.happenings.pace import Pace
    from ...agents.runtime.plants.physics import Physics
    from ...agents.runtime.run import Operation
    from ...grid.plant.protection import Incident
    from ..live.sight import Sight
    from ..record.run import Run
    from ..record.writer import RunWriter

Progress = Callable[[float], None]


def run(
    scenario: Scenario,
    *,
    out: Path,
    realtime: bool = False,
    speed: float = 1.0,
    paced_from: str | None = None,
    progress: Progress | None = None,
    sight: Sight | None = None,
) -> Run:
    """Run a scenario and return its record.

    `speed` (simulated seconds per second of wall clock) and `paced_from` (a clock time of the first day, until which
    it goes as fast as it can) count only with `realtime`. `sight` sees the run as it happens.
    Raises ScenarioError or a GridError for a scenario that cannot be run, RecordError for an `out` that is not ours.
    """
    from ...agents.runtime.happenings.pace import Pace
    from ...grid.engine import single_threaded
    from ..record.run import load_run

    began = time.perf_counter()
    if realtime and scenario.faults is not None:
        raise ScenarioError("faults: they are for simulated time; leave --realtime out")
    pace = Pace(_paced_from_us(scenario, paced_from), speed, scenario.ticks.late) if realtime else None
    with single_threaded(), _writer(scenario, out, sight, realtime=realtime) as writer:
        operation = prepare(scenario, writer, pace)
        if sight is not None:
            sight.watch(operation.world.physics.grids)
        assembled = time.perf_counter()
        figures = _drive(operation, writer, pace, progress)
        operation.close()
        run_s = time.perf_counter() - assembled
        simulated_s = (scenario.time.end_us - scenario.time.start_us) / 1e6
        timing: dict[str, Any] = {"assembly_s": assembled - began, "run_s": run_s, "simulated_s": simulated_s}
        figures["refused"] = refused({name: host.node.refused for name, host in operation.hosts.items()})
        if operation.faults is not None:
            figures["faults"] = dict(sorted(operation.faults.counts.items()))
        writer.finish({**timing, "times_real_time": simulated_s / run_s, **figures})
    return load_run(out)


def _writer(scenario: Scenario, out: Path, sight: Sight | None, *, realtime: bool) -> RunWriter:
    from ..record.writer import RunWriter

    if sight is None:
        return RunWriter(scenario, out, realtime=realtime)
    from ..live.sight import WatchedWriter

    return WatchedWriter(scenario, out, sight, realtime=realtime)


def refused(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """How many messages each agent has not taken, by the reason; those who have taken all are left out."""
    return {name: dict(sorted(why.items())) for name, why in sorted(counts.items()) if why}


def _paced_from_us(scenario: Scenario, clock: str | None) -> int:
    """When real time begins."""
    times = scenario.time
    try:
        begin_us = times.start_us if clock is None else times.at_clock(clock)
    except ValueError as error:
        raise ScenarioError(f"real time from {clock}: {error}") from None
    if not times.start_us <= begin_us < times.end_us:
        raise ScenarioError(f"real time from {clock}: this is not between the scenario's start and its end")
    return begin_us


def _drive(operation: Operation, writer: RunWriter, pace: Pace | None, progress: Progress | None) -> dict[str, Any]:
    """Run to the end, in simulated time or by the clock; the figures of real time."""
    until_us = writer.scenario.time.end_us
    if pace is None:
        operation.simulate(until_us, progress)
        return {}
    from ...agents.runtime.happenings.realtime import RealTime

    studied = bool(operation.world.laboratory.studies)
    annex = studying.annex(writer.folder, plugins.extensions(writer.scenario)) if studied else None
    driven = RealTime(operation, pace, annex)
    operation.simulate(pace.start_us - 1)
    asyncio.run(driven.run(until_us, progress))
    return {"realtime": driven.timing.summary()}


def prepare(scenario: Scenario, writer: RunWriter, pace: Pace | None = None) -> Operation:
    """Assemble everything, and begin; `pace`: by the clock, else in simulated time."""
    from ...agents.runtime.happenings.queue import EventQueue
    from ...agents.runtime.happenings.rhythm import Rhythm
    from ...agents.runtime.host import World
    from ...agents.runtime.run import Operation
    from .nodes import cast
    from .telemetry import Telemetry

    made = plants.resources(scenario)
    everybody = cast(scenario, made)
    physics = physical(scenario, made, writer)
    laboratory = studying.laboratory(scenario, made, everybody.extensions)
    rhythm = pace or Rhythm()
    world = World(EventQueue(scenario.time.start_us), physics, laboratory, writer, scenario.journal, rhythm)
    faults = mishaps.faults(scenario)
    in_bulk = pace is None and faults is None and not scenario.journal
    operation = Operation(
        everybody.nodes.values(),
        world,
        assembly.links(scenario),
        everybody.kinds,
        scenario.ticks.lengths_us,
        in_bulk=in_bulk,
        host=mishaps.hosts(scenario, everybody, faults),
        faults=faults,
    )
    telemetry = Telemetry(everybody.nodes, world.meters, writer, at_once=pace is not None or writer.watched)
    operation.at_end.append(telemetry.close)
    operation.begin(telemetry, scenario.time.end_us)
    return operation


def physical(scenario: Scenario, made: plants.Resources, writer: RunWriter) -> Physics:
    """The true world, with its networks in the record, and what happens in them by itself."""
    physics = plants.physics(scenario, made)
    physics.report = partial(_report, writer)
    for grid, plant in physics.grids.items():
        writer.network(grid, plant.network_json())
        writer.notes(grid, plant.model.notes)
    return physics


def _report(writer: RunWriter, grid: str, incident: Incident) -> None:
    """Evidence of what happened in a grid by itself; it is nobody's step."""
    evidence = {"name": incident.name, "grid": grid, "element": incident.element, **incident.figures}
    writer.event(agent=f"{PLANT}{grid}", at_us=incident.at_us, stage="activation", step=None, evidence=evidence)
