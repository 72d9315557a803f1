"""How a host reaches the others: which broker, which run, as whom, and how much is taken from whom."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .address import BrokerAddress, Identity
from .gate import Allowance
from .line import Incoming, Line, Outgoing
from .roll import Presence, to_bytes
from .topics import Topics

OPENED_AT_ONCE = 4
GONE = to_bytes(Presence(state="gone"))


@dataclass(frozen=True)
class Network:
    """How the others are reached: which broker, which run, who we are, and how much we take from whom."""

    broker: BrokerAddress
    topics: Topics
    credentials: Path | None = None
    allowance: Allowance = Allowance()

    def line(
        self, name: str, hear: Callable[[Incoming], None], acknowledged: Callable[[str], None] | None = None
    ) -> Line:
        """A line for an agent, not yet open; `acknowledged` as for `Line`."""
        identity = Identity.from_folder(name, self.credentials)
        will = Outgoing(self.topics.presence(name), GONE, retain=True)
        return Line(self.broker, identity, f"{self.topics.run}/{name}", hear, will=will, acknowledged=acknowledged)


async def open_all(lines: Iterable[Line], *, fresh: bool) -> None:
    """Open lines, a few at a time: a handshake takes both ends a while, and those of a hundred at once would time out.

    Errors as for `Line.open`.
    """
    turns = asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_in_turn(line: Line) -> None:
        async with turns:
            await line.open(fresh=fresh)

    await asyncio.gather(*(open_in_turn(line) for line in lines))
