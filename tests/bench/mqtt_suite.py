"""What a message costs over a broker: Mosquitto with TLS and access rules, ours beside plain aiomqtt on the same one.

plain   publish ─▶ broker ─▶ callback, the same bytes each time
ours    desk says ─▶ JSON ─▶ line (outbox) ─▶ broker ─▶ line ─▶ gate ─▶ read and validated ─▶ desk hears

Both ends are in this process, the broker in one of its own; times are of the wall clock. Without Mosquitto: no rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
from measuring import Row, spread

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from brokers import MOSQUITTO, mosquitto

from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.agents.runtime.mqtt.gate import Allowance, Gate
from gridpact.agents.runtime.mqtt.line import Incoming
from gridpact.agents.runtime.mqtt.network import Network
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Topic
from gridpact.protocols.examples import example
from gridpact.protocols.information.activation import Measurement, MeasurementSubscription
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages.activation import MEASUREMENTS
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import to_json
from gridpact.scenarios.hosting.mosquitto import write_configuration
from gridpact.scenarios.reading.loading import load_scenario

TSO, BSP = "tso", "bsp-a"
KINDS = {TSO: "TSO", BSP: "BSP"}
WINDOW = 100  # messages on their way at once, as the broker's `max_inflight_messages`
QUIET = logging.getLogger("bench.mqtt")
Push = Callable[[], None]


@dataclass
class Ear:
    """Counts what has arrived, and waits for more."""

    heard: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self) -> None:
        self.heard += 1
        self._news.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(300):
            while self.heard < count:
                self._news.clear()
                await self._news.wait()


@dataclass(frozen=True)
class Way:
    """One way from the BSP to the TSO: says something, and where it is heard."""

    push: Push
    ear: Ear

    async def burst_ms(self, count: int) -> float:
        """Milliseconds a message, with as many on their way as the broker lets."""
        began, done = time.perf_counter(), self.ear.heard
        for sent in range(count):
            if sent >= WINDOW:
                await self.ear.until(done + sent - WINDOW + 1)
            self.push()
        await self.ear.until(done + count)
        return 1e3 * (time.perf_counter() - began) / count

    async def single_ms(self) -> float:
        """Milliseconds from saying to having heard, with nothing else on its way."""
        began, done = time.perf_counter(), self.ear.heard
        self.push()
        await self.ear.until(done + 1)
        return 1e3 * (time.perf_counter() - began)


def rows(quick: bool = False) -> Iterator[Row]:
    """Yield the rows of the table; `quick`: few messages."""
    if MOSQUITTO is not None:
        yield from asyncio.run(_rows(*((200, 3, 50) if quick else (3000, 7, 1000))))


async def _rows(count: int, repeats: int, singles: int) -> list[Row]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        async with _broker(Path(folder)) as (address, credentials):
            for qos in (1, 0):
                plain = await _measured(_plain(address, credentials, qos), count, repeats, singles)
                ours = await _measured(_ours(address, credentials, qos), count, repeats, singles)
                found += _told(qos, count, plain, ours)
    return found


def _told(qos: int, count: int, plain: tuple[list[float], ...], ours: tuple[list[float], ...]) -> Iterator[Row]:
    kind = "negotiation" if qos else "measurements"
    names = ("aiomqtt, plain", f"gridpact, {kind}: typed, validated, in conversation")
    for name, found, yardstick in zip(names, (plain, ours), (None, plain), strict=True):
        bursts, singles = found
        per_s = 1e3 / spread(bursts)[0]
        work = f"{count} messages, QoS {qos}, TLS, {WINDOW} on their way: {per_s:.0f} messages/s"
        against_ms = spread(yardstick[0])[0] if yardstick else None
        yield Row("mqtt", name, work, *spread(bursts), len(bursts), against_ms)
        for share in (0.5, 0.99):
            told = _percentile(singles, share)
            against_ms = _percentile(yardstick[1], share) if yardstick else None
            work = f"latency of one message, QoS {qos}, TLS: p{100 * share:g}"
            yield Row("mqtt", name, work, told, told, told, len(singles), against_ms)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def _measured(
    opened: contextlib.AbstractAsyncContextManager[Way], count: int, repeats: int, singles: int
) -> tuple[list[float], list[float]]:
    """Times of bursts and of single messages, ms; what comes first warms up."""
    async with opened as way:
        await way.burst_ms(count)
        bursts = [await way.burst_ms(count) for _ in range(repeats)]
        return bursts, [await way.single_ms() for _ in range(singles)]


@contextlib.asynccontextmanager
async def _broker(folder: Path) -> AsyncIterator[tuple[BrokerAddress, Path]]:
    port, scenario = free_port(), load_scenario("conformance")
    write_configuration(scenario, folder / "broker", host="localhost", port=port)
    async with mosquitto(folder / "broker" / "mosquitto.conf", port) as address:
        yield address, folder / "broker" / "credentials"


@contextlib.asynccontextmanager
async def _plain(address: BrokerAddress, credentials: Path, qos: int) -> AsyncIterator[Way]:
    QUIET.setLevel(logging.CRITICAL)
    topic, ear = Topics("conformance").message(BSP, TSO, streamed=not qos), Ear()
    payload, tasks = to_json(_said(_desks()[1], 0)), set[asyncio.Task[None]]()
    async with _client(address, credentials, TSO) as hearer, _client(address, credentials, BSP) as speaker:
        await hearer.subscribe(topic, qos=qos)

        async def listen() -> None:
            async for _ in hearer.messages:
                ear.hear()

        def push() -> None:
            task = asyncio.ensure_future(speaker.publish(topic, payload, qos=qos, timeout=300))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        listening = asyncio.create_task(listen())
        yield Way(push, ear)
        listening.cancel()


def _client(address: BrokerAddress, credentials: Path, name: str) -> aiomqtt.Client:
    who, where = Identity.from_folder(name, credentials), (address.host, address.port)
    context = who.tls_context()
    return aiomqtt.Client(*where, username=name, password=who.password, tls_context=context, logger=QUIET)


def _desks() -> tuple[Desk, Desk]:
    """The TSO's and the BSP's, with a subscription to measurements between them."""
    tso, bsp = (Desk(name, KINDS, BUSINESS_USE_CASE) for name in (TSO, BSP))
    topic = Topic(TSO, MEASUREMENTS.stage, "delivery", "measurements", BSP)
    bsp.hear(tso.open(MEASUREMENTS, topic, example(MeasurementSubscription), reply_by_us=10**15))
    tso.hear(bsp.say(topic.conversation_id, Agree()))
    return tso, bsp


def _said(desk: Desk, number: int):  # type: ignore[no-untyped-def]
    """The next measurement, made anew as an agent makes it."""
    (about,) = desk.conversations
    content = {**dict(CONTENT), "set_point_mw": 1.0 + number % 7}
    return desk.say(about, Measurement(**content))


CONTENT = example(Measurement)


@contextlib.asynccontextmanager
async def _ours(address: BrokerAddress, credentials: Path, qos: int) -> AsyncIterator[Way]:
    network = Network(address, Topics("conformance"), credentials)
    (tso, bsp), ear = _desks(), Ear()
    gate, topic = Gate(tso, Allowance(messages_per_s=1e9)), network.topics.message(BSP, TSO, streamed=not qos)

    def hear(incoming: Incoming) -> None:
        at_s = asyncio.get_running_loop().time()
        envelope = gate.admit(incoming.payload, BSP, waiting=0, at_s=at_s).envelope
        assert envelope is not None
        assert tso.hear(envelope).step is not None
        ear.hear()

    hearer, speaker = network.line(TSO, hear), network.line(BSP, lambda incoming: None)
    hearer.subscriptions = [(topic, qos)]
    await asyncio.gather(hearer.open(), speaker.open())
    numbers = iter(range(10**9))

    def push() -> None:
        payload = to_json(_said(bsp, next(numbers))).encode()
        speaker.send(topic, payload) if qos else speaker.send_fresh(topic, payload)

    yield Way(push, ear)
    await asyncio.gather(hearer.close(), speaker.close())
