"""What a message costs: ours – typed, validated, checked against its conversation, recorded – against raw ones.

mango      send in one container, and handle: no type, no validation, no conversation, no record
heap       push and pop of an event, which is the least that anything in simulated time can cost
ours       said ─▶ exchange (delay, order, record) ─▶ queue ─▶ desk ─▶ agent, a fresh message each time

All works take turns, so that a busy machine slows them alike.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import raw_messages
from measuring import Row, against, in_turn
from raw_messages import BURST
from talking import (
    BSP,
    END_US,
    TSO,
    Answerer,
    Caller,
    Listener,
    Speaker,
    Unrecorded,
    any_scenario,
    conversed,
    measurement,
    written,
)

from gridpact.agents.runtime.happenings.queue import EventQueue
from gridpact.agents.runtime.inputs import Alarm
from gridpact.agents.runtime.messages.exchange import Links
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Topic
from gridpact.protocols.flow import Row as Flowed
from gridpact.protocols.flow import Volley
from gridpact.protocols.information.activation import MeasurementSubscription
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages.activation import MEASUREMENTS
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.record.writer import RunWriter

SINGLE, BURSTS = "each handled before the next", f"{BURST} at once"
MANGO, HEAP, OURS, STAGE = "mango, one container", "event heap, bare", "ours", "ours, a stage"
STREAMED = "streamed: typed, validated, checked, recorded", "streamed, not recorded"
REACHED = STREAMED[0], SINGLE
Work = Callable[[int], float]


def rows(quick: bool = False) -> Iterator[Row]:
    """Yield the rows of the table; `quick`: few messages."""
    count, repeats = (600, 2) if quick else (21_000, 9)
    found = in_turn(WORKS, count, repeats)
    for (subject, name), times in found.items():
        row = Row("messages", subject, f"{count} messages, {name}", *times, repeats)
        if subject != OURS:
            yield row
            continue
        for yardstick in (SINGLE, BURSTS) if name in STREAMED else (SINGLE,):
            words = f"{row.work} (yardstick: {yardstick})"
            compared = replace(row, work=words, against_ms=found[MANGO, yardstick][0])
            yield against(compared, at_least=1.0 if (name, yardstick) == REACHED else None)


def _streamed(count: int) -> float:
    return written((Speaker(BSP, "BSP", count), Listener(TSO, "TSO")), count, in_bulk=True)


def _unrecorded(count: int) -> float:
    people = Speaker(BSP, "BSP", count), Listener(TSO, "TSO")
    return conversed(people, count, Unrecorded(), is_journalled=False, in_bulk=True)


def _one_by_one(count: int) -> float:
    return written((Speaker(BSP, "BSP", count), Listener(TSO, "TSO")), count)


def _journalled(count: int) -> float:
    return written((Speaker(BSP, "BSP", count), Listener(TSO, "TSO")), count, is_journalled=True)


def _negotiated(count: int) -> float:
    talks = count // 3
    return written((Caller(TSO, "TSO", talks), Answerer(BSP, "BSP")), talks)


def _made(count: int) -> float:
    began = time.process_time()
    for number in range(count):
        measurement(number)
    return time.process_time() - began


def _delayed(count: int) -> float:
    links, began = Links(seed=1), time.process_time()
    for number in range(count):
        links.delay_us(f"{TSO}/{MEASUREMENTS.stage}/delivery/measurements/{BSP}#r{number}")
    return time.process_time() - began


def _checked(count: int) -> float:
    kinds = {TSO: "TSO", BSP: "BSP"}
    tso, bsp = (Desk(name, kinds, BUSINESS_USE_CASE) for name in kinds)
    topic = Topic(TSO, MEASUREMENTS.stage, "delivery", "measurements", BSP)
    ask = MeasurementSubscription(per_point=False, start=0, end=END_US)
    bsp.hear(tso.open(MEASUREMENTS, topic, ask, reply_by_us=END_US))
    tso.hear(bsp.say(topic.conversation_id, Agree()))
    about, content, began = topic.conversation_id, measurement(0), time.process_time()
    for _ in range(count):
        tso.hear(bsp.say(about, content))
    return time.process_time() - began


def _queued(count: int) -> float:
    queue, given = EventQueue(0), Alarm("any", 0)
    began = time.process_time()
    for burst in range(count // BURST):
        for number in range(BURST):
            queue.give(burst * BURST + number * 37 % BURST, given, lambda given, now_us: None, phase=4, agent=BSP)
        for _ in range(BURST):
            queue.step()
    return time.process_time() - began


class Kept(Unrecorded):
    """Keeps what flows as it is: rows, and volleys of them."""

    def __init__(self) -> None:
        self.rows: list[Flowed] = []
        self.volleys: list[Volley] = []
        self.flowed = self.rows.append  # type: ignore[method-assign, assignment]
        self.volley = self.volleys.append  # type: ignore[method-assign, assignment]


def _recorded(count: int) -> float:
    kept = Kept()
    conversed((Speaker(BSP, "BSP", count), Listener(TSO, "TSO")), count, kept, is_journalled=False, in_bulk=True)
    with tempfile.TemporaryDirectory() as folder, RunWriter(any_scenario(), Path(folder) / "run") as writer:
        began = time.process_time()
        for row in kept.rows:
            writer.flowed(row)
        for volley in kept.volleys:
            writer.volley(volley)
        writer.close()
        return time.process_time() - began


WORKS: dict[tuple[str, str], Work] = {
    (MANGO, SINGLE): raw_messages.one_by_one,
    (MANGO, BURSTS): raw_messages.in_bursts,
    (HEAP, BURSTS): raw_messages.heap,
    (OURS, STREAMED[0]): _streamed,
    (OURS, STREAMED[1]): _unrecorded,
    (OURS, "in envelopes, each by itself"): _one_by_one,
    (OURS, "in envelopes, and journalled"): _journalled,
    (OURS, "negotiated: calls, offers and acceptances, as lines of JSON"): _negotiated,
    (STAGE, "made and validated"): _made,
    (STAGE, "delays drawn"): _delayed,
    (STAGE, "said at one desk and heard at the other (in envelopes only)"): _checked,
    (STAGE, "into the queue and out (in envelopes only)"): _queued,
    (STAGE, "streamed rows written"): _recorded,
}
