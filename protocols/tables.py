"""A protocol is a table: who may say what in which state, and what follows from silence.

    Step(state, speaker, message type, next state)        Silence(state, next state)

One side speaks per state unless the state is declared a *crossing*, where messages of both sides may pass
each other. Some steps can only be heard: a *late* one comes after our waiting has ended, a *crossed* one was
said before our own last message had arrived; nobody may begin to say them. A state without steps is an end; a
state with steps may also be declared an end (`ends`) when nothing is owed there any more.

The table checks itself when it is made (`soundness.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from .envelope import Side
from .messages import Message
from .soundness import START, check

__all__ = ["START", "Protocol", "Silence", "Step"]
Place = tuple[str, Side, type[Message]]  # a state, who speaks, and what


@dataclass(frozen=True, slots=True)
class Step:
    """In `state`, `speaker` may say `message`; the conversation goes on in `then`.

    `puts_off`: its reply-by says until when whoever waits has to wait; that of other answers does not.
    `again`: nobody says it of himself, but only because of what has been heard once more.
    """

    state: str
    speaker: Side
    message: type[Message]
    then: str
    late: bool = False
    crossed: bool = False
    puts_off: bool = False
    again: bool = False

    @property
    def only_heard(self) -> bool:
        """Whether this may be heard here, but not be said by somebody who stands here."""
        return self.late or self.crossed


@dataclass(frozen=True, slots=True)
class Silence:
    """When reply-by passes in `state`, the side that waits goes on in `then`."""

    state: str
    then: str
    waits: Side = Side.INITIATOR


@dataclass(frozen=True)
class Protocol:
    """One interaction protocol between an initiator's and a respondent's role.

    `fipa` names the interaction protocol whose rules it follows, `stage` the part of the business use
    case it belongs to, and `paper` gives the figure and step of the paper that each message type fulfils.
    """

    name: str
    fipa: str
    stage: str
    initiator: str
    respondent: str
    steps: tuple[Step, ...]
    silences: tuple[Silence, ...] = ()
    ends: frozenset[str] = frozenset()
    crossings: frozenset[str] = frozenset()
    paper: Mapping[type[Message], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a table that contradicts itself (TableError)."""
        object.__setattr__(self, "paper", MappingProxyType(dict(self.paper)))
        check(self)

    @cached_property
    def next_state(self) -> Mapping[Place, Step]:
        """The step for a state, a speaker and a message type."""
        return {_place(step): step for step in self.steps}

    @cached_property
    def sayings(self) -> Mapping[Place, tuple[str, bool]]:
        """What may be said, by state, speaker and message type: the next state, and whether the speaker waits there."""
        spoken = (step for step in self.steps if not step.only_heard)
        return {_place(step): (step.then, self.waits(step.then, step.speaker)) for step in spoken}

    @cached_property
    def hearings(self) -> Mapping[Place, tuple[Step, bool]]:
        """What is understood, by state, speaker and message type: the step, and whether the hearer waits after it."""
        return {_place(step): (step, self.waits(step.then, step.speaker.other)) for step in self.steps}

    @cached_property
    def after_silence(self) -> Mapping[tuple[str, Side], str]:
        """The state after reply-by has passed in a state, for the side that waits there."""
        return {(silence.state, silence.waits): silence.then for silence in self.silences}

    @cached_property
    def final(self) -> frozenset[str]:
        """States in which nothing is owed any more."""
        return frozenset(self.states - {step.state for step in self.steps}) | self.ends

    @cached_property
    def over(self) -> frozenset[str]:
        """Final states in which nobody waits or begins to speak: what comes is late, crossed, or the answer to that."""
        going = {step.state for step in self.steps if not (step.only_heard or step.again)}
        return self.final - going - {silence.state for silence in self.silences}

    @cached_property
    def states(self) -> frozenset[str]:
        """Every state that the table names."""
        named = {START} | {s.state for s in self.steps} | {s.then for s in self.steps}
        return frozenset(named | {s.state for s in self.silences} | {s.then for s in self.silences})

    @cached_property
    def messages(self) -> tuple[type[Message], ...]:
        """Every message type of the table, in the order of first use."""
        return tuple(dict.fromkeys(step.message for step in self.steps))

    def role_of(self, side: Side) -> str:
        """The role that speaks on a side."""
        return self.initiator if side is Side.INITIATOR else self.respondent

    def waits(self, state: str, side: Side) -> bool:
        """Whether this side waits in this state, so that it needs a deadline."""
        return (state, side) in self.after_silence

    def may_say(self, state: str, speaker: Side) -> tuple[str, ...]:
        """Type ids that `speaker`, standing in `state`, may say."""
        return tuple(step.message.type_id for step in self._steps_of(state, speaker) if not step.only_heard)

    def understood(self, state: str, speaker: Side) -> tuple[str, ...]:
        """Type ids that are understood from `speaker` by the other side, standing in `state`."""
        return tuple(step.message.type_id for step in self._steps_of(state, speaker))

    def _steps_of(self, state: str, speaker: Side) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if (step.state, step.speaker) == (state, speaker))


def _place(step: Step) -> Place:
    return step.state, step.speaker, step.message
