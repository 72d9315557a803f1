"""What a message costs where nothing is asked of it: mango's own in one container, and a bare heap of events.

one by one   send, and give way until it is handled ─▶ the next
in bursts    send a hundred ─▶ give way: all of them are handled
"""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Any

from mango import Agent as MangoAgent
from mango import AgentAddress

from gridpact.agents.runtime.container import LocalContainer

BURST = 100


class Counting(MangoAgent):  # type: ignore[misc]
    """Counts what it is sent, and says when all is there."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left, self.done = count, asyncio.Event()

    def handle_message(self, content: Any, meta: dict[str, Any]) -> None:
        """One more."""
        self.left -= 1
        if not self.left:
            self.done.set()


def one_by_one(count: int) -> float:
    """Seconds of mango's messages, each handled before the next is sent."""
    return asyncio.run(_sent_by_mango(count, 1))


def in_bursts(count: int) -> float:
    """Seconds of mango's messages, a burst before any of it is handled."""
    return asyncio.run(_sent_by_mango(count, BURST))


async def _sent_by_mango(count: int, burst: int) -> float:
    """Seconds from the first message sent to the last one handled; the sender makes room after every `burst`."""
    container = LocalContainer(0.0)
    receiver, sender = container.register(Counting(count)), container.register(Counting(0))
    await container.start()
    container.on_ready()
    address, began = AgentAddress(container.addr, receiver.aid), time.process_time()
    for number in range(count):
        await sender.send_message(("bsp", number, 1.0, 0.0), address)
        if number % burst == burst - 1:
            await asyncio.sleep(0)
    await receiver.done.wait()
    took_s = time.process_time() - began
    await container.shutdown()
    return took_s


def heap(count: int) -> float:
    """Seconds of as many events that are put into a heap and taken out, a burst at a time."""
    waiting: list[tuple[int, int, int, Any]] = []
    began = time.process_time()
    for burst in range(count // BURST):
        for number in range(BURST):
            heapq.heappush(waiting, (burst, number * 7919 % BURST, number, None))
        while waiting:
            heapq.heappop(waiting)
    return time.process_time() - began
