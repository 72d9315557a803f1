"""Run a scenario: assemble it, drive it, record it.

Scenario ─▶ assembly ─▶ Operation (simulated or real time) ─▶ RunWriter ─▶ Run
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import assembly, plants
from .schema import Scenario

if TYPE_CHECKING:
    from ..agents.runtime.run import Operation
    from .record.run import Run
    from .record.writer import RunWriter

Progress = Callable[[float], None]


def run(
    scenario: Scenario,
    *,
    out: Path,
    realtime: bool = False,
    speed: float = 1.0,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario and return its record.

    `speed` is simulated seconds per second of wall clock and counts only with `realtime`. Raises
    ScenarioError or a GridError for a scenario that cannot be run, RecordError for an `out` that is not ours.
    """
    from ..grid.engine import single_threaded
    from .record.run import load_run
    from .record.writer import RunWriter

    began = time.perf_counter()
    with single_threaded(), RunWriter(scenario, out) as writer:
        operation = prepare(scenario, writer)
        assembled = time.perf_counter()
        if realtime:
            asyncio.run(operation.keep_pace(scenario.time.end_us, speed, progress))
        else:
            operation.simulate(scenario.time.end_us, progress)
        ended = time.perf_counter()
        timing: dict[str, Any] = {"assembly_s": assembled - began, "run_s": ended - assembled}
        if realtime:
            timing |= {"speed": speed, "lateness": operation.timing.summary()}
        writer.finish(timing)
    return load_run(out)


def prepare(scenario: Scenario, writer: RunWriter) -> Operation:
    """Assemble everything, and begin."""
    from ..agents.runtime.exchange import Links
    from ..agents.runtime.host import World
    from ..agents.runtime.queue import EventQueue
    from ..agents.runtime.run import Operation
    from .nodes import cast
    from .telemetry import Telemetry

    made = plants.resources(scenario)
    everybody = cast(scenario, made)
    physics = plants.physics(scenario, made)
    for grid, plant in physics.grids.items():
        writer.network(grid, plant.network_json())
        writer.notes(grid, plant.model.notes)
    studies = tuple(study for each in everybody.extensions for study in each.studies)
    laboratory = replace(plants.laboratory(scenario, made), added=studies)
    world = World(EventQueue(scenario.time.start_us), physics, laboratory, writer)
    given = scenario.links
    links = Links(scenario.seed, given.delay_median_s, given.delay_sigma, given.loss)
    operation = Operation(everybody.nodes.values(), world, links, everybody.kinds)
    ticks = scenario.ticks
    plant_us = assembly.us(min(ticks.control_s, ticks.measurement_s, ticks.monitoring_s))
    operation.begin(plant_us, Telemetry(everybody.nodes, physics, writer), scenario.time.end_us)
    return operation
