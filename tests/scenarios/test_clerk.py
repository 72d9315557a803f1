"""The clerk writes at once, or beside the run: who is too far ahead of it waits, by the size of what is waiting."""

import threading
from pathlib import Path

import pytest

from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.clerk import BLOCK, MOST_WAITING, Clerk
from gridpact.scenarios.record.wide import Parts
from gridpact.scenarios.record.writer import RunWriter


def test_many_small_things_are_taken_at_once_and_done_in_their_order() -> None:
    clerk, go_on, done = Clerk(beside=True), threading.Event(), list[int]()
    clerk.do(lambda: done.append(-1 if go_on.wait(60) else -2), 1)
    for number in range(500):
        clerk.do(lambda number=number: done.append(number), MOST_WAITING // 1000)  # type: ignore[misc]
    assert done == []
    go_on.set()
    clerk.finish()
    assert done == [-1, *range(500)]


@pytest.mark.parametrize("size", [MOST_WAITING, 32 * BLOCK])
def test_who_is_too_far_ahead_waits(size: int) -> None:
    clerk, go_on, done = Clerk(beside=True), threading.Event(), list[bool]()
    clerk.do(lambda: done.append(go_on.wait(60)))
    giving = threading.Thread(target=clerk.do, args=(lambda: None, size))
    giving.start()
    giving.join(0.2)
    assert giving.is_alive()
    go_on.set()
    giving.join(60)
    assert not giving.is_alive()
    clerk.finish()
    assert done == [True]


def test_what_goes_wrong_is_raised_by_whoever_gives_the_next_thing_or_ends() -> None:
    clerk = Clerk(beside=True)
    clerk.do(lambda: int("no number"))  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="no number"):
        clerk.finish()


def test_in_simulated_time_it_is_done_at_once() -> None:
    clerk, done = Clerk(), list[threading.Thread]()
    clerk.do(lambda: done.append(threading.current_thread()), 2 * MOST_WAITING)
    assert done == [threading.current_thread()]
    with pytest.raises(ValueError, match="no number"):
        clerk.do(lambda: int("no number"))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("realtime", [False, True])
def test_only_by_the_clock_is_the_record_written_beside_the_run(
    realtime: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, write = list[threading.Thread](), Parts.write
    monkeypatch.setattr(Parts, "write", lambda *given: threads.append(threading.current_thread()) or write(*given))
    with RunWriter(load_scenario("blind"), tmp_path / "run", realtime=realtime) as writer:
        writer.telemetry(0, ("area.frequency_hz",), [50.0])
        writer.close()
    assert [thread is threading.main_thread() for thread in threads] == [not realtime]
