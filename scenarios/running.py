"""Run a scenario: assemble it, drive it, record it.

Scenario ─▶ assembly ─▶ Operation (simulated or real time) ─▶ RunWriter ─▶ Run
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import assembly
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
    from ..agents.runtime.node import Node
    from ..agents.runtime.queue import EventQueue
    from ..agents.runtime.run import Operation
    from ..protocols.desk import Desk
    from ..protocols.vocabulary import BUSINESS_USE_CASE
    from .telemetry import Telemetry

    made = assembly.resources(scenario)
    people = assembly.agents(scenario, made)
    kinds = {agent.name: agent.kind for agent in people}
    nodes = {agent.name: Node(agent, Desk(agent.name, kinds, BUSINESS_USE_CASE)) for agent in people}
    physics = assembly.physics(scenario, made)
    for grid, plant in physics.grids.items():
        writer.network(grid, plant.network_json())
    world = World(EventQueue(scenario.time.start_us), physics, assembly.laboratory(scenario, made), writer)
    links = scenario.links
    operation = Operation(
        nodes.values(), world, Links(scenario.seed, links.delay_median_s, links.delay_sigma, links.loss), kinds
    )
    ticks = scenario.ticks
    plant_us = assembly.us(min(ticks.control_s, ticks.measurement_s, ticks.monitoring_s))
    operation.begin(plant_us, Telemetry(nodes, physics, writer), scenario.time.end_us)
    return operation
