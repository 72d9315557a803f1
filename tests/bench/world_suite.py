"""A swarm's messages in mango's own simulated world, and in ours with every check and a record on disk.

    once      cfp ─▶ offer ─▶ acceptance                          between the TSO and each of N participants
    a tick    measurement of each ─▶ TSO, every 10 s              a delay of 50 ms on every message

mango's agents say tuples that nobody validates, checks against a conversation or writes down; theirs is a periodic
task each, ours observes a meter. No grid in either.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mango import Agent as MangoAgent
from mango.simulation.communication import SimpleCommunicationSimulation
from mango.simulation.world import create_world
from measuring import Row as Measured
from measuring import against, in_turn
from talking import END_US, GATE_US, TSO, Quiet, any_scenario, call, offered

from gridpact.agents.actions import Action, Observe, Open, Publish, Say
from gridpact.agents.events import Event, Heard, Sampled, Started
from gridpact.agents.runtime.happenings.queue import EventQueue
from gridpact.agents.runtime.host import World
from gridpact.agents.runtime.messages.exchange import Links
from gridpact.agents.runtime.node import Node
from gridpact.agents.runtime.run import Operation
from gridpact.agents.runtime.studies.laboratory import Laboratory
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Topic
from gridpact.protocols.flow import Row
from gridpact.protocols.information.activation import Measurement, MeasurementSubscription
from gridpact.protocols.information.offering import Acceptance, CallForOffers, Offers
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages import activation, offering
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.operation.plants import nothing
from gridpact.scenarios.record.writer import RunWriter

TICK_S, TICKS, DELAY_S = 10.0, 30, 0.05
US = 1_000_000
TICK_US = 10 * US
METER = "area"  # nobody has a resource here: what is looked at is the area's


def rows(quick: bool = False) -> Iterator[Measured]:
    """Yield the rows of the table; `quick`: few participants."""
    repeats = 1 if quick else 5
    works = {"mango SimulationWorld, no checks": _their_world, "ours, all checks, recorded": _our_world}
    for count in (20,) if quick else (100, 1000):
        words, yardstick_ms = f"{count} participants, {TICKS} ticks", None
        for subject, times in in_turn(works, count, repeats).items():
            row = Measured("world", subject, words, *times, repeats, yardstick_ms)
            yield against(row, at_least=4.0 if count == 1000 and yardstick_ms else None)
            yardstick_ms = times[0]


class TheirTso(MangoAgent):  # type: ignore[misc]
    """Calls for offers, accepts them, and hears measurements."""

    def __init__(self) -> None:
        super().__init__()
        self.people: list[MangoAgent] = []
        self.heard = 0

    def handle_message(self, content: Any, meta: dict[str, Any]) -> None:
        """Accept an offer; count the rest."""
        self.heard += 1
        if content[0] == "offer":
            self.schedule_instant_message(("accepted", content[1]), self.context_address(meta))

    def context_address(self, meta: dict[str, Any]) -> Any:
        """Who has said it."""
        return self.people[int(content_number(meta["sender_id"]))].addr

    def on_ready(self) -> None:
        """Call everybody."""
        for person in self.people:
            self.schedule_instant_message(("cfp", 1.0), person.addr)


def content_number(name: str) -> str:
    """The running number in a participant's name."""
    return name.rpartition("-")[2]


class TheirBsp(MangoAgent):  # type: ignore[misc]
    """Offers when it is called, and measures at every tick."""

    def __init__(self, tso: TheirTso) -> None:
        super().__init__()
        self.tso = tso

    def handle_message(self, content: Any, meta: dict[str, Any]) -> None:
        """Answer a call; an acceptance is only heard."""
        if content[0] == "cfp":
            self.schedule_instant_message(("offer", 1.0, 80.0), self.tso.addr)

    def on_ready(self) -> None:
        """Measure from now on."""
        self.schedule_periodic_task(self.measure, TICK_S)

    async def measure(self) -> None:
        """Say what the meter shows."""
        await self.send_message(("measurement", self.aid, 1.0, 0.0), self.tso.addr)


def _their_world(count: int) -> float:
    """Processor seconds of the whole, agents and all."""
    return asyncio.run(_their_course(count))


