"""What is explored of a world, and a world's states and moves as small values.

Window   from when to when, with which faults, who may be silent, what must be agreed
State    who stands where, what is on its way, the time          Move   what happens next
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ...protocols.envelope import Envelope
from ..runtime.inputs import Alarm, Due, Reading
from .actor import NextDue
from .transit import NOBODY, Ways

STREAMS = frozenset({("fipa-subscribe", "streaming")})
Silencing = Literal["nobody", "at any time"] | str


class State(NamedTuple):
    """Who stands where, what is on its way, the time, a stray copy, faults still to come, who is silent."""

    standings: tuple[int, ...]
    ways: Ways
    now_us: int
    stray: int
    faults: int
    silent: int


class Move(NamedTuple):
    """What happens: to whom, with which envelope or study, and in which way it turns out."""

    kind: str
    actor: int
    envelope: int = NOBODY
    study: int = NOBODY
    way: int = 0
    due: NextDue | None = None


@dataclass(frozen=True)
class Window:
    """What is explored: from when to when, with which faults; `silent` names an agent, or anybody at any time."""

    name: str
    from_us: int
    until_us: int
    settle_us: int
    faults: int = 1
    silent: Silencing = "nobody"
    late: int | None = None
    may_fall: tuple[str, ...] = ()
    open_ended: frozenset[tuple[str, str]] = STREAMS

    @property
    def bounds(self) -> tuple[str, ...]:
        """What it bounds, in words."""
        silent = {
            "nobody": "nobody silent",
            "at any time": f"one of {', '.join(self.may_fall)} silent from any time on",
        }
        late = () if self.late is None else (f"at most {self.late} messages late at a time",)
        return (
            f"{self.from_us / 1e6:g} to {self.until_us / 1e6:g} s",
            f"at most {self.faults} message lost or doubled" if self.faults else "no message lost or doubled",
            silent.get(self.silent, f"{self.silent} silent from the beginning"),
            *late,
        )


def in_words(due: NextDue, way: int) -> str:
    """What the time brings."""
    match due.given:
        case Alarm(timer, _):
            what = f"timer {timer}"
        case Due(conversation_id, _):
            what = f"silence in {conversation_id}"
        case Reading(source, _):
            what = f"reading of {source}, way {way}"
        case _:
            what = "something"
    return f"at {due.at_us / 1e6:g} s: {what}"


def is_due(state: State, move: Move) -> bool:
    """Whether something is due at this very instant: it comes before anything else does."""
    return move.due is not None and move.due.at_us <= state.now_us


def about(envelope: Envelope) -> str:
    """Where a message belongs: its id without who began."""
    return envelope.id.partition("/")[2]
