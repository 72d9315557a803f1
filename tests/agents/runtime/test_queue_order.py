"""Whatever is put into the queue, and whenever, comes out by time, phase, agent, kind of input, order of putting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.runtime.happenings.queue import EventQueue

Place = tuple[int, int, str, int]
PLACES = st.tuples(
    st.integers(0, 3).map(lambda tens: 10 * tens), st.integers(2, 4), st.sampled_from("ab"), st.integers(0, 2)
)
DEEDS = st.lists(PLACES | st.just(None), max_size=60)  # put something there, or take the next thing


@given(DEEDS, st.lists(PLACES, max_size=4))
def test_things_come_in_the_same_order_as_from_a_sorted_list(deeds: list[Place | None], asked: list[Place]) -> None:
    queue, waiting, seen, wanted = EventQueue(0), list[tuple[Place, int]](), list[int](), list[int]()
    for number, place in enumerate(deeds):
        if place is not None:
            at_us, phase, agent, rank = place
            queue.put(at_us, lambda _, number=number: seen.append(number), phase=phase, agent=agent, rank=rank)  # type: ignore[misc]
            waiting.append(((max(at_us, queue.now_us), phase, agent, rank), number))
        elif waiting:
            first = min(waiting)
            waiting.remove(first)
            wanted.append(first[1])
            queue.step()
        assert len(queue) == len(waiting)
        assert queue.next_time() == min((place[0] for place, _ in waiting), default=None)
        for at_us, phase, agent, rank in asked:
            here = max(at_us, queue.now_us), phase, agent, rank
            before = all(here < other for other, _ in waiting)
            assert queue.is_before(here[0], phase=phase, agent=agent, rank=rank) == before
    assert seen == wanted


def test_a_sweep_in_the_middle_of_an_instant_loses_nothing_that_waits() -> None:
    queue, seen = EventQueue(0), list[int]()
    for number in range(200):
        queue.put(5 + number % 2, lambda _, number=number: seen.append(number), phase=2)  # type: ignore[misc]
    for _ in range(30):
        queue.step()
    queue.sweep(lambda agent, given: True)
    queue.put(5, lambda _: seen.append(-1), phase=1)
    assert len(queue) == 171
    while len(queue):
        queue.step()
    assert seen == [*range(0, 60, 2), -1, *range(60, 200, 2), *range(1, 200, 2)]
