"""A host that is behind: what the network brings it in the meantime is heard without delay."""

import asyncio

from gridpact.agents.runtime.happenings.queue import EventQueue
from gridpact.agents.runtime.happenings.timing import Timing
from gridpact.agents.runtime.mqtt.clock import TURN_S, InStep, SharedClock

PACKETS = 20


async def test_what_has_come_in_does_not_wait_for_all_that_a_late_host_has_to_do() -> None:
    """The network brings one packet in each turn of the loop, as a line does; each happening takes a while."""
    loop = asyncio.get_running_loop()
    queue, heard_after = EventQueue(0), list[int]()
    steps = InStep(queue, SharedClock(0, 1.0, loop.time() - 100.0), Timing(1.0, 1.0, "catch_up"))
    taken = list[int]()

    def busy(at_us: int) -> None:
        until_s = loop.time() + 1.2 * TURN_S
        while loop.time() < until_s:
            pass
        taken.append(at_us)

    def hear() -> None:
        heard_after.append(len(taken))
        steps.wake()
        if len(heard_after) < PACKETS:
            loop.call_soon(hear)

    for at_us in range(PACKETS):
        queue.put(at_us, busy, phase=0)
    loop.call_soon(hear)
    await steps.run(PACKETS)
    assert len(taken) == PACKETS
    assert heard_after[-1] <= PACKETS // 2
