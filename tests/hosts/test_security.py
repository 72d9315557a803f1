"""What the generated Mosquitto configuration allows and denies, seen by a plain MQTT client."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiomqtt
import pytest
from brokers import MOSQUITTO, standing

from gridpact.agents.runtime.inputs import Arrival, Send
from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.protocols.envelope import Envelope, Topic
from gridpact.protocols.examples import example
from gridpact.protocols.stages.activation import LIMIT
from gridpact.protocols.wire import from_json, to_json
from gridpact.scenarios.hosting.certificates import Authority
from gridpact.scenarios.hosting.mosquitto import access_rules, write_configuration
from gridpact.scenarios.operation import plants
from gridpact.scenarios.operation.nodes import cast
from gridpact.scenarios.reading.loading import load_scenario

TOPICS = Topics("handful")
GUESSED, KINDS = "guessed", ("password", "certificate")
Connect = Callable[[str], AbstractAsyncContextManager[aiomqtt.Client]]


class Secured:
    """A running, secured broker and its credentials."""

    def __init__(self, address: BrokerAddress, credentials: Path) -> None:
        self.address = address
        self.credentials = credentials

    def client(self, name: str, *, client_id: str | None = None) -> aiomqtt.Client:
        who = Identity.from_folder(name, self.credentials)
        where, context = (self.address.host, self.address.port), who.tls_context()
        return aiomqtt.Client(
            *where, username=name, password=who.password, identifier=client_id, tls_context=context, timeout=60
        )


@pytest.fixture(scope="module")
def brokers_of_both_kinds(tmp_path_factory: pytest.TempPathFactory, handful_text: str) -> Iterator[dict[str, Secured]]:
    """A broker where agents show a password, and one where they show a certificate, for all tests here."""
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed, and the embedded broker asks nobody who he is")
    folder = tmp_path_factory.mktemp("secured")
    (folder / "handful.yaml").write_text(handful_text, "utf-8")
    scenario, found = load_scenario(folder / "handful.yaml"), dict[str, Secured]()
    with contextlib.ExitStack() as stack:
        for kind in KINDS:
            port, own = free_port(), folder / kind
            write_configuration(scenario, own, host="localhost", port=port, by_certificate=kind == "certificate")
            address = stack.enter_context(standing(own / "mosquitto.conf", port))
            found[kind] = Secured(address, own / "credentials")
        yield found


@pytest.fixture(params=KINDS)
def secured(brokers_of_both_kinds: dict[str, Secured], request: pytest.FixtureRequest) -> Secured:
    """Either of them."""
    return brokers_of_both_kinds[request.param]


@pytest.fixture
def with_passwords(brokers_of_both_kinds: dict[str, Secured]) -> Secured:
    return brokers_of_both_kinds["password"]


@pytest.fixture
def certified(brokers_of_both_kinds: dict[str, Secured]) -> Secured:
    return brokers_of_both_kinds["certificate"]


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


async def turned_away(address: BrokerAddress, context: ssl.SSLContext | None, **who: str | None) -> bool:
    """Whether a client does not get in."""
    try:
        async with aiomqtt.Client(address.host, address.port, tls_context=context, timeout=2, **who):  # type: ignore[arg-type]
            return False
    except (aiomqtt.MqttError, ssl.SSLError):
        return True


async def test_nobody_without_a_password_can_do_anything(with_passwords: Secured) -> None:
    address, who = with_passwords.address, Identity.from_folder("bsp-a", with_passwords.credentials)
    tries = {
        "anonymous": (who.tls_context(), None, None),
        "wrong password": (who.tls_context(), "bsp-a", GUESSED),
        "unknown user": (who.tls_context(), "bsp-q", who.password),
        "without TLS": (None, "bsp-a", who.password),
    }
    shut = [turned_away(address, context, username=user, password=word) for context, user, word in tries.values()]
    assert dict(zip(tries, await asyncio.gather(*shut), strict=True)) == dict.fromkeys(tries, True)


async def test_nobody_without_a_certificate_of_the_authority_can_do_anything(
    certified: Secured, tmp_path: Path
) -> None:
    anonymous, foreign = (ssl.create_default_context(cafile=certified.credentials / "ca.crt") for _ in range(2))
    with Authority(tmp_path, tmp_path / "other.crt") as other:
        other.sign_agent("bsp-a", tmp_path / "a.crt", tmp_path / "a.key")
    foreign.load_cert_chain(tmp_path / "a.crt", tmp_path / "a.key")
    tries = {"anonymous": anonymous, "of another authority": foreign, "without TLS": None}
    shut = [turned_away(certified.address, context, username="bsp-a") for context in tries.values()]
    assert dict(zip(tries, await asyncio.gather(*shut), strict=True)) == dict.fromkeys(tries, True)


async def test_with_a_certificate_nobody_is_whom_he_says_but_whom_it_names(certified: Secured) -> None:
    who = Identity.from_folder("bsp-a", certified.credentials)
    address, context = certified.address, who.tls_context()
    posing = aiomqtt.Client(address.host, address.port, username="tso", tls_context=context, timeout=60)
    async with certified.client("bsp-b") as bsp, posing as impostor, certified.client("tso") as tso:
        await bsp.subscribe("gridpact/#", qos=1)
        await impostor.publish(TOPICS.message("tso", "bsp-b"), b"forged", qos=1)
        await tso.publish(TOPICS.message("tso", "bsp-b"), b"own", qos=1)
        assert await heard_until(bsp, b"own") == []


async def test_nobody_ends_the_session_of_another_by_using_its_client_id(secured: Secured) -> None:
    async with secured.client("tso") as tso:
        await tso.subscribe("gridpact/#", qos=1)
        for client_id in ("tso", "handful/tso"):
            async with secured.client("bsp-a", client_id=client_id) as bsp:
                await bsp.publish(TOPICS.message("bsp-a", "tso"), b"own", qos=1)
            assert await heard_until(tso, b"own") == []


async def test_who_leaves_many_messages_unacknowledged_hears_the_roll_all_the_same(with_passwords: Secured) -> None:
    """A host that was killed does so until all are back: the messages before must not keep the roll from it."""
    async with with_passwords.client("tso") as tso, with_passwords.client("bsp-a") as bsp:
        tso._client.manual_ack_set(True)
        await tso.subscribe("gridpact/#", qos=1)
        for number in range(150):
            await bsp.publish(TOPICS.message("bsp-a", "tso"), b"%d" % number, qos=1)
        await tso.publish(TOPICS.roll, b"start", qos=1)
        assert len(await heard_until(tso, b"start")) == 150


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
