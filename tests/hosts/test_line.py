"""A line to a broker that comes and goes: nothing that must arrive is lost, and its order is kept."""

import asyncio
import contextlib
import getpass
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gridpact.agents.errors import BrokerError
from gridpact.agents.runtime.mqtt import line as lines
from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.embedded import embedded_broker, free_port
from gridpact.agents.runtime.mqtt.line import Incoming, Line, Outgoing
from gridpact.agents.runtime.mqtt.muster import Muster, Readiness
from gridpact.agents.runtime.mqtt.roll import said
from gridpact.agents.runtime.mqtt.topics import Topics

TOPICS = Topics("test")


class Ear:
    """Hears on a line, and knows when it has heard enough."""

    def __init__(self) -> None:
        self.heard: list[Incoming] = []
        self._news = asyncio.Event()

    def __call__(self, incoming: Incoming) -> None:
        self.heard.append(incoming)
        self._news.set()

    async def until(self, count: int) -> list[bytes]:
        async with asyncio.timeout(60):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()
        return [each.payload for each in self.heard]


def line(address: BrokerAddress, name: str, ear: Ear, *topics: str) -> Line:
    will = Outgoing(TOPICS.presence(name), b"gone", retain=True)
    made = Line(address, Identity(name), f"test/{name}", ear, will=will)
    made.subscriptions = [(topic, 1) for topic in topics]
    return made


async def test_what_is_said_while_the_broker_is_away_arrives_later_in_order(
    with_mosquitto: None,
    tmp_path: Path,
    brokers,  # type: ignore[no-untyped-def]
) -> None:
    port, settings, ear = free_port(), tmp_path / "open.conf", Ear()
    kept = f"persistence true\npersistence_location {tmp_path}/\nuser {getpass.getuser()}\n"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{kept}", "utf-8")
    topic = TOPICS.message("a", "b")
    async with brokers(settings, port) as address:
        speaker, hearer = line(address, "a", Ear()), line(address, "b", ear, topic)
        await asyncio.gather(speaker.open(), hearer.open())
        speaker.send(topic, b"before")
        await ear.until(1)
    for number in range(5):
        speaker.send(topic, b"%d" % number)
    speaker.send_fresh(topic, b"a measurement")
    async with brokers(settings, port):
        arrived = await ear.until(6)
        await asyncio.gather(speaker.close(), hearer.close())
    assert list(dict.fromkeys(arrived)) == [b"before", b"0", b"1", b"2", b"3", b"4"]
    assert speaker.counts["connections"] == 2
    assert speaker.counts["unsent"] == 0


async def test_somebody_who_vanishes_is_seen_to_be_gone(broker: BrokerAddress) -> None:
    ear = Ear()
    watcher, vanishing = line(broker, "b", ear, TOPICS.presence("a")), line(broker, "a", Ear())
    await asyncio.gather(watcher.open(), vanishing.open())
    assert vanishing._hearing is not None
    vanishing._hearing._paho.socket().shutdown(socket.SHUT_RDWR)  # as if the process had died
    assert await ear.until(1) == [b"gone"]
    await asyncio.gather(watcher.close(), vanishing.close())


async def test_what_our_own_code_does_wrong_with_a_message_ends_the_line_with_that_error(broker: BrokerAddress) -> None:
    def fail(incoming: Incoming) -> None:
        raise ZeroDivisionError(incoming.payload)

    topic = TOPICS.message("a", "b")
    speaker, hearer = line(broker, "a", Ear()), line(broker, "b", fail, topic)  # type: ignore[arg-type]
    await asyncio.gather(speaker.open(), hearer.open())
    speaker.send(topic, b"division")
    with pytest.raises(ZeroDivisionError, match="division"):
        await asyncio.wait_for(hearer.failed(), 60)
    await asyncio.gather(speaker.close(), hearer.close())


async def test_what_goes_wrong_when_something_has_arrived_ends_the_line_with_that_error(broker: BrokerAddress) -> None:
    """A log that takes no more, say: to connect again would not help."""
    speaker = line(broker, "a", Ear())
    speaker._acknowledged = lambda key: {}[key]
    await speaker.open()
    speaker.send(TOPICS.message("a", "b"), b"news", key="the key")
    with pytest.raises(KeyError, match="the key"):
        await asyncio.wait_for(speaker.failed(), 60)
    await speaker.close()


async def test_a_broker_that_is_not_there_is_named() -> None:
    nobody = BrokerAddress("127.0.0.1", free_port(), tls=False)
    with pytest.raises(BrokerError, match=f"127.0.0.1:{nobody.port} fails: .*refused"):
        await line(nobody, "a", Ear()).open()


CONNACK = 4  # bytes


