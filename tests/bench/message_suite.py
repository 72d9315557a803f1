"""What a message costs: ours – typed, validated, checked against its conversation, recorded – against raw ones.

mango      send in one container, and handle: no type, no validation, no conversation, no record
heap       push and pop of an event, which is the least that anything in simulated time can cost
ours       said ─▶ exchange (delay, order, record) ─▶ queue ─▶ desk ─▶ agent, a fresh message each time
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mango import Agent as MangoAgent
from mango import AgentAddress
from measuring import Row as Measured
from measuring import against, spread

from gridpact.agents.actions import Action, Open, Publish, Say, Wake
from gridpact.agents.events import Event, Heard, Started, Woken
from gridpact.agents.runtime.container import LocalContainer
from gridpact.agents.runtime.exchange import Links
from gridpact.agents.runtime.host import World
from gridpact.agents.runtime.laboratory import Laboratory
from gridpact.agents.runtime.node import Node
from gridpact.agents.runtime.queue import EventQueue
from gridpact.agents.runtime.run import Operation
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Topic
from gridpact.protocols.flow import Row
from gridpact.protocols.information.activation import Measurement, MeasurementSubscription
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages import activation as stage
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.plants import nothing
from gridpact.scenarios.record.writer import RunWriter

BURST, EVERY_US, END_US = 100, 1_000_000, 10**12  # a hundred messages a second of simulated time
TSO, BSP = "tso", "bsp"


def rows(quick: bool = False) -> Iterator[Measured]:
    """Yield the rows of the table; `quick`: few messages."""
    count, repeats = (1_000, 3) if quick else (20_000, 9)
    words = f"{count} messages"
    raw = Measured(
        "messages", "mango, one container", f"{words}, each handled before the next", *_times(_mango, count, repeats)
    )
    yield raw
    yield Measured(
        "messages", "mango, one container", f"{words}, {BURST} at once", *_times(_mango_bursts, count, repeats)
    )
    yield Measured("messages", "event heap, bare", words, *_times(_heap, count, repeats))
    kinds = {
        "typed, validated, checked, recorded": (_recorded, 1.0),
        "the same, not recorded": (_unrecorded, None),
        "one by one, as negotiation goes": (_one_by_one, None),
        "one by one, and journalled": (_journalled, None),
        "of which made and validated": (_made, None),
    }
    for name, (work, reach) in kinds.items():
        row = Measured("messages", "ours", f"{words}, {name}", *_times(work, count, repeats), raw.median_ms)
        yield against(row, at_least=reach)


def _times(work: Callable[[int], float], count: int, repeats: int) -> tuple[float, float, float, int]:
    """Median and quartiles in ms of work that says itself how long it took, in seconds; and how often."""
    work(count // 10)
    return (*spread([1e3 * work(count) for _ in range(repeats)]), repeats)


class Counting(MangoAgent):  # type: ignore[misc]
    """Counts what it is sent, and says when all is there."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left, self.done = count, asyncio.Event()

    def handle_message(self, content: Any, meta: dict[str, Any]) -> None:
        """One more."""
        self.left -= 1
        if not self.left:
            self.done.set()


def _mango(count: int) -> float:
    return asyncio.run(_sent_by_mango(count, 1))


def _mango_bursts(count: int) -> float:
    return asyncio.run(_sent_by_mango(count, BURST))


async def _sent_by_mango(count: int, burst: int) -> float:
    """Seconds from the first message sent to the last one handled; the sender makes room after every `burst`."""
    container = LocalContainer(0.0)
    receiver, sender = container.register(Counting(count)), container.register(Counting(0))
    await container.start()
    container.on_ready()
    address, began = AgentAddress(container.addr, receiver.aid), time.process_time()
    for number in range(count):
        await sender.send_message((BSP, number, 1.0, 0.0), address)
        if number % burst == burst - 1:
            await asyncio.sleep(0)
    await receiver.done.wait()
    took_s = time.process_time() - began
    await container.shutdown()
    return took_s


