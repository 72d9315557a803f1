"""A station behind a real Mosquitto with the generated configuration, and an outsider with valid credentials.

    bsp-x (plain MQTT client) ═══ Mosquitto, TLS, access rules ═══ station: TSO, DSO, all other BSPs, plants

The outsider takes part in the run – it answers the roll – and then publishes whatever it can think of.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import resource
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiomqtt
from attacks import CONTENTS
from brokers import mosquitto
from mischief import encoded, spoilt_bytes, spoilt_value
from payloads import lawful, payload, valid_messages

from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.clock import wall_us
from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.agents.runtime.mqtt.plants import ActuateAsked, ObserveAsked
from gridpact.agents.runtime.mqtt.roll import Call, Presence, Start, said, to_bytes
from gridpact.agents.runtime.mqtt.station import Station, Ticks
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.protocols.envelope import Envelope, Topic
from gridpact.protocols.information.capacity import Application
from gridpact.protocols.stages.prequalification import PREQUALIFICATION
from gridpact.protocols.wire import to_json
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.hosting import host
from gridpact.scenarios.hosting.mosquitto import write_configuration
from gridpact.scenarios.hosting.part import PartWriter
from gridpact.scenarios.hosting.privacy import digest
from gridpact.scenarios.reading.loading import load_scenario

OUTSIDER = "bsp-x"
BESIEGED = """\
gridpact: 1
name: besieged
extends: scenario-1-dso
time: {start: "2026-03-02T08:00:00+01:00"}
hosting: {limits: {message_kb: 64, messages_per_s: 1000000}}
participants:
  bsp-x: {kind: bsp, grid: transmission, units: [{id: unit-x, up_mw: 1.0}]}
"""
WINDOW = 200
AT_THE_DOOR = 20
MOST_BYTES = 60_000  # the broker ends the connection of who sends more than is allowed
NO_TLS_SHAKE = b"\x10\x16\x00\x04MQTT\x04\x02\x00<\x00\x0aoutsider-1"  # a CONNECT without credentials


@dataclass
class Siege:
    """What is besieged, and what has been sent."""

    scenario: Scenario
    station: Station
    address: BrokerAddress
    credentials: Path
    client: aiomqtt.Client
    topics: Topics
    running: asyncio.Task[None]
    sent: Counter[str] = field(default_factory=Counter)
    answers: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    hearing: asyncio.Task[None] | None = None

    def refused(self) -> int:
        """How many negotiation messages have been counted as refused."""
        return sum(counts.total() for counts in self.station.refused().values())

    async def settled(self) -> None:
        """Until all that was sent and may arrive has been counted."""
        async with asyncio.timeout(60):
            while self.refused() < self.sent["to agents"]:
                if self.running.done():
                    self.running.result()
                await asyncio.sleep(0.01)  # what is refused is told to nobody

    def states(self) -> dict[str, object]:
        """What everybody knows and promises."""
        return {name: (one.node.state, dict(one.node.desk.conversations)) for name, one in self.station.hosts.items()}

    async def storm(self, seed: int, count: int) -> None:
        """So many payloads on any topic, in windows that the broker can hold."""
        choice, bases = Random(seed), valid_messages()  # noqa: S311 - seeded, not secret
        for begin in range(0, count, WINDOW):
            await asyncio.gather(*(self._one(choice, bases) for _ in range(min(WINDOW, count - begin))))
            await self.settled()

    async def _one(self, choice: Random, bases: list[dict[str, object]]) -> None:
        kind = choice.choice(("agents",) * 12 + ("others", "plants", "presence", "roll"))
        if kind == "agents":
            await self._to_agents(choice, bases)
            return
        text, topic = self._elsewhere(choice, kind)
        if len(text) <= MOST_BYTES:
            await self.client.publish(topic, text, qos=1)
            self.sent[f"on topics of {kind}"] += 1

    async def _to_agents(self, choice: Random, bases: list[dict[str, object]]) -> None:
        """Spoilt messages on its own topics; what would be in order is left out, for it may change something."""
        receiver, text = choice.choice(("tso", "tso", "dso-north")), payload(choice, bases, OUTSIDER)
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            given = json.loads(text)
            if given["sender"] == OUTSIDER and lawful(text, OUTSIDER, receiver) is None:
                return
        if len(text) > MOST_BYTES:
            return
        streamed = choice.random() < 0.1
        self.sent["to agents"] += 1
        await self.client.publish(self.topics.message(OUTSIDER, receiver, streamed=streamed), text, qos=1)

    def _elsewhere(self, choice: Random, kind: str) -> tuple[bytes, str]:
        """Something for the plants, the muster or nobody, and its topic."""
        if kind == "plants":
            return _request(choice), self.topics.plant_asked(OUTSIDER)
        if kind == "presence":
            here = Presence(state="gone", call="x", number=3, clock_us=5, scenario="y")
            return _spoilt(choice, to_bytes(here)), self.topics.presence(OUTSIDER)
        start = _spoilt(choice, to_bytes(Start(call="x", begin_us=1, speed=1000.0)))
        if kind == "roll":
            return start, self.topics.roll
        name = choice.choice(("dso-north", "bsp-a", "tso", "plants"))
        return start, choice.choice(
            (self.topics.message(name, "tso"), self.topics.plant_asked(name), "x/y", "gridpact")
        )

    async def knock(self, seed: int, count: int) -> None:
        """So many connections that speak no TLS, no MQTT, or neither."""
        choice = Random(seed)  # noqa: S311 - seeded, not secret
        context = Identity.from_folder(OUTSIDER, self.credentials).tls_context()
        said = [spoilt_bytes(choice, NO_TLS_SHAKE) for _ in range(count)]
        for begin in range(0, count, AT_THE_DOOR):
            numbers = range(begin, min(begin + AT_THE_DOOR, count))
            await asyncio.gather(*(_knock(self.address, context if n % 2 else None, said[n]) for n in numbers))
            self.sent["connections"] += len(numbers)


async def _knock(address: BrokerAddress, context: ssl.SSLContext | None, text: bytes) -> None:
    with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
        await _speak(address, context, text)


async def _speak(address: BrokerAddress, context: ssl.SSLContext | None, text: bytes) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    try:
        writer.write(text)
        writer.write_eof() if writer.can_write_eof() else writer.write(b"\x00" * 64)
        await asyncio.wait_for(reader.read(64), 2)
    except TimeoutError:
        pass  # the broker waits for the rest of a packet; we do not
    finally:
        writer.close()


def _spoilt(choice: Random, text: bytes) -> bytes:
    return spoilt_bytes(choice, text) if choice.random() < 0.5 else encoded(spoilt_value(choice, json.loads(text)))


def _request(choice: Random) -> bytes:
    """A request to the plants, for what is not its own or is none."""
    order = ActuateAsked(number=choice.randrange(2**40), at_us=0, target="unit-a", value=2.5, announced=False)
    wish = ObserveAsked(
        number=choice.randrange(2**40), at_us=0, source="availability-x", every_us=10**6, until_us=2**60
    )
    text = json.dumps(choice.choice((order, wish)).model_dump()).encode()
    return _spoilt(choice, text) if choice.random() < 0.8 else text


@contextlib.asynccontextmanager
async def siege(folder: Path) -> AsyncIterator[Siege]:
    """Everything runs; the outsider is connected, and nothing of the run's own is going on."""
    (folder / "besieged.yaml").write_text(BESIEGED, "utf-8")
    scenario = load_scenario(folder / "besieged.yaml")
    port, configuration = free_port(), folder / "broker"
    write_configuration(scenario, configuration, host="localhost", port=port)
    own = host.Share(tuple(name for name in host.taking_part(scenario) if name != OUTSIDER), plants=True)
    async with mosquitto(configuration / "mosquitto.conf", port) as address:
        terms = host.Terms(scenario.name, str(address), configuration / "credentials", timeout_s=60)
        with PartWriter(scenario, folder / "part") as writer:
            station, _ = host._station(scenario, own, terms, writer, None)
            begun = asyncio.Event()
            ticks = Ticks((1_000_000,), lambda at_us: begun.set(), lambda at_us: None)
            running = asyncio.create_task(station.run(host._readiness(scenario, terms), ticks))
            async with _outsider(address, terms) as client:
                where = (address, configuration / "credentials", client, Topics(scenario.name))
                found = Siege(scenario, station, *where, running)
                hearing = found.hearing = asyncio.create_task(_listen(found, digest(scenario)))
                await _first(begun.wait(), running)
                yield found
                assert not running.done(), running
                hearing.cancel()
            running.cancel()
            await asyncio.gather(running, hearing, return_exceptions=True)


