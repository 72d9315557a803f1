"""What a happening leaves to be waited for, before the next one: an inbox to be emptied, a study to be answered.

    a message is due ─▶ errand: into its receiver's mango inbox, and wait until it has been taken out
    a result is due  ─▶ errand: wait for the process that computes it, then let the host hear it

The queue itself never waits, so the loop is free for the network between two happenings.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from mango import AgentAddress

from ..container import LocalContainer
from ..host import Host
from ..inputs import Arrival, Result
from ..studies.annex import Annex
from ..studies.laboratory import Answer
from .queue import Happening

Errand = Callable[[int], Awaitable[None]]


class Errands:
    """The errands of one process; `waiting` counts messages on their way into an inbox, by receiver."""

    def __init__(self, container: LocalContainer, hosts: Mapping[str, Host]) -> None:
        """`hosts` by name, registered in the container under these names."""
        self.waiting: Counter[str] = Counter()
        self._container, self._hosts = container, hosts
        self._left: list[Errand] = []

    async def run(self, now_us: int) -> None:
        """Do all that is left; raises what a host or a study raises."""
        while self._left:
            await self._left.pop(0)(now_us)

    def deliver(self, arrival: Arrival, at_us: int, taken: Callable[[], None] | None = None) -> None:
        """A message goes through its receiver's inbox when its time has come; `taken` is called when it has."""
        receiver = arrival.envelope.receiver
        self.waiting[receiver] += 1
        errand = partial(self._hand_over, arrival, taken)
        self._hosts[receiver].plan_call(lambda _: self._left.append(errand), at_us)

    async def send_studies_away(self, annex: Annex | None) -> None:
        """Start the process for studies, if there is one, and let all hosts use it."""
        if annex is None:
            return
        await annex.start()
        for host in self._hosts.values():
            host.study = partial(self._away, host, annex)

    def _away(self, host: Host, annex: Annex, key: str, job: object) -> Happening:
        answer = annex.ask(job)
        return lambda _: self._left.append(partial(self._hear, host, key, answer))

    @staticmethod
    async def _hear(host: Host, key: str, answer: "asyncio.Future[Answer]", now_us: int) -> None:
        result, error = await answer
        host.take(Result(key, result, error), now_us)

    async def _hand_over(self, arrival: Arrival, taken: Callable[[], None] | None, now_us: int) -> None:
        """Put an arrival into an inbox, and wait until it has been taken out; what the host could not do is raised."""
        envelope = arrival.envelope
        self._container.clock.set_time(now_us / 1e6)
        address = AgentAddress(self._container.addr, envelope.receiver)
        await self._container.send_message(arrival, address, sender_id=envelope.sender)
        host = self._hosts[envelope.receiver]
        await host.inbox.join()
        self.waiting[envelope.receiver] -= 1
        if host.failure is not None:
            raise host.failure
        if taken is not None:
            taken()
