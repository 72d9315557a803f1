"""Run some agents of a scenario on this host, together with the others over a broker.

public scenario + private part ─▶ own nodes, own studies, maybe the plants ─▶ Station ─▶ part of the record
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..description.schema import Scenario
from ..errors import ScenarioError, right_names
from ..extension import plugins
from ..operation import plants, studying
from ..operation.running import physical, refused
from .privacy import digest

if TYPE_CHECKING:
    from ...agents.runtime.host import World
    from ...agents.runtime.mqtt.memory import Memory
    from ...agents.runtime.mqtt.muster import Readiness
    from ...agents.runtime.mqtt.network import Network
    from ...agents.runtime.mqtt.station import Station
    from ..operation.nodes import Cast
    from .part import PartWriter

Progress = Callable[[float], None]
LOG = "inputs.sqlite"


@dataclass(frozen=True)
class Share:
    """What of a scenario runs on one host."""

    agents: tuple[str, ...]
    plants: bool


@dataclass(frozen=True)
class Terms:
    """How hosts find together: which run, how fast (the TSO's host decides), how long to wait, how exact a clock.

    `journal`: the folder in which this host keeps its life, to be taken up by the next one if it is killed.
    """

    run: str
    broker: str
    credentials: Path | None = None
    speed: float = 1.0
    timeout_s: float = 60.0
    clock_tolerance_s: float = 0.05
    journal: Path | None = None


def taking_part(scenario: Scenario) -> tuple[str, ...]:
    """The names of all agents of a run, in the order of the file."""
    acting = {scenario.tso, *scenario.dsos, *scenario.providers}
    return tuple(name for name in scenario.participants if name in acting)


def share(scenario: Scenario, patterns: Iterable[str]) -> Share:
    """The agents whose names match one of the patterns, and the plants if their host is among them.

    ScenarioError for a pattern that matches nobody.
    """
    everybody = taking_part(scenario)
    chosen: set[str] = set()
    for pattern in patterns:
        found = fnmatch.filter(everybody, pattern)
        if not found:
            hint = right_names(pattern, everybody)
            raise ScenarioError(f"--agents {pattern}: nobody in {scenario.name} is called so; {hint}")
        chosen |= set(found)
    agents = tuple(name for name in everybody if name in chosen)
    return Share(agents, plants=plants_host(scenario) in chosen)


def plants_host(scenario: Scenario) -> str:
    """The agent on whose host the plants run."""
    return scenario.hosting.plants or scenario.tso


def check_names(scenario: Scenario, *others: str) -> None:
    """ScenarioError if a participant, or one of some other names, cannot be a name on a broker."""
    from ...agents.runtime.mqtt.topics import PLANTS, TopicError, checked

    try:
        for name in (*taking_part(scenario), *others):
            checked(name)
    except TopicError as error:
        raise ScenarioError(str(error)) from None
    if PLANTS in taking_part(scenario):
        raise ScenarioError(f'"{PLANTS}" is the plants\' own name on a broker; call the participant otherwise')


def run_host(scenario: Scenario, own: Share, terms: Terms, out: Path, progress: Progress | None = None) -> Path:
    """Run a share of a scenario and return the folder of its record.

    Raises ScenarioError, GridError or RecordError as `run` does, and BrokerError if the others cannot be reached.
    """
    from ...grid.engine import single_threaded
    from .part import PartWriter

    began = time.perf_counter()
    if scenario.faults is not None:
        raise ScenarioError("faults: they are for simulated time; a network has its own")
    _network(scenario, terms)
    about = {"agents": list(own.agents), "plants": own.plants, "digest": digest(scenario), "run": terms.run}
    with single_threaded(), _memory(scenario, terms, about) as memory, PartWriter(scenario, out) as writer:
        timing = asyncio.run(_run(scenario, own, terms, writer, memory=memory, progress=progress))
        columns = timing.pop("columns")
        total = {**timing, "total_s": time.perf_counter() - began, "cpu_s": time.process_time()}
        folder = writer.finish_part({**about, "columns": columns}, total)
        if memory is not None:
            memory.finished()
        return folder


@contextlib.contextmanager
def _memory(scenario: Scenario, terms: Terms, about: Mapping[str, object]) -> Iterator[Memory | None]:
    """What this host keeps of its life, if it is to; LogError if it is that of another host or run."""
    from ...agents.runtime.memory.input_log import InputLog
    from ...agents.runtime.mqtt.memory import Memory

    if terms.journal is None:
        yield None
        return
    try:
        terms.journal.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"--journal {terms.journal}: cannot be written: {error.strerror}") from None
    log = InputLog(terms.journal / LOG)
    try:
        yield Memory(log, studying.results(plugins.extensions(scenario)), json.dumps(about, sort_keys=True))
    finally:
        log.close()


async def _run(
    scenario: Scenario,
    own: Share,
    terms: Terms,
    writer: PartWriter,
    *,
    memory: Memory | None,
    progress: Progress | None,
) -> dict[str, Any]:
    from ...agents.runtime.mqtt.course import Ticks
    from ...agents.runtime.plants.meters import Meters
    from .telemetry import PartialTelemetry

    station, everybody = _station(scenario, own, terms, writer, memory)
    nodes = {name: everybody.nodes[name] for name in own.agents}
    regulated = {name for name, provider in scenario.providers.items() if provider.qualify == "aFRR"}
    delivering = {name: name in regulated for name in taking_part(scenario) if name != scenario.tso}
    meters = Meters(station.physics) if station.physics else None
    telemetry = PartialTelemetry(nodes, tuple(sorted(scenario.providers)), delivering, meters, writer)
    ticks = Ticks(scenario.ticks.lengths_us, telemetry.agents, telemetry.plants)
    await station.run(_readiness(scenario, terms), ticks, progress)
    return {
        "realtime": station.timing.summary() if station.timing else {},
        "network": dict(sorted(station.counts.items())),
        "refused": refused(station.refused()),
        "columns": telemetry.columns,
    }


def _readiness(scenario: Scenario, terms: Terms) -> Readiness:
    from ...agents.runtime.mqtt.muster import Readiness
    from ...agents.runtime.mqtt.topics import PLANTS

    return Readiness(
        lead=scenario.tso,
        expected=(*taking_part(scenario), PLANTS),
        scenario=digest(scenario),
        speed=terms.speed,
        timeout_s=terms.timeout_s,
        clock_tolerance_s=terms.clock_tolerance_s,
        waits=scenario.hosting.waits,
    )


def _station(
    scenario: Scenario, own: Share, terms: Terms, writer: PartWriter, memory: Memory | None = None
) -> tuple[Station, Cast]:
    from ...agents.runtime.mqtt.station import Station
    from ..operation.nodes import cast

    made = plants.resources(scenario)
    everybody = cast(scenario, made)
    physics = physical(scenario, made, writer) if own.plants else None
    nodes = [everybody.nodes[name] for name in own.agents]
    studies_here = any(name in scenario.dsos for name in own.agents)
    station = Station(
        nodes,
        _world(scenario, everybody, writer),
        everybody.kinds,
        _network(scenario, terms),
        plants=physics,
        annex=studying.annex(writer.folder, everybody.extensions) if studies_here else None,
        end_us=scenario.time.end_us,
        memory=memory,
    )
    return station, everybody


def _world(scenario: Scenario, everybody: Cast, writer: PartWriter) -> World:
    """What the agents here share; plants are reached by requests, and studies made elsewhere."""
    from ...agents.runtime.happenings.queue import EventQueue
    from ...agents.runtime.host import World

    start_us = scenario.time.start_us
    laboratory = studying.no_laboratory(scenario, everybody.extensions)
    return World(EventQueue(start_us), plants.nothing(start_us), laboratory, writer)


def _network(scenario: Scenario, terms: Terms) -> Network:
    from ...agents.runtime.mqtt.address import BrokerAddress
    from ...agents.runtime.mqtt.gate import Allowance
    from ...agents.runtime.mqtt.network import Network
    from ...agents.runtime.mqtt.topics import Topics

    check_names(scenario, terms.run)
    most = scenario.hosting.limits
    conversations = (most.open_conversations, most.known_conversations)
    allowance = Allowance(most.message_kb * 1024, most.messages_per_s, *conversations, most.inbox)
    return Network(BrokerAddress.parse(terms.broker), Topics(terms.run), terms.credentials, allowance)
