"""Two agents of ours that talk: a subscription of fresh measurements, or call, offer and acceptance again and again.

    Speaker  Agree, then a hundred Measurements a second ─▶ Listener
    Caller   CallForOffers ─▶ Answerer: Offers ─▶ Caller: Acceptance          a hundred of each a second

Hosts, desks, queue, exchange and record are the real ones; there is no grid.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from raw_messages import BURST

from gridpact.agents.actions import Action, Open, Publish, Say, Wake
from gridpact.agents.events import Event, Heard, Started, Woken
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
from gridpact.protocols.information.offering import Acceptance, CallForOffers, Offer, Offers
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages import activation, offering
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.operation.plants import nothing
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.writer import RunWriter

EVERY_US, END_US = 1_000_000, 10**12
GATE_US = 300 * EVERY_US
TSO, BSP = "tso", "bsp"


def measurement(number: int) -> Measurement:
    """A fresh one, of values that change."""
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


def call(now_us: int) -> CallForOffers:
    """What the TSO asks for."""
    return CallForOffers(
        product="mFRR",
        direction="up",
        need_mw=1.0,
        min_quantity_mw=0.1,
        quantity_step_mw=0.1,
        delivery_start=now_us + GATE_US,
        delivery_end=now_us + 4 * GATE_US,
    )


def offered(name: str, asked: CallForOffers, now_us: int) -> Offers:
    """What a participant answers."""
    offer = Offer(
        offer_id=f"{name}.1",
        participant=name,
        session="period",
        product=asked.product,
        direction=asked.direction,
        quantity_mw=1.0,
        min_quantity_mw=1.0,
        divisible=True,
        price_eur_per_mwh=80.0,
        delivery_start=asked.delivery_start,
        delivery_end=asked.delivery_end,
        grid="north",
        resource=name,
        submitted_at=now_us,
    )
    return Offers(offers=(offer,))


@dataclass(frozen=True)
class Quiet:
    """What agents have that show nothing and hear no flows."""

    name: str
    kind: str

    def overhear(self, state: Any, rows: Sequence[Row]) -> tuple[Any, int]:
        """Nothing flows to it."""
        return state, 0

    def telemetry(self, state: object) -> Mapping[str, float]:
        """Nothing."""
        return {}


@dataclass(frozen=True)
class Speaker(Quiet):
    """Publishes a burst of fresh measurements a second, once somebody has subscribed; its state: how many are left."""

    count: int = 0

    def start(self) -> tuple[int, str]:
        """Nothing said."""
        return self.count, ""

    def react(self, state: tuple[int, str], event: Event, now_us: int) -> tuple[tuple[int, str], tuple[Action, ...]]:
        """Agree, and then speak at every second."""
        left, about = state
        match event:
            case Heard():
                about = event.conversation.id
                return (left, about), (Say(about, Agree()), Wake("speak", now_us + EVERY_US))
            case Woken() if left:
                many = min(left, BURST)
                said = tuple(Publish((about,), measurement(left - number)) for number in range(many))
                return (left - many, about), (*said, Wake("speak", now_us + EVERY_US))
            case _:
                return state, ()


@dataclass(frozen=True)
class Listener(Quiet):
    """Subscribes, and counts."""

    def start(self) -> int:
        """Nothing heard."""
        return 0

    def react(self, state: int, event: Event, now_us: int) -> tuple[int, tuple[Action, ...]]:
        """Count."""
        if isinstance(event, Heard):
            return state + (type(event.content) is Measurement), ()
        if isinstance(event, Started):
            ask = MeasurementSubscription(per_point=False, start=now_us, end=now_us + END_US)
            topic = Topic(TSO, activation.STAGE, "delivery", "measurements", BSP)
            return state, (Open(activation.MEASUREMENTS, topic, ask, now_us + EVERY_US),)
        return state, ()

    def overhear(self, state: int, rows: Sequence[Row]) -> tuple[int, int]:
        """Count."""
        return state + len(rows), len(rows)


@dataclass(frozen=True)
class Caller(Quiet):
    """Calls for offers, a burst a second, and accepts them; its state: how many calls are left, and answers heard."""

    count: int = 0

    def start(self) -> tuple[int, int]:
        """Nothing called for."""
        return self.count, 0

    def react(self, state: tuple[int, int], event: Event, now_us: int) -> tuple[tuple[int, int], tuple[Action, ...]]:
        """Call at every second, accept each offer."""
        left, heard = state
        match event:
            case Heard(conversation=talk):
                accepted = Say(talk.id, Acceptance(offers=event.content.offers), now_us + GATE_US)  # type: ignore[attr-defined]
                return (left, heard + 1), (accepted,)
            case Started() | Woken() if left:
                many = min(left, BURST)
                opened = tuple(self._opening(left - number, now_us) for number in range(many))
                return (left - many, heard), (*opened, Wake("call", now_us + EVERY_US))
            case _:
                return state, ()

    @staticmethod
    def _opening(number: int, now_us: int) -> Open:
        topic = Topic(TSO, offering.STAGE, f"p{number}", "mFRR-up", BSP)
        return Open(offering.OFFERING, topic, call(now_us), now_us + GATE_US)


@dataclass(frozen=True)
class Answerer(Quiet):
    """Offers when it is called."""

    def start(self) -> int:
        """Nothing accepted."""
        return 0

    def react(self, state: int, event: Event, now_us: int) -> tuple[int, tuple[Action, ...]]:
        """Answer a call; count acceptances."""
        if not isinstance(event, Heard):
            return state, ()
        if not isinstance(event.content, CallForOffers):
            return state + 1, ()
        return state, (Say(event.conversation.id, offered(BSP, event.content, now_us), now_us + GATE_US),)


class Unrecorded:
    """Keeps nothing."""

    def nothing(self, *said: object, **known: object) -> None:
        """Forget it."""

    message = stream = flowed = volley = event = telemetry = state = network = journal = nothing


@cache
def any_scenario() -> Scenario:
    """It is only there because a record has one."""
    return load_scenario("frequency-trip")


def written(people: tuple[Any, Any], heard: int, *, is_journalled: bool = False, in_bulk: bool = False) -> float:
    """Seconds of a talk with all that is written."""
    with tempfile.TemporaryDirectory() as folder, RunWriter(any_scenario(), Path(folder) / "run") as writer:
        took_s = conversed(people, heard, writer, is_journalled=is_journalled, in_bulk=in_bulk)
        began = time.process_time()
        writer.close()
        return took_s + time.process_time() - began


def conversed(people: tuple[Any, Any], heard: int, recorder: Any, *, is_journalled: bool, in_bulk: bool) -> float:
    """Seconds of a talk until everything has been heard: the state of the second agent counts it."""
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
    if nodes[1].state != heard:
        raise AssertionError(f"{nodes[1].state} of {heard} messages were heard")
    return took_s
