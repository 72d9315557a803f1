"""Hostile input in the middle of a run: bytes, structure, order and names are changed, and nothing comes of it.

    every message of a run ─▶ flipped, cut, mistyped, swollen, misplaced, forged, said again ─▶ gate ─▶ node

What is refused is counted by the gate, or answered with not-understood; neither changes what the agent knows. What a
mutation has left a valid message in turn (another price, from the right party) is no attack, and taken back.
"""

import asyncio
import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from gridpact.agents.runtime.journal import from_line
from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.gate import Allowance, Gate
from gridpact.agents.runtime.mqtt.line import Incoming, Line, Outgoing
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.agents.runtime.node import Arrival, Node, Send
from gridpact.protocols.information.quantities import instant
from gridpact.protocols.messages import NotUnderstood
from gridpact.protocols.wire import to_json
from gridpact.scenarios import plants
from gridpact.scenarios.nodes import cast
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.replaying import Recall

AGENTS = ("bsp-a", "dso-north", "tso")
FEW, MANY = 1500, 40_000  # of each agent
WHEN = 0.7  # of the run has passed
ODD: tuple[Any, ...] = (None, True, -1, 0, 2**70, 1e308, "", "\x00", "é" * 300, [], {}, [[]], {"@": "os.system"}, "NaN")
TOPICS = Topics("fuzz")


class Attack(NamedTuple):
    """What comes in, by the channel of whom, and what was done to it."""

    kind: str
    payload: bytes
    via: str


class Town:
    """All agents at a moment of a run, and every message of negotiation that is ever said to each of them."""

    def __init__(self, record: Run) -> None:
        everybody = cast(record.scenario, plants.resources(record.scenario))
        self.nodes, recall, rows = everybody.nodes, Recall(everybody), list(record.journal_rows())
        self.heard: dict[str, list[tuple[bytes, str]]] = {name: [] for name in self.nodes}
        for number, row in enumerate(rows):
            name, text = row["agent"], json.dumps(row["input"])
            if row["input"]["@"] == "Arrival":
                envelope = from_line(text, self.nodes[name].desk.vocabulary).envelope  # type: ignore[union-attr]
                self.heard[name].append((to_json(envelope).encode(), envelope.sender))
            if number < WHEN * len(rows):
                self.now_us = instant(row["at"])
                recall.keep(self.nodes[name].take(recall.input_of(row), self.now_us))


@pytest.fixture(scope="module")
def town(simulated: Run) -> Town:
    return Town(simulated)


def attacks(heard: list[tuple[bytes, str]], names: tuple[str, ...], dice: random.Random) -> Iterator[Attack]:
    """Without end: messages of the run, each with something done to it."""
    makers = (flipped, cut, noise, mistyped, without, swollen, forged, misplaced, replayed)
    while True:
        payload, via = dice.choice(heard)
        maker = dice.choice(makers)
        changed, channel = maker(payload, via, names, dice)
        yield Attack(maker.__name__, changed, channel)