async def _first(wanted: Awaitable[object], running: asyncio.Task[None]) -> None:
    waiting = asyncio.ensure_future(wanted)
    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()


def _outsider(address: BrokerAddress, terms: host.Terms) -> aiomqtt.Client:
    who = Identity.from_folder(OUTSIDER, terms.credentials)
    context = who.tls_context()
    quiet = logging.getLogger("besieger")
    quiet.setLevel(logging.CRITICAL)  # so much is published at once that it would warn a hundred thousand times
    where = (address.host, address.port)
    return aiomqtt.Client(*where, username=who.name, password=who.password, tls_context=context, logger=quiet)


async def _listen(found: Siege, scenario: str) -> None:
    """Answer the roll, and keep what is said to us."""
    client, topics = found.client, found.topics
    for topic, qos in (*topics.heard_by(OUTSIDER), (topics.roll, 1)):
        await client.subscribe(topic, qos=qos)
    async for message in client.messages:
        call = said(bytes(message.payload)) if message.topic.value == topics.roll else None
        if isinstance(call, Call):
            here = Presence(state="here", call=call.call, number=call.number, clock_us=wall_us(), scenario=scenario)
            await client.publish(topics.presence(OUTSIDER), to_bytes(here), qos=1)
        elif call is None:
            found.answers.put_nowait(bytes(message.payload))


def application(scenario: Scenario) -> bytes:
    """The outsider's honest application, which is taken if all is well."""
    content = CONTENTS[Application].model_copy(update={"applicant": OUTSIDER})
    about = Topic(OUTSIDER, PREQUALIFICATION.stage, "application", "mFRR", "tso").conversation_id
    reply_by_us = scenario.time.first_delivery_us
    names = (OUTSIDER, "tso", PREQUALIFICATION.name, about)
    return to_json(Envelope(f"{about}#i0", *names, content, reply_by_us=reply_by_us)).encode()


def memory_mb() -> float:
    """The most memory that this process has had so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
