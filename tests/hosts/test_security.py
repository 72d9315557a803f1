"""What the generated Mosquitto configuration allows and denies, seen by a plain MQTT client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiomqtt
import pytest

from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.agents.runtime.node import Arrival, Send
from gridpact.protocols.envelope import Envelope, Topic
from gridpact.protocols.examples import example
from gridpact.protocols.stages.activation import LIMIT
from gridpact.protocols.wire import from_json, to_json
from gridpact.scenarios import plants
from gridpact.scenarios.hosting.mosquitto import access_rules, write_configuration
from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.nodes import cast

TOPICS = Topics("handful")
GUESSED = "guessed"
Connect = Callable[[str], AbstractAsyncContextManager[aiomqtt.Client]]


class Secured:
    """A running, secured broker and its credentials."""

    def __init__(self, address: BrokerAddress, credentials: Path) -> None:
        self.address = address
        self.credentials = credentials

    def client(self, name: str, *, password: str | None = None, anonymous: bool = False) -> aiomqtt.Client:
        who = Identity.from_folder(name, self.credentials)
        user, secret = (None, None) if anonymous else (name, password or who.password)
        context = who.tls_context()
        return aiomqtt.Client(
            self.address.host, self.address.port, username=user, password=secret, tls_context=context, timeout=5
        )


@pytest.fixture
async def secured(with_mosquitto: None, handful: Path, tmp_path: Path, brokers) -> AsyncIterator[Secured]:  # type: ignore[no-untyped-def]
    port, folder = free_port(), tmp_path / "broker"
    write_configuration(load_scenario(handful), folder, host="localhost", port=port)
    async with brokers(folder / "mosquitto.conf", port) as address:
        yield Secured(address, folder / "credentials")


async def heard_until(client: aiomqtt.Client, marker: bytes) -> list[tuple[str, bytes]]:
    """Everything that comes in before a marker."""
    heard: list[tuple[str, bytes]] = []
    async with asyncio.timeout(60):
        async for message in client.messages:
            if message.payload == marker:
                break
            heard.append((message.topic.value, bytes(message.payload)))
    return heard


async def test_a_bsp_cannot_publish_as_another_agent(secured: Secured) -> None:
    async with secured.client("tso") as tso, secured.client("plants") as plant, secured.client("bsp-a") as bsp:
        await tso.subscribe("gridpact/#", qos=1)
        await plant.subscribe("gridpact/#", qos=1)
        for speaker in ("bsp-b", "dso-north", "tso"):
            await bsp.publish(TOPICS.message(speaker, "tso"), b"forged", qos=1)
            await bsp.publish(TOPICS.message(speaker, "tso", streamed=True), b"forged", qos=1)
            await bsp.publish(TOPICS.plant_asked(speaker), b"forged", qos=1)
            await bsp.publish(TOPICS.presence(speaker), b"forged", qos=1)
        await bsp.publish(TOPICS.plant_reading("tso"), b"forged", qos=1)
        await bsp.publish(TOPICS.roll, b"forged", qos=1)
        await bsp.publish(TOPICS.message("bsp-a", "tso"), b"own", qos=1)
        await bsp.publish(TOPICS.plant_asked("bsp-a"), b"own", qos=1)
        assert await heard_until(tso, b"own") == []
        assert await heard_until(plant, b"own") == []


async def test_a_bsp_cannot_read_what_others_are_told_or_say(secured: Secured) -> None:
    async with secured.client("bsp-b") as spy, secured.client("bsp-a") as bsp, secured.client("tso") as tso:
        for everything in ("#", "gridpact/#", "gridpact/+/to/+/from/+", TOPICS.message("+", "tso")):
            await spy.subscribe(everything, qos=1)
        await bsp.publish(TOPICS.message("bsp-a", "tso"), b"an offer", qos=1)
        await bsp.publish(TOPICS.message("bsp-a", "tso", streamed=True), b"a measurement", qos=1)
        await tso.publish(TOPICS.message("tso", "bsp-a"), b"an acceptance", qos=1)
        await bsp.publish(TOPICS.message("bsp-a", "bsp-b"), b"an arrangement between rivals", qos=1)
        await tso.publish(TOPICS.message("tso", "bsp-b"), b"own", qos=1)
        assert await heard_until(spy, b"own") == []


@pytest.mark.parametrize("how", ["anonymous", "wrong password", "without TLS"])
async def test_nobody_without_credentials_can_do_anything(secured: Secured, how: str) -> None:
    if how == "without TLS":
        client = aiomqtt.Client(secured.address.host, secured.address.port, timeout=2)
    else:
        client = secured.client("bsp-a", anonymous=how == "anonymous", password=GUESSED)
    with pytest.raises(aiomqtt.MqttError):
        async with client:
            pass


async def test_a_certificate_is_an_identity_too(
    with_mosquitto: None,
    handful: Path,
    tmp_path: Path,
    brokers,  # type: ignore[no-untyped-def]
) -> None:
    port, folder = free_port(), tmp_path / "broker"
    write_configuration(load_scenario(handful), folder, host="localhost", port=port, by_certificate=True)
    async with brokers(folder / "mosquitto.conf", port) as address:
        secured = Secured(address, folder / "credentials")
        async with secured.client("tso") as tso, secured.client("bsp-a") as bsp:
            await tso.subscribe("gridpact/#", qos=1)
            await bsp.publish(TOPICS.message("bsp-b", "tso"), b"forged", qos=1)
            await bsp.publish(TOPICS.message("bsp-a", "tso"), b"own", qos=1)
            assert await heard_until(tso, b"own") == []


async def test_a_limit_request_of_a_bsp_reaches_the_tso_and_changes_nothing(secured: Secured, handful: Path) -> None:
    """INFO 8 in its own name: the broker lets it pass, for it cannot read it; the TSO's desk knows who may say what."""
    scenario = load_scenario(handful)
    node = cast(scenario, plants.resources(scenario)).nodes["tso"]
    before = node.state
    async with secured.client("tso") as tso, secured.client("bsp-a") as bsp:
        await tso.subscribe(TOPICS.message("+", "tso"), qos=1)
        await bsp.publish(TOPICS.message("bsp-a", "tso"), to_json(limit_request("bsp-a")), qos=1)
        async with asyncio.timeout(60):
            message = await anext(aiter(tso.messages))
    envelope = from_json(bytes(message.payload), node.desk.vocabulary)
    (answer,) = node.take(Arrival(envelope), 0)
    assert isinstance(answer, Send)
    assert "may not take the role DSO" in str(answer.envelope.content)
    assert (node.state, node.desk.conversations) == (before, {})


def limit_request(sender: str) -> Envelope:
    topic = Topic(sender, LIMIT.stage, "20260302T1100Z", "limit-1", "tso")
    content = example(LIMIT.steps[0].message)
    about = topic.conversation_id
    return Envelope(f"{about}#i0", sender, "tso", LIMIT.name, about, content, reply_by_us=10**15)


def test_no_rule_lets_an_agent_write_in_the_name_of_another(handful: Path) -> None:
    user = ""
    for line in access_rules(load_scenario(handful)):
        kind, _, rest = line.partition(" ")
        if kind == "user":
            user = rest
        elif "write" in rest:
            own = (f"/from/{user}", f"/presence/{user}", f"/{user}/to/+", *(["/roll"] if user == "tso" else []))
            assert rest.endswith(own), line
