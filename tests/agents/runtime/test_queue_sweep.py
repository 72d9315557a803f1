"""What waits in the queue: timers that were cancelled are gone, and nothing else is."""

from __future__ import annotations

from gridpact.agents.runtime.happenings.queue import EventQueue
from gridpact.agents.runtime.inputs import Alarm, Input


def test_cancelled_timers_are_gone_and_the_others_come_in_their_order() -> None:
    queue, heard = EventQueue(0), list[tuple[str, int]]()

    def take(given: Input, now_us: int) -> None:
        assert isinstance(given, Alarm)
        heard.append((given.timer, now_us))

    for number in range(1000):
        queue.give(1000 - number, Alarm(f"t{number}", 1000 - number), take, phase=4, agent="a")
    queue.sweep(lambda agent, given: isinstance(given, Alarm) and given.at_us % 10 != 0)
    assert len(queue) == 100
    while queue.next_time() is not None:
        queue.step()
    assert heard == [(f"t{1000 - at_us}", at_us) for at_us in range(10, 1001, 10)]


def test_a_short_queue_is_not_looked_through() -> None:
    queue = EventQueue(0)
    queue.give(5, Alarm("t", 5), lambda given, now_us: None, phase=4, agent="a")
    queue.sweep(lambda agent, given: True)
    assert len(queue) == 1
