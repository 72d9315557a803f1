"""How a host reaches the others: which broker, which run, as whom, and how much is taken from whom."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .address import BrokerAddress, Identity
from .gate import Allowance
from .line import Incoming, Line, Outgoing
from .roll import Presence, to_bytes
from .topics import Topics

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
