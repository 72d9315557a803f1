"""The clerk writes beside the run: who is too far ahead of it waits, by the size of what is waiting."""

import threading

import pytest

from gridpact.scenarios.record.clerk import BLOCK, MOST_WAITING, Clerk


def test_many_small_things_are_taken_at_once_and_done_in_their_order() -> None:
    clerk, go_on, done = Clerk(), threading.Event(), list[int]()
    clerk.do(lambda: done.append(-1 if go_on.wait(60) else -2), 1)
    for number in range(500):
        clerk.do(lambda number=number: done.append(number), MOST_WAITING // 1000)  # type: ignore[misc]
    assert done == []
    go_on.set()
    clerk.finish()
    assert done == [-1, *range(500)]


@pytest.mark.parametrize("size", [MOST_WAITING, 32 * BLOCK])
def test_who_is_too_far_ahead_waits(size: int) -> None:
    clerk, go_on, done = Clerk(), threading.Event(), list[bool]()
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
    clerk = Clerk()
    clerk.do(lambda: int("no number"))  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="no number"):
        clerk.finish()
