"""What the plants tell and are asked over a network: taken once, at its time, and only when it is in the log.

And what is told of a host that ends before its run does.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gridpact.agents.bsp.reading import ParticipantReading
from gridpact.agents.runtime.inputs import Begin, Reading
from gridpact.agents.runtime.memory.input_log import InputLog
from gridpact.agents.runtime.memory.journal import to_line
from gridpact.agents.runtime.mqtt.address import BrokerAddress
from gridpact.agents.runtime.mqtt.clock import SharedClock
from gridpact.agents.runtime.mqtt.course import Course, Ticks
from gridpact.agents.runtime.mqtt.line import Incoming
from gridpact.agents.runtime.mqtt.memory import Memory
from gridpact.agents.runtime.mqtt.muster import Readiness
from gridpact.agents.runtime.mqtt.past import Past
from gridpact.agents.runtime.mqtt.plants import ActuateAsked, ObserveAsked, PlantService
from gridpact.agents.runtime.mqtt.roll import Presence, Start, said
from gridpact.agents.runtime.mqtt.station import Station
from gridpact.agents.runtime.plants.physics import Holding, Physics
from gridpact.grid.area.area import Area
from gridpact.grid.area.description import AreaDescription
from gridpact.grid.resources.description import Response, UnitDescription
from gridpact.grid.resources.unit import Unit
from gridpact.scenarios.hosting import host
from gridpact.scenarios.hosting.part import PartWriter
from gridpact.scenarios.reading.loading import load_scenario

S = 1_000_000
TICKS = Ticks((S,), lambda at_us: None, lambda at_us: None)
NOWHERE = "mqtt://127.0.0.1:1"
Make = Callable[..., Station]


@pytest.fixture
def make(handful: Path, tmp_path: Path) -> Iterator[Make]:
    """Makes stations that are not connected: of some agents, with a log."""
    scenario = load_scenario(handful)
    with PartWriter(scenario, tmp_path / "part") as writer:

        def made(*agents: str, broker: BrokerAddress | None = None) -> Station:
            memory, terms = Memory(InputLog(), {}, "a run"), host.Terms("handful", str(broker or NOWHERE))
            station, _ = host._station(scenario, host.share(scenario, agents), terms, writer, memory)
            return station

        yield made


async def begin(station: Station, after_s: float = 0.0) -> None:
    """The run has begun here, so many seconds ago."""
    queue = station.world.queue
    queue.now_us += round(after_s * S)
    station._reception.begin(SharedClock(queue.now_us, 1.0, asyncio.get_running_loop().time()))


def reading(station: Station, at_us: int, told: list[int], source: str = "meter") -> Incoming:
    """A reading of `bsp-a` that comes in; when it has been taken, that is told."""
    payload = to_line(Reading(source, ParticipantReading(at_us, 0.0, 0.0, 0.0, 0.0, (), ()))).encode()
    return Incoming(station.network.topics.plant_reading("bsp-a"), payload, lambda: told.append(at_us))


def experienced(station: Station) -> list[tuple[int, str]]:
    assert station.memory is not None
    return [(entry.at_us, entry.text) for entry in station.memory.log.entries("bsp-a")]


def run(queue: Any, until_us: int) -> None:
    while (at_us := queue.next_time()) is not None and at_us <= until_us:
        queue.step()


async def test_a_broker_is_told_that_a_reading_has_been_taken_when_it_is_in_the_log(make: Make) -> None:
    station, told = make("bsp-a"), list[int]()
    await begin(station)
    at_us = station.world.queue.now_us
    station._reception.hear("bsp-a", reading(station, at_us, told))
    assert told == []
    station.world.queue.step()
    assert told == [at_us]
    assert len(experienced(station)) == 1


async def test_a_reading_that_comes_twice_is_experienced_once(make: Make) -> None:
    """Plants that were killed say again what they have said since their last step in the log."""
    station, told = make("bsp-a"), list[int]()
    await begin(station)
    at_us = station.world.queue.now_us
    for each_us in (at_us, at_us + S, at_us, at_us + S, at_us + 2 * S):
        station._reception.hear("bsp-a", reading(station, each_us, told))
    run(station.world.queue, at_us + 2 * S)
    assert [when for when, _ in experienced(station)] == [at_us, at_us + S, at_us + 2 * S]
    assert sorted(told) == [at_us, at_us, at_us + S, at_us + S, at_us + 2 * S]


async def test_a_reading_that_came_before_a_host_goes_on_is_not_experienced_before_what_has_been(make: Make) -> None:
    station, told = make("bsp-a"), list[int]()
    at_us = station.world.queue.now_us
    station._reception.hear("bsp-a", reading(station, at_us + S, told))
    assert station.world.queue.next_time() is None
    await begin(station, after_s=10)
    station.world.queue.step()
    assert [when for when, _ in experienced(station)] == [at_us + 10 * S]


def plants(station: Station) -> PlantService:
    """Plants on the same host, with one unit of `bsp-a`."""
    start_us, unit = station.world.queue.now_us, UnitDescription(id="unit-a", up_mw=2.0)
    holdings = {unit.id: Holding("bsp-a", Unit(unit, Response(), start_us), None)}
    physics = Physics(Area(AreaDescription(), start_us, start_us), {}, {}, holdings, start_us)
    return PlantService(physics, station._send_reading, end_us=station.end_us)


def observing(number: int, source: str, every_s: int, station: Station) -> bytes:
    now_us = station.world.queue.now_us
    asked = ObserveAsked(number=number, at_us=now_us, source=source, every_us=every_s * S, until_us=now_us + 60 * S)
    return asked.model_dump_json().encode()


async def test_an_order_that_came_before_the_plants_go_on_is_carried_out_as_of_the_moment_it_was_given(
    make: Make,
) -> None:
    station = make("bsp-a")
    service = station._reception._service = plants(station)
    start_us = station.world.queue.now_us
    order = ActuateAsked(number=1, at_us=start_us + 7 * S, target="unit-a", value=1.0, announced=False)
    topic, payload = station.network.topics.plant_asked("bsp-a"), order.model_dump_json().encode()
    station._reception.hear("plants", Incoming(topic, payload))
    await begin(station, after_s=10)
    assert service.queue.next_time() == start_us + 7 * S


async def test_whoever_was_killed_with_its_plants_experiences_every_reading_that_it_has_not(make: Make) -> None:
    """It was busy: it has experienced those of the beginning, and the next of the first source, but late."""
    station = make("bsp-a")
    service, memory, start_us = plants(station), station.memory, station.world.queue.now_us
    assert memory is not None
    memory.experienced("bsp-a", start_us, Begin())
    memory.asked("bsp-a", observing(1, "meter", 2, station), start_us, 0)
    memory.asked("bsp-a", observing(2, "availability", 3, station), start_us, 0)
    memory.stepped(start_us + 4 * S, 7)
    for source, of_s, at_s in (("meter", 0, 0), ("availability", 0, 0), ("meter", 2, 4.5)):
        known = Reading(source, ParticipantReading(start_us + of_s * S, 0.0, 0.0, 0.0, 0.0, (), ()))
        memory.experienced("bsp-a", start_us + round(at_s * S), known)
    past = Past(memory, station.hosts, station._dispatch, station.remote, service, keeps=True)
    past.relive(lambda at_us: None)
    station._reception.read_us = past.read_us
    before = len(experienced(station))
    past.go_on(start_us)
    run(station.world.queue, start_us + 4 * S)
    news = [(text.split('"')[7], at_us - start_us) for at_us, text in experienced(station)[before:]]
    assert news == [("availability", 3 * S), ("meter", 4 * S)]


async def test_what_has_waited_for_a_host_that_comes_back_is_not_too_fast_for_it(make: Make) -> None:
    """It comes at once, at the speed of the run; what is refused nobody would say again."""
    station = make("bsp-a")
    assert station.memory is not None
    station.memory.begins(Start(call="first", begin_us=1, speed=60.0), 1)
    course = Course(station.world, TICKS, service=None, memory=station.memory, end_us=station.end_us)
    station._past(course)
    topic = station.network.topics.message("tso", "bsp-a")
    for _ in range(1500):
        station._reception.hear("bsp-a", Incoming(topic, b"{}"))
    assert station._reception.gates["bsp-a"].counts == {"unreadable": 1500}


async def test_what_a_stopped_host_was_doing_is_over_before_its_lines_are_closed(make: Make) -> None:
    over = list[str]()

    async def doing(what: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            over.append(what)

    running = asyncio.create_task(make("bsp-a")._watched(doing("the run"), doing("its standstills")))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert over == ["the run", "its standstills"]


async def test_a_host_that_is_stopped_before_its_run_is_over_says_that_it_is_gone(
    make: Make, broker: BrokerAddress
) -> None:
    """Its line is closed in good order, so the broker says nothing in its place."""
    station = make("bsp-a", broker=broker)
    wanted = Readiness(lead="tso", expected=("tso", "bsp-a"), scenario="one")
    running = asyncio.create_task(station.run(wanted, TICKS))
    async with aiomqtt.Client(broker.host, broker.port) as client, asyncio.timeout(60):
        await client.subscribe(station.network.topics.presence("bsp-a"), qos=1)
        seen = list[str]()
        async for message in client.messages:
            what = said(bytes(message.payload))  # type: ignore[arg-type]
            assert isinstance(what, Presence)
            seen.append(what.state)
            running.cancel()
            if what.state == "gone":
                break
    assert seen == ["here", "gone"]
    with pytest.raises(asyncio.CancelledError):
        await running
