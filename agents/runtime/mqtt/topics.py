"""The topics of a run on a broker: who may publish and who may read what.

    gridpact/RUN/to/RECEIVER/from/SENDER        negotiation: one envelope a message, QoS 1
    gridpact/RUN/stream/to/RECEIVER/from/SENDER rows of a subscription (measurements, set-points), QoS 0
    gridpact/RUN/plants/from/AGENT              what an agent asks of its plant: observe, actuate, QoS 1
    gridpact/RUN/plants/to/AGENT                readings, QoS 0
    gridpact/RUN/presence/AGENT                 here, gone (last will) or finished; retained
    gridpact/RUN/roll                           the TSO's host calls the roll, then says when the run begins

Each level that names an agent is an identity that the broker checks; all are single levels, so a rule is one line.
"""

import re
from typing import NamedTuple

ROOT = "gridpact"
PLANTS = "plants"
NEGOTIATION, STREAM, ASKED, READINGS, PRESENCE, ROLL = "to", "stream", "asked", "readings", "presence", "roll"
_NAME = re.compile(r"[^/#+$:\s\x00][^/#+:\s\x00]{0,79}")


class TopicError(ValueError):
    """A name cannot be a level of a topic."""


class Address(NamedTuple):
    """What a topic says: which kind of traffic, from whom (None: not named in it), to whom (None: to all)."""

    kind: str
    sender: str | None
    receiver: str | None


def checked(name: str) -> str:
    """A name that can be one level of a topic; TopicError if it cannot."""
    if not _NAME.fullmatch(name):
        raise TopicError(
            f'"{name}" cannot be a name on a broker: it must not be empty, hold / # + : or a blank, or begin with $'
        )
    return name


class Topics:
    """The topics of one run."""

    def __init__(self, run: str) -> None:
        """`run`: one level; TopicError if it cannot be one."""
        self.run = checked(run)
        self._head = f"{ROOT}/{run}/"

    def message(self, sender: str, receiver: str, *, streamed: bool = False) -> str:
        """Where `sender` speaks to `receiver`."""
        kind = "stream/to" if streamed else "to"
        return f"{self._head}{kind}/{receiver}/from/{sender}"

    def plant_asked(self, agent: str) -> str:
        """Where an agent asks its plant."""
        return f"{self._head}{PLANTS}/from/{agent}"

    def plant_reading(self, agent: str) -> str:
        """Where an agent hears from its plant."""
        return f"{self._head}{PLANTS}/to/{agent}"

    def presence(self, agent: str) -> str:
        """Where an agent is seen."""
        return f"{self._head}{PRESENCE}/{agent}"

    @property
    def roll(self) -> str:
        """Where the roll is called and the start is given."""
        return f"{self._head}{ROLL}"

    def heard_by(self, agent: str, *, kept: bool = False) -> tuple[tuple[str, int], ...]:
        """(filter, QoS) of everything that is addressed to an agent; `kept`: what is streamed must arrive too."""
        return (
            (self.message("+", agent), 1),
            (self.message("+", agent, streamed=True), int(kept)),
            (self.plant_reading(agent), int(kept)),
        )

    def heard_by_plants(self) -> tuple[tuple[str, int], ...]:
        """(filter, QoS) of everything that the plants hear."""
        return ((self.plant_asked("+"), 1),)

    def heard_by_all(self) -> tuple[tuple[str, int], ...]:
        """(filter, QoS) of what everybody may know: who is there, and when it begins."""
        return ((self.presence("+"), 1), (self.roll, 1))

    def address(self, topic: str) -> Address | None:
        """What a topic says; None if it is none of this run's."""
        if not topic.startswith(self._head):
            return None
        match topic.removeprefix(self._head).split("/"):
            case ["to", receiver, "from", sender]:
                return Address(NEGOTIATION, sender, receiver)
            case ["stream", "to", receiver, "from", sender]:
                return Address(STREAM, sender, receiver)
            case ["plants", "from", agent]:
                return Address(ASKED, agent, PLANTS)
            case ["plants", "to", agent]:
                return Address(READINGS, PLANTS, agent)
            case ["presence", agent]:
                return Address(PRESENCE, agent, None)
            case ["roll"]:
                return Address(ROLL, None, None)
            case _:
                return None
