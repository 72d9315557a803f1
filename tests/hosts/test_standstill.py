"""A run that waits: clocks that stand still and go on together, and who has to be there before they do."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.clock import LaggingClock, SharedClock, wall_us
from gridpact.agents.runtime.mqtt.line import Line, Outgoing
from gridpact.agents.runtime.mqtt.muster import Muster, Readiness
from gridpact.agents.runtime.mqtt.roll import Call, Presence, Roll, Start
from gridpact.agents.runtime.mqtt.standstill import Standstill
from gridpact.agents.runtime.mqtt.topics import Topics

TOPICS = Topics("test")
STARTED = Start(call="first", begin_us=1, speed=10.0, at_us=5_000_000)


def muster(name: str = "bsp-a", *, waits: bool = True, life: int = 0, started: Start | None = STARTED) -> Muster:
    """Of a host with one agent, whose line is not open: what it says waits in the outbox."""
    will = Outgoing(TOPICS.presence(name), b"gone")
    line = Line(BrokerAddress("127.0.0.1", 1, tls=False), Identity(name), name, lambda incoming: None, will=will)
    wanted = Readiness(lead="tso", expected=("tso", "bsp-a", "bsp-b"), scenario="one", timeout_s=5.0, waits=waits)
    made = Muster({name: line}, TOPICS, wanted, life)
    made.start = started
    return made


def here(call: str | None, at_us: int = 0, life: int = 0) -> Presence:
    return Presence(state="here", call=call, clock_us=wall_us(), scenario="one", at_us=at_us, life=life)


async def test_a_clock_that_is_stopped_lets_come_what_is_due_and_nothing_else() -> None:
    clock = SharedClock(0, 10.0, asyncio.get_running_loop().time() - 1.0)
    lagging = LaggingClock(clock, 0.05)
    clock.stop()
    stopped_us = clock.now_us
    assert stopped_us == pytest.approx(10_000_000, rel=0.1)
    assert clock.wait_s(stopped_us) == 0
    assert clock.wait_s(stopped_us - 5_000_000) == pytest.approx(-0.5)
    assert clock.wait_s(stopped_us + 1) == math.inf
    assert lagging.wait_s(stopped_us) == math.inf
    assert lagging.wait_s(stopped_us - 500_000) == 0
    assert clock.now_us == stopped_us


async def test_it_goes_on_from_where_the_furthest_had_come() -> None:
    clock = SharedClock(0, 10.0, asyncio.get_running_loop().time())
    clock.stop()
    clock.go_on(7_000_000, wall_us() - 100_000)
    assert clock.now_us == pytest.approx(8_000_000, abs=300_000)
    assert clock.wait_s(8_000_000) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(
    ("what", "by"),
    [(Presence(state="gone"), "bsp-b"), (here(None), "bsp-b"), (Call(call="second", number=0), None)],
)
async def test_somebody_who_is_gone_or_back_and_a_new_roll_stop_it(what: Any, by: str | None) -> None:
    for waits in (True, False):
        told: list[bool] = []
        ours = muster(waits=waits)
        ours.parted = lambda told=told: told.append(True)  # type: ignore[misc]
        ours.hear(by, what)
        assert bool(told) is waits


@pytest.mark.parametrize("what", [Call(call="first", number=3), here("first"), Presence(state="finished")])
async def test_what_belongs_to_the_run_as_it_goes_does_not(what: Any) -> None:
    ours, told = muster(), list[bool]()
    ours.parted = lambda: told.append(True)
    ours.hear(None if isinstance(what, Call) else "bsp-b", what)
    assert told == []


async def test_a_start_for_an_earlier_life_of_the_process_is_not_taken() -> None:
    ours = muster(life=2)
    waiting = asyncio.create_task(ours.gather())
    await asyncio.sleep(0)
    ours.hear(None, STARTED.model_copy(update={"call": "second", "lives": {"bsp-a": 1}}))
    meant = STARTED.model_copy(update={"call": "third", "lives": {"bsp-a": 2}})
    ours.hear(None, meant)
    assert await waiting == meant


def standing(ours: Muster) -> tuple[Standstill, SharedClock, asyncio.Event]:
    """What lets a run wait, its clock, and what is set when that goes on."""
    woken = asyncio.Event()
    clock = SharedClock(0, 10.0, asyncio.get_running_loop().time())
    still = Standstill(clock, ours, None, Counter[str](), woken.set)
    ours.parted = still.part
    return still, clock, woken


@asynccontextmanager
async def watched(ours: Muster) -> AsyncIterator[tuple[Standstill, SharedClock, asyncio.Event]]:
    """The same while it is watched."""
    still, clock, woken = standing(ours)
    watching = asyncio.create_task(still.watch())
    try:
        yield still, clock, woken
    finally:
        watching.cancel()


def started(call: str, at_us: int, *, ago_s: float = 0.0) -> Start:
    return STARTED.model_copy(update={"call": call, "at_us": at_us, "begin_us": wall_us() - round(ago_s * 1e6)})


async def test_of_two_starts_heard_at_once_the_later_one_counts() -> None:
    """The first roll was overtaken before its start was heeded: whoever went by it would be ahead of the others."""
    ours = muster()
    async with watched(ours) as (_, clock, woken):
        ours.hear("bsp-b", Presence(state="gone"))
        await asyncio.sleep(0)
        ours.hear(None, started("second", 6_000_000))
        third = started("third", 60_000_000)
        ours.hear(None, third)
        await asyncio.wait_for(woken.wait(), 5)
        assert ours.start == third
        assert clock.now_us >= 60_000_000


async def test_a_start_of_a_roll_that_was_not_noticed_is_heeded_while_the_run_goes_on() -> None:
    ours = muster()
    async with watched(ours) as (_, clock, woken):
        ours.hear("bsp-b", Presence(state="gone"))
        for call, at_us in (("second", 6_000_000), ("third", 60_000_000)):
            ours.hear(None, started(call, at_us))
            await asyncio.wait_for(woken.wait(), 5)
            woken.clear()
            assert clock.now_us >= at_us


async def test_a_start_that_the_broker_has_kept_for_whoever_was_cut_off_is_not_heeded() -> None:
    """The others have gone on then, and stand still again: whoever went by it now would be far ahead of them."""
    ours = muster()
    async with watched(ours) as (_, clock, woken):
        ours.cut_off()
        ours.hear(None, started("second", 6_000_000, ago_s=20))
        await asyncio.sleep(0)
        assert clock.stopped_us is not None
        assert ours._lines["bsp-a"].waiting == 1  # that we are here again, so that the roll is called
        ours.hear(None, started("third", 6_000_000, ago_s=0.01))
        await asyncio.wait_for(woken.wait(), 5)
        assert clock.now_us == pytest.approx(6_000_000, abs=3_000_000)


async def test_a_start_is_not_heeded_if_the_roll_is_called_again_at_once() -> None:
    ours = muster()
    async with watched(ours) as (_, clock, woken):
        ours.hear("bsp-b", Presence(state="gone"))
        await asyncio.sleep(0)
        ours.hear(None, started("second", 6_000_000))
        ours.hear(None, Call(call="third", number=0))
        for _ in range(5):
            await asyncio.sleep(0)
        assert clock.stopped_us is not None
        ours.hear(None, started("third", 7_000_000))
        await asyncio.wait_for(woken.wait(), 5)
        assert ours.start is not None
        assert ours.start.call == "third"


async def test_a_start_that_nobody_has_heard_is_not_said_again_after_the_line_was_lost() -> None:
    ours = muster("tso")
    line = ours._lines["tso"]
    ours._say(started("second", 6_000_000))
    ours._say_here(Presence(state="here"))
    assert line.waiting == 2
    ours.cut_off()
    assert [each.topic for each in line._unsent.values()] == [TOPICS.presence("tso")]


async def test_a_line_that_ends_in_disorder_after_its_run_stops_nobody() -> None:
    """Its last will is said after it has finished; whoever waited for it then would wait for ever."""
    ours = muster()
    _, clock, _ = standing(ours)
    for name in ("tso", "bsp-b"):
        ours.hear(name, Presence(state="finished"))
        ours.hear(name, Presence(state="gone"))
    assert clock.stopped_us is None
    ours.hear("bsp-b", here(None))
    assert clock.stopped_us is not None


async def test_the_roll_tells_how_far_each_has_come_and_does_not_wait_for_who_has_finished() -> None:
    roll = Roll(("tso", "bsp-a", "bsp-b"), "second")
    for _ in range(4):
        call = roll.next_call(wall_us())
        for name, at_us in (("tso", 5), ("bsp-a", 9)):
            roll.hear(name, here(call.call, at_us).model_copy(update={"number": call.number}), wall_us())
    assert not roll.complete
    roll.hear("bsp-b", Presence(state="finished"), wall_us())
    assert roll.complete
    assert {name: one.at_us for name, one in roll.answers.items()} == {"tso": 5, "bsp-a": 9}


async def test_who_has_finished_an_earlier_run_of_the_same_name_is_still_waited_for() -> None:
    """The broker keeps what was said of presence; a run can be repeated under its name."""
    ours = muster("tso", started=None)
    for name in ("tso", "bsp-a", "bsp-b"):
        ours.hear(name, Presence(state="finished"))
    assert ours._roll.missing == ("tso", "bsp-a", "bsp-b")


async def test_when_the_leader_has_finished_nobody_waits_any_more() -> None:
    ours = muster()
    async with watched(ours) as (still, clock, woken):
        ours.hear("bsp-b", Presence(state="gone"))
        assert clock.stopped_us is not None
        ours.hear("tso", Presence(state="finished"))
        await asyncio.wait_for(woken.wait(), 5)
        assert clock.stopped_us is None
        assert still.counts == {"standstills": 1}