@contextlib.asynccontextmanager
async def forgetful(broker: BrokerAddress, *, answered: int, forgets: int = 1) -> AsyncIterator[BrokerAddress]:
    """A broker that says no more than so many bytes to the first who come, and hears them all."""
    came = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        most = answered if came <= forgets else None
        theirs, ours = await asyncio.open_connection(broker.host, broker.port)

        async def back() -> None:
            said = 0
            while data := await theirs.read(65_536):
                writer.write(data if most is None else data[: max(0, most - said)])
                said += len(data)

        async def forth() -> None:
            while data := await reader.read(65_536):
                ours.write(data)

        await asyncio.wait(
            {asyncio.ensure_future(back()), asyncio.ensure_future(forth())}, return_when="FIRST_COMPLETED"
        )
        writer.close()
        ours.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield BrokerAddress("127.0.0.1", server.sockets[0].getsockname()[1], tls=False)


@pytest.mark.parametrize("answered", [0, CONNACK], ids=["the connection", "the first subscription"])
async def test_a_handshake_that_the_broker_forgets_is_tried_again_in_time(
    broker: BrokerAddress, monkeypatch: pytest.MonkeyPatch, answered: int
) -> None:
    monkeypatch.setattr(lines, "ATTEMPT_S", (0.3, lines.GIVE_UP_S))
    topic, ear = TOPICS.message("a", "b"), Ear()
    async with forgetful(broker, answered=answered) as address:
        speaker, hearer = line(broker, "a", Ear()), line(address, "b", ear, topic)
        await asyncio.gather(speaker.open(), hearer.open(fresh=False))
        speaker.send(topic, b"news")
        assert await ear.until(1) == [b"news"]
        await asyncio.gather(speaker.close(), hearer.close())


async def test_what_the_broker_keeps_for_us_is_dropped_also_if_it_forgets_to_answer(
    broker: BrokerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "ATTEMPT_S", (0.3, lines.GIVE_UP_S))
    async with forgetful(broker, answered=0, forgets=2) as address:
        opened = line(address, "a", Ear())
        await opened.open(fresh=True)
        assert opened.is_connected
        await opened.close()


async def test_the_embedded_broker_forgets_nobody_of_many_who_come_at_once() -> None:
    """amqtt goes through all subscriptions for whoever comes, and others subscribe meanwhile."""
    async with embedded_broker() as address:
        made = [line(address, f"bsp-{number}", Ear()) for number in range(40)]
        for each in made:
            each.greeting = Outgoing(TOPICS.presence(each.identity.name), b"here", retain=True)
            each.subscriptions += [*TOPICS.heard_by(each.identity.name, kept=False), *TOPICS.heard_by_all()]
        turns = asyncio.Semaphore(8)

        async def opened(each: Line) -> None:
            async with turns:
                await each.open()

        await asyncio.gather(*map(opened, made))
        counts = sum((each.counts for each in made), start=Counter())
        await asyncio.gather(*(each.close() for each in made))
    assert counts == {"connections": len(made)}


def readiness(**changes: object) -> Readiness:
    terms = {"lead": "tso", "expected": ("tso", "bsp-a"), "scenario": "one", "timeout_s": 0.4, **changes}
    return Readiness(**terms)  # type: ignore[arg-type]


async def mustered(broker: BrokerAddress, name: str, terms: Readiness) -> tuple[Line, Muster]:
    ear = Ear()
    made = line(broker, name, ear, TOPICS.presence("+"), TOPICS.roll)
    muster = Muster({name: made}, TOPICS, terms)

    def hear(incoming: Incoming) -> None:
        address, what = TOPICS.address(incoming.topic), said(incoming.payload)
        if address is not None and what is not None:
            muster.hear(address.sender, what)

    made._hear = hear
    await made.open()
    return made, muster


async def test_all_get_the_same_beginning(broker: BrokerAddress) -> None:
    terms = readiness(timeout_s=20.0, speed=7.0)
    (one, tso), (two, bsp) = [await mustered(broker, name, terms) for name in ("tso", "bsp-a")]
    starts = await asyncio.gather(tso.gather(), bsp.gather())
    assert starts[0] == starts[1]
    assert starts[0].speed == 7.0
    assert abs(bsp.begin_us(starts[1]) - tso.begin_us(starts[0])) < 1000
    await asyncio.gather(one.close(), two.close())


async def test_who_is_missing_is_named(broker: BrokerAddress) -> None:
    one, tso = await mustered(broker, "tso", readiness())
    with pytest.raises(BrokerError, match=r"within 0.4 s; missing: bsp-a"):
        await tso.gather()
    await one.close()


async def test_a_host_with_another_scenario_is_named_to_all(broker: BrokerAddress) -> None:
    one, tso = await mustered(broker, "tso", readiness(timeout_s=20.0))
    two, bsp = await mustered(broker, "bsp-a", readiness(timeout_s=20.0, scenario="another"))
    results = await asyncio.gather(tso.gather(), bsp.gather(), return_exceptions=True)
    assert [str(result) for result in results] == 2 * ["another public scenario than that of tso is run by: bsp-a"]
    await asyncio.gather(one.close(), two.close())
