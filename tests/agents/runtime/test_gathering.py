"""What many say at one round of readings leaves together, and nobody can tell: not the record, and not who hears it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gridpact.agents.actions import Action, Observe, Open, Publish, Say
from gridpact.agents.events import Event, Heard, Sampled, Started
from gridpact.agents.runtime.happenings.queue import EventQueue
from gridpact.agents.runtime.host import World
from gridpact.agents.runtime.memory.recording import Sent
from gridpact.agents.runtime.messages import exchange
from gridpact.agents.runtime.messages.exchange import Links
from gridpact.agents.runtime.node import Node
from gridpact.agents.runtime.run import Operation
from gridpact.agents.runtime.studies.laboratory import Laboratory
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Topic
from gridpact.protocols.flow import Row, Volley
from gridpact.protocols.information.activation import (
    Measurement,
    MeasurementSubscription,
    SetPointSubscription,
)
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages.activation import MEASUREMENTS, SET_POINTS, STAGE
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.operation.plants import nothing

S, TSO, COUNT = 1_000_000, "tso", 20
TICK_US, END_US, LATE_US = 2 * S, 20 * S, 3600 * S


@dataclass(frozen=True)
class Shown:
    """What every agent here has."""

    name: str
    kind: str

    def telemetry(self, state: object) -> Mapping[str, float]:
        return {}


@dataclass(frozen=True)
class Hearing(Shown):
    """Subscribes to all, and keeps what it has heard, in order."""

    def start(self) -> tuple[object, ...]:
        return ()

    def react(self, state: tuple[object, ...], event: Event, now_us: int) -> tuple[Any, tuple[Action, ...]]:
        if isinstance(event, Started):
            ask = MeasurementSubscription(per_point=False, start=now_us, end=LATE_US)
            topics = [Topic(TSO, STAGE, "delivery", "measurements", f"bsp-{number}") for number in range(COUNT)]
            return state, tuple(Open(MEASUREMENTS, topic, ask, LATE_US) for topic in topics)
        if isinstance(event, Heard) and isinstance(event.content, Measurement):
            return (*state, (event.envelope.id, event.content)), ()
        if isinstance(event, Heard) and isinstance(event.content, SetPointSubscription):
            return state, (Say(event.conversation.id, Agree()),)
        return state, ()

    def overhear(self, state: tuple[object, ...], rows: Sequence[Row]) -> tuple[tuple[object, ...], int]:
        return state + tuple((row.id, row.content) for row in rows), len(rows)


@dataclass(frozen=True)
class Measuring(Shown):
    """Measures at every tick; one of them asks for set-points in between, in the midst of a round."""

    def start(self) -> str:
        return ""

    def react(self, state: str, event: Event, now_us: int) -> tuple[str, tuple[Action, ...]]:
        if isinstance(event, Heard) and isinstance(event.content, MeasurementSubscription):
            about = event.conversation.id
            return about, (Say(about, Agree()), Observe("area", TICK_US, END_US))
        if not isinstance(event, Sampled):
            return state, ()
        values = dict.fromkeys(("p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw"), now_us / 1e6)
        said = Publish((state,), Measurement(participant=self.name, measured_at=now_us, **values))
        if self.name != "bsp-15" or now_us != 6 * S:
            return state, (said,)
        topic = Topic(self.name, STAGE, "delivery", "set-points", TSO)
        ask = SetPointSubscription(product="aFRR", start=now_us, end=LATE_US)
        return state, (said, Open(SET_POINTS, topic, ask, LATE_US))

    def overhear(self, state: str, rows: Sequence[Row]) -> tuple[str, int]:
        return state, 0


class Kept:
    """Keeps every message as it was recorded, in order."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self.messages: list[tuple[object, ...]] = []
        self.volleys = 0

    def message(self, sent: Sent) -> None:
        self.messages.append((sent.envelope, sent.sent_at_us, sent.received_at_us))

    def stream(self, sent: Sent) -> None:
        content = sent.envelope.content
        self.rows.append((sent.envelope.id, content, sent.envelope.caused_by, sent.sent_at_us, sent.received_at_us))

    def flowed(self, row: Row) -> None:
        self.rows.append((row.id, row.content, row.caused_by, row.sent_us, row.received_us))

    def journal(self, agent: str, at_us: int, line: str) -> None:
        """None is kept."""

    def volley(self, volley: Volley) -> None:
        self.volleys += 1
        for place in range(len(volley)):
            self.flowed(volley.row(place))


def gone_through(*, in_bulk: bool) -> tuple[Kept, object]:
    kept = Kept()
    people = Hearing(TSO, "TSO"), *(Measuring(f"bsp-{number}", "BSP") for number in range(COUNT))
    kinds: dict[str, str] = {agent.name: agent.kind for agent in people}
    nodes = [Node(agent, Desk(agent.name, kinds, BUSINESS_USE_CASE)) for agent in people]  # type: ignore[arg-type]
    world = World(EventQueue(0), nothing(0), Laboratory({}), kept, journalled=False)  # type: ignore[arg-type]
    operation = Operation(nodes, world, Links(seed=3), kinds, (3_600 * S,), in_bulk=in_bulk)
    operation.begin(lambda at_us: None, 0)
    operation.simulate(END_US + S)
    return kept, nodes[0].state


@pytest.mark.parametrize("least", [1, COUNT // 2, 1000])
def test_who_speaks_at_the_same_tick_is_heard_and_recorded_as_if_by_itself(
    least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, heard = gone_through(in_bulk=False)
    monkeypatch.setattr(exchange, "LEAST_TOGETHER", least)
    together, also_heard = gone_through(in_bulk=True)
    assert len(plain.rows) == COUNT * END_US // TICK_US
    assert (together.rows, together.messages) == (plain.rows, plain.messages)
    assert also_heard == heard
    assert (together.volleys > 0) == (least <= COUNT)