def _heap(count: int) -> float:
    waiting: list[tuple[int, int, int, Any]] = []
    began = time.process_time()
    for burst in range(count // BURST):
        for number in range(BURST):
            heapq.heappush(waiting, (burst, number * 7919 % BURST, number, None))
        while waiting:
            heapq.heappop(waiting)
    return time.process_time() - began


def _measurement(number: int) -> Measurement:
    p_mw = 0.001 * (number % 1000)
    return Measurement(
        participant=BSP,
        measured_at=number,
        p_mw=p_mw,
        q_mvar=0.0,
        activated_mw=p_mw,
        baseline_mw=0.0,
        set_point_mw=0.0,
    )


def _made(count: int) -> float:
    began = time.process_time()
    for number in range(count):
        _measurement(number)
    return time.process_time() - began


@dataclass(frozen=True)
class Speaker:
    """Publishes a burst of fresh measurements a second, once somebody has subscribed; its state: how many are left."""

    count: int
    name: str = BSP
    kind: str = "BSP"

    def start(self) -> tuple[int, str]:
        """Nothing said."""
        return self.count, ""

    def react(self, state: tuple[int, str], event: Event, now_us: int) -> tuple[tuple[int, str], tuple[Action, ...]]:
        """Agree, and then speak at every second."""
        left, conversation = state
        match event:
            case Heard():
                about = event.conversation.id
                return (left, about), (Say(about, Agree()), Wake("speak", now_us + EVERY_US))
            case Woken() if left:
                said = tuple(Publish((conversation,), _measurement(left - number)) for number in range(BURST))
                return (left - BURST, conversation), (*said, Wake("speak", now_us + EVERY_US))
            case _:
                return state, ()

    def overhear(self, state: tuple[int, str], rows: Sequence[Row]) -> tuple[tuple[int, str], int]:
        """Nothing flows to it."""
        return state, 0

    def telemetry(self, state: object) -> Mapping[str, float]:
        """Nothing."""
        return {}


@dataclass(frozen=True)
class Listener:
    """Subscribes, and counts."""

    name: str = TSO
    kind: str = "TSO"

    def start(self) -> int:
        """Nothing heard."""
        return 0

    def react(self, state: int, event: Event, now_us: int) -> tuple[int, tuple[Action, ...]]:
        """Count."""
        if isinstance(event, Heard):
            return state + (type(event.content) is Measurement), ()
        if isinstance(event, Started):
            ask = MeasurementSubscription(per_point=False, start=now_us, end=now_us + 10**12)
            topic = Topic(TSO, stage.STAGE, "delivery", "measurements", BSP)
            return state, (Open(stage.MEASUREMENTS, topic, ask, now_us + EVERY_US),)
        return state, ()

    def overhear(self, state: int, rows: Sequence[Row]) -> tuple[int, int]:
        """Count."""
        return state + len(rows), len(rows)

    def telemetry(self, state: object) -> Mapping[str, float]:
        """Nothing."""
        return {}


class Unrecorded:
    """Keeps nothing."""

    def nothing(self, *said: object, **known: object) -> None:
        """Forget it."""

    message = stream = flowed = event = telemetry = state = network = journal = nothing


def _recorded(count: int) -> float:
    return _written(count, in_bulk=True)


def _one_by_one(count: int) -> float:
    return _written(count)


def _journalled(count: int) -> float:
    return _written(count, is_journalled=True)


def _unrecorded(count: int) -> float:
    return _conversed(count, Unrecorded(), is_journalled=False, in_bulk=True)


def _written(count: int, *, is_journalled: bool = False, in_bulk: bool = False) -> float:
    """Seconds, with all that is written; the scenario is only there because a record has one."""
    scenario = load_scenario("frequency-trip")
    with tempfile.TemporaryDirectory() as folder, RunWriter(scenario, Path(folder) / "run") as writer:
        took_s = _conversed(count, writer, is_journalled=is_journalled, in_bulk=in_bulk)
        began = time.process_time()
        writer.close()
        return took_s + time.process_time() - began


def _conversed(count: int, recorder: Any, *, is_journalled: bool, in_bulk: bool) -> float:
    """Seconds of a conversation of so many messages: real hosts, desks, queue and exchange."""
    people: tuple[Any, ...] = (Speaker(count), Listener())
    kinds: dict[str, str] = {agent.name: agent.kind for agent in people}
    nodes = [Node(agent, Desk(agent.name, kinds, BUSINESS_USE_CASE)) for agent in people]
    world = World(EventQueue(0), nothing(0), Laboratory({}), recorder, is_journalled)
    operation = Operation(nodes, world, Links(seed=1), kinds, (3_600_000_000,), in_bulk=in_bulk)
    operation.begin(lambda at_us: None, 0)
    gc.collect()
    gc.freeze()  # what else stands in this process is none of the cost
    began = time.process_time()
    operation.simulate(END_US)
    took_s = time.process_time() - began
    gc.unfreeze()
    if nodes[1].state != count:
        raise AssertionError(f"{nodes[1].state} of {count} messages were heard")
    return took_s
