"""Ticks, deadlines and what is told of them: series apart, no drift, late ticks caught up or skipped, a named limit."""

import asyncio
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.runtime.happenings.pace import Pace
from gridpact.agents.runtime.happenings.rhythm import next_of, next_tick
from gridpact.agents.runtime.happenings.timing import Timing
from gridpact.agents.runtime.studies.annex import Annex, AnnexError

S = 1_000_000


def ticks(lengths_us: list[int], until_us: int) -> list[int]:
    found = [0]
    while (following := next_of(found[-1], lengths_us)) <= until_us:
        found.append(following)
    return found


@given(st.lists(st.integers(100_000, 60 * S), min_size=1, max_size=3), st.integers(0, 60 * S))
def test_the_plant_ticks_whenever_anybody_does_and_never_else(lengths_us: list[int], until_us: int) -> None:
    wanted = {at for every_us in lengths_us for at in range(0, until_us + 1, every_us)}
    assert ticks(lengths_us, until_us) == sorted(wanted)


def test_a_series_of_ticks_does_not_depend_on_when_it_begins() -> None:
    assert [next_tick(after, 700_000) for after in (0, 699_999, 700_000)] == [700_000, 700_000, 1_400_000]


class Clock:
    """A clock that shows what it is told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def begun(late: str, speed: float = 1.0) -> tuple[Pace, Clock]:
    pace, clock = Pace(50 * S, speed, late), Clock()  # type: ignore[arg-type]
    pace.begin(clock)
    return pace, clock


def test_deadlines_are_absolute_so_that_work_adds_no_drift() -> None:
    pace, clock = begun("catch_up", speed=4.0)
    for tick in range(1000):
        clock.now_s += 0.3
        assert pace.due_s((50 + tick) * S) == pytest.approx(100.0 + tick / 4)


def test_late_ticks_are_all_taken_or_left_out_as_the_scenario_says() -> None:
    for late, following_s in (("catch_up", 51), ("skip", 54)):
        pace, clock = begun(late)
        clock.now_s += 3.4
        assert next_tick(pace.passed_us(50 * S), S) == following_s * S
        clock.now_s -= 3.0
        assert next_tick(pace.passed_us(50 * S), S) == 51 * S


def measured(*, work_s: float, late_s: float = 0.001, count: int = 100) -> Timing:
    timing = Timing(tick_s=0.1, speed=1.0, late="catch_up")
    for _ in range(count):
        timing.tick(late_s, 0.1)
        timing.busy(work_s)
    return timing


def test_a_run_that_kept_up_is_told_without_a_warning() -> None:
    summary = measured(work_s=0.02).summary()
    assert summary["warning"] is None
    assert summary["missed"] == 0
    assert summary["lateness"] == {"count": 100, "p50_s": 0.001, "p99_s": 0.001, "max_s": 0.001}
    assert summary["load_p99"] == pytest.approx(0.2)
    assert summary["drift_s"] == 0.0


def test_a_machine_that_cannot_keep_up_is_told_the_smallest_tick_that_it_could() -> None:
    summary = measured(work_s=0.2, late_s=0.15).summary()
    assert summary["missed"] == 100
    assert summary["smallest_tick_s"] == 0.25
    assert "--tick 0.25 is the smallest that it could keep" in str(summary["warning"])
    assert "lower --speed" in str(measured(work_s=70.0).summary()["warning"])


def test_ticks_left_out_count_as_missed_and_growing_lateness_is_drift() -> None:
    timing = Timing(tick_s=0.1, speed=1.0, late="skip")
    for tick in range(100):
        timing.tick(tick * 1e-4, 0.1)
    timing.leave_out(2)
    assert (timing.missed, timing.skipped) == (2, 2)
    assert timing.drift_s() == pytest.approx(0.009)


@pytest.mark.parametrize(("program", "told"), [("pass", "did not start"), ("print('ready')", "has ended")])
async def test_a_laboratory_that_goes_away_is_an_error_and_no_silence(program: str, told: str) -> None:
    with pytest.raises(AnnexError, match=told):
        await asked(Annex([sys.executable, "-c", program]))


async def test_who_asks_a_laboratory_that_has_ended_is_told_so_at_once() -> None:
    annex = Annex([sys.executable, "-c", "print('ready')"])
    await annex.start()
    assert annex._listening is not None
    await annex._listening
    with pytest.raises(AnnexError, match="has ended"):
        await asyncio.wait_for(annex.ask(None), 5)
    await annex.close()


async def test_a_laboratory_can_be_closed_when_nobody_waits_for_its_answers_any_more() -> None:
    annex = Annex([sys.executable, "-c", "print('ready', flush=True); input()"])
    await annex.start()
    for answer in [annex.ask(None) for _ in range(2)]:
        answer.cancel()
    await annex.close()


async def asked(annex: Annex) -> None:
    """Start it, ask something, close it, and wait for the answer."""
    await annex.start()
    answer = annex.ask(None)
    await annex.close()
    await asyncio.wait_for(answer, 5)