async def _their_course(count: int) -> float:
    began = time.process_time()
    world = create_world(
        communication_sim=SimpleCommunicationSimulation(default_delay_s=DELAY_S), record_messages=False
    )
    tso = world.register(TheirTso(), suggested_aid=TSO)
    tso.people = [world.register(TheirBsp(tso), suggested_aid=f"bsp-{number}") for number in range(count)]
    async with world:
        await world.step_until(max_advance_time_s=TICK_S * TICKS - 1)
        if tso.heard < count * TICKS:
            raise AssertionError(f"{tso.heard} messages were heard, not {count * TICKS}")
    return time.process_time() - began


@dataclass(frozen=True)
class OurTso(Quiet):
    """Calls for offers, accepts them, and hears measurements; its state is how many messages it has heard."""

    people: tuple[str, ...] = ()

    def start(self) -> int:
        """Nothing heard."""
        return 0

    def react(self, state: int, event: Event, now_us: int) -> tuple[int, tuple[Action, ...]]:
        """Accept an offer; count the rest."""
        match event:
            case Started():
                return state, tuple(action for name in self.people for action in self._openings(name, now_us))
            case Heard(conversation=talk) if isinstance(event.content, Offers):
                return state + 1, (Say(talk.id, Acceptance(offers=event.content.offers), GATE_US),)
            case Heard():
                return state + 1, ()
            case _:
                return state, ()

    @staticmethod
    def _openings(name: str, now_us: int) -> tuple[Action, ...]:
        ask = MeasurementSubscription(per_point=False, start=now_us, end=END_US)
        about = Topic(TSO, offering.STAGE, "period", "mFRR-up", name)
        watch = Topic(TSO, activation.STAGE, "delivery", "measurements", name)
        opening = Open(offering.OFFERING, about, call(now_us), GATE_US)
        return opening, Open(activation.MEASUREMENTS, watch, ask, GATE_US)

    def overhear(self, state: int, rows: Sequence[Row]) -> tuple[int, int]:
        """Count."""
        return state + len(rows), len(rows)


@dataclass(frozen=True)
class OurBsp(Quiet):
    """Offers when it is called, and measures at every tick; its state is the subscription."""

    def start(self) -> str:
        """Nobody listens."""
        return ""

    def react(self, state: str, event: Event, now_us: int) -> tuple[str, tuple[Action, ...]]:
        """Measure, answer, agree."""
        match event:
            case Sampled():
                return state, (Publish((state,), self._measured(now_us)),)
            case Heard(conversation=talk) if isinstance(event.content, CallForOffers):
                return state, (Say(talk.id, offered(self.name, event.content, now_us), GATE_US),)
            case Heard(conversation=talk) if isinstance(event.content, MeasurementSubscription):
                return talk.id, (Say(talk.id, Agree()), Observe(METER, TICK_US, TICKS * TICK_US - 1))
            case _:
                return state, ()

    def _measured(self, now_us: int) -> Measurement:
        return Measurement(
            participant=self.name,
            measured_at=now_us,
            p_mw=1.0,
            q_mvar=0.0,
            activated_mw=1.0,
            baseline_mw=0.0,
            set_point_mw=1.0,
        )


def _our_world(count: int) -> float:
    """Processor seconds of the whole, agents and files and all."""
    with tempfile.TemporaryDirectory() as folder, RunWriter(any_scenario(), Path(folder) / "run") as writer:
        gc.collect()
        gc.freeze()  # what else stands in this process is none of the cost
        began = time.process_time()
        names = tuple(f"bsp-{number}" for number in range(count))
        people: tuple[Any, ...] = (OurTso(TSO, "TSO", names), *(OurBsp(name, "BSP") for name in names))
        kinds: dict[str, str] = {agent.name: agent.kind for agent in people}
        nodes = [Node(agent, Desk(agent.name, kinds, BUSINESS_USE_CASE)) for agent in people]
        world = World(EventQueue(0), nothing(0), Laboratory({}), writer, journalled=False)
        operation = Operation(nodes, world, Links(1, DELAY_S), kinds, (3_600 * US,), in_bulk=True)
        operation.begin(lambda at_us: None, 0)
        operation.simulate(END_US)
        writer.close()
        took_s = time.process_time() - began
        gc.unfreeze()
    if nodes[0].state < count * (TICKS - 1):
        raise AssertionError(f"{nodes[0].state} messages were heard, not {count * (TICKS - 1)}")
    return took_s