def flipped(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    changed = bytearray(payload)
    for _ in range(dice.randint(1, 4)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed), via


def cut(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    return payload[: dice.randrange(len(payload))], via


def noise(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    return dice.choice((dice.randbytes(dice.randint(0, 300)), b"[" * dice.randint(1, 9999), b'{"id":"x"}' * 3)), via


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def changed_at(payload: bytes, dice: random.Random, *, drop: bool) -> bytes:
    plain = json.loads(payload)
    *path, last = dice.choice(list(places(plain)))
    inner = plain
    for key in path:
        inner = inner[key]
    if drop:
        del inner[last]
    else:
        inner[last] = dice.choice(ODD)
    return json.dumps(plain).encode()


def mistyped(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    return changed_at(payload, dice, drop=False), via


def without(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    return changed_at(payload, dice, drop=True), via


def swollen(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    return payload + b" " * 20_000, via


def forged(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    """By the channel of another, in the name of whom it was; or in that other's own name."""
    other = dice.choice([name for name in (*names, "nobody") if name != via])
    return dice.choice((payload, payload.replace(f'"{via}"'.encode(), f'"{other}"'.encode()))), other


def misplaced(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    """Under another number, or in another conversation."""
    plain = json.loads(payload)
    about, side = plain["conversation_id"], dice.choice("ir")
    plain["id"] = f"{about}#{side}{dice.choice((0, 1, 2, 7, 999_999_999))}"
    if dice.random() < 0.3:
        plain["conversation_id"] = about.replace("2026", "2027")
    return json.dumps(plain).encode(), via


def replayed(payload: bytes, via: str, names: tuple[str, ...], dice: random.Random) -> tuple[bytes, str]:
    return payload, via


class Target:
    """One agent behind its gate: takes attacks, and tells what became of each."""

    def __init__(self, node: Node, now_us: int, **most: float) -> None:
        self.node, self.now_us = node, now_us
        self.gate = Gate(node.desk, Allowance(message_bytes=15_000, **most))  # type: ignore[arg-type]
        self.counts: Counter[str] = Counter()

    def take(self, attack: Attack, at_s: float) -> None:
        admission = self.gate.admit(attack.payload, attack.via, waiting=0, at_s=at_s)
        if admission.envelope is None:
            self.counts["refused at the gate"] += 1
        else:
            self.counts[self._heard(Arrival(admission.envelope))] += 1

    def _heard(self, arrival: Arrival) -> str:
        node, desk = self.node, self.node.desk
        state, conversations, timers = node.state, dict(desk.conversations), dict(node.timers)
        rounds = {key: set(waiting) for key, waiting in desk.rounds.items()}
        closed = set(desk.closed_rounds)
        effects = node.take(arrival, self.now_us)
        told = [effect for effect in effects if isinstance(effect, Send)]
        if told and isinstance(told[0].envelope.content, NotUnderstood):
            outcome = "not understood"
        elif desk.conversations == conversations:
            outcome = "dropped as heard before"
        else:
            node.state, node.timers, desk.conversations = state, timers, conversations
            desk.rounds, desk.closed_rounds = rounds, closed
            return "a valid message in turn"
        assert len(effects) <= 1
        assert node.state is state
        assert (desk.conversations, desk.rounds, desk.closed_rounds) == (conversations, rounds, closed)
        assert node.timers == timers
        return outcome


def attacked(town: Town, name: str, count: int) -> Target:
    dice = random.Random(f"{name} under attack")  # noqa: S311 - reproducible
    target = Target(town.nodes[name], town.now_us, messages_per_s=1e12)
    stream = attacks(town.heard[name], tuple(town.nodes), dice)
    for number in range(count):
        target.take(next(stream), number * 0.001)
    return target


@pytest.mark.parametrize("name", AGENTS)
def test_hostile_input_changes_nothing_and_is_counted(town: Town, name: str) -> None:
    target = attacked(town, name, FEW)
    assert sum(target.counts.values()) == FEW
    assert target.counts["refused at the gate"] == sum(target.gate.counts.values())
    assert set(target.gate.counts) == {"unreadable", "oversized", "forged", "stranger"}
    assert target.counts["not understood"] > 20
    assert target.counts["dropped as heard before"] > 20
    assert target.counts["a valid message in turn"] < 0.1 * FEW


def test_a_flood_is_taken_only_as_fast_as_is_allowed(town: Town) -> None:
    target = Target(town.nodes["tso"], town.now_us, messages_per_s=10)
    payload, via = town.heard["tso"][0]
    for number in range(1000):
        target.take(Attack("flood", payload, via), number * 0.01)
    assert target.counts["dropped as heard before"] <= 10 * 10 + 10 * 10
    assert target.gate.counts["too fast"] >= 800


async def through_a_broker(town: Town, broker: BrokerAddress, count: int) -> Target:
    """The same over a broker, by parties that have got in; the line lives on."""
    target, loop = Target(town.nodes["tso"], town.now_us, messages_per_s=1e12), asyncio.get_running_loop()
    over = asyncio.Event()

    def hear(incoming: Incoming) -> None:
        address = TOPICS.address(incoming.topic)
        if incoming.payload == b"over":
            over.set()
        elif address is not None:
            target.take(Attack("by a broker", incoming.payload, str(address.sender)), loop.time())

    def line(name: str) -> Line:
        will = Outgoing(TOPICS.presence(name), b"gone")
        return Line(broker, Identity(name), f"fuzz/{name}", hear, will=will)

    hearer, speaker = line("tso"), line("garbage")
    hearer.subscriptions = [(TOPICS.message("+", "tso"), 1)]
    await asyncio.gather(hearer.open(), speaker.open())
    stream = attacks(town.heard["tso"], tuple(town.nodes), random.Random("garbage"))  # noqa: S311 - reproducible
    for number in range(count):
        attack = next(stream)
        speaker.send(TOPICS.message(attack.via, "tso"), attack.payload)
        if number % 500 == 499:
            await asyncio.sleep(0)
            while speaker.waiting > 2000:  # noqa: ASYNC110 - the broker is slower than we
                await asyncio.sleep(0.01)
    speaker.send(TOPICS.message("bsp-a", "tso"), b"over")
    async with asyncio.timeout(60 + count / 200):
        await over.wait()
    await asyncio.gather(hearer.close(), speaker.close())
    return target


async def test_garbage_by_a_broker_harms_nobody(town: Town, broker: BrokerAddress) -> None:
    target = await through_a_broker(town, broker, 300)
    assert sum(target.counts.values()) == 300


@pytest.mark.soak
@pytest.mark.parametrize("name", AGENTS)
def test_a_hundred_thousand_hostile_inputs(town: Town, name: str) -> None:
    attacked(town, name, FEW)
    tracemalloc.start()
    target = attacked(town, name, MANY)
    grown_kb = tracemalloc.get_traced_memory()[0] / 1024
    tracemalloc.stop()
    print(name, dict(target.counts), dict(target.gate.counts), f"{grown_kb:.0f} kB more")  # noqa: T201
    assert sum(target.counts.values()) == MANY
    assert grown_kb < 1024


@pytest.mark.soak
async def test_twenty_thousand_by_a_broker(town: Town, broker: BrokerAddress) -> None:
    target = await through_a_broker(town, broker, 20_000)
    print(dict(target.counts), dict(target.gate.counts))  # noqa: T201
    assert sum(target.counts.values()) == 20_000
