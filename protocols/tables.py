"""A protocol is a table: who may say what in which state, and what follows from silence.

    Step(state, speaker, message type, next state)        Silence(state, next state)

The table checks itself when it is made: every state can be reached and can end, no two steps share
state, speaker and message type, and one side speaks per state unless the state is declared a
*crossing*, where messages of both sides may pass each other. A state without steps is an end; a state
with steps may also be declared an end (`ends`) when what still can come there is only a late message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from .envelope import Side
from .errors import TableError
from .messages import Message

START = "start"


@dataclass(frozen=True, slots=True)
class Step:
    """In `state`, `speaker` may say `message`; the conversation goes on in `then`."""

    state: str
    speaker: Side
    message: type[Message]
    then: str
    late: bool = False


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
        _check(self)

    @cached_property
    def next_state(self) -> Mapping[tuple[str, Side, type[Message]], Step]:
        """The step for a state, a speaker and a message type."""
        return {(step.state, step.speaker, step.message): step for step in self.steps}

    @cached_property
    def after_silence(self) -> Mapping[tuple[str, Side], str]:
        """The state after reply-by has passed in a state, for the side that waits there."""
        return {(silence.state, silence.waits): silence.then for silence in self.silences}

    @cached_property
    def final(self) -> frozenset[str]:
        """States in which nothing is owed any more."""
        return frozenset(self.states - {step.state for step in self.steps}) | self.ends

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

    def owes(self, state: str, side: Side) -> bool:
        """Whether it is this side's turn: it may speak here, and nobody else is waited for."""
        speakers = {step.speaker for step in self.steps if step.state == state and not step.late}
        return state not in self.final and state not in self.crossings and speakers == {side}

    def expected(self, state: str, speaker: Side) -> tuple[str, ...]:
        """Type ids that `speaker` may say in `state`."""
        return tuple(s.message.type_id for s in self.steps if (s.state, s.speaker) == (state, speaker))


def _check(protocol: Protocol) -> None:
    _no_step_twice(protocol)
    _one_speaker_per_state(protocol)
    _every_state_reached(protocol)
    _every_state_ends(protocol)
    _paper_names_known_messages(protocol)


def _no_step_twice(protocol: Protocol) -> None:
    seen: set[tuple[str, Side, type[Message]]] = set()
    for step in protocol.steps:
        key = (step.state, step.speaker, step.message)
        if key in seen:
            raise TableError(f"{protocol.name}: {step.speaker} says {step.message.type_id} twice in '{step.state}'")
        seen.add(key)
    waits = [silence.state for silence in protocol.silences]
    for state in waits:
        if waits.count(state) > 1:
            raise TableError(f"{protocol.name}: two silences in '{state}'")


def _one_speaker_per_state(protocol: Protocol) -> None:
    for state in sorted(protocol.states - protocol.crossings):
        speakers = {step.speaker for step in protocol.steps if step.state == state}
        if len(speakers) > 1:
            raise TableError(f"{protocol.name}: both sides speak in '{state}', which is not declared a crossing")


def _edges(protocol: Protocol) -> list[tuple[str, str]]:
    spoken = [(step.state, step.then) for step in protocol.steps]
    return spoken + [(silence.state, silence.then) for silence in protocol.silences]


def _closure(start: set[str], edges: list[tuple[str, str]]) -> set[str]:
    reached, frontier = set(start), set(start)
    while frontier:
        frontier = {then for state, then in edges if state in frontier} - reached
        reached |= frontier
    return reached


def _every_state_reached(protocol: Protocol) -> None:
    lost = protocol.states - _closure({START}, _edges(protocol))
    if lost:
        raise TableError(f"{protocol.name}: no way leads to {', '.join(sorted(lost))}")


def _every_state_ends(protocol: Protocol) -> None:
    backwards = [(then, state) for state, then in _edges(protocol)]
    stuck = protocol.states - _closure(set(protocol.final), backwards)
    if stuck:
        raise TableError(f"{protocol.name}: no way out of {', '.join(sorted(stuck))}")


def _paper_names_known_messages(protocol: Protocol) -> None:
    for message in protocol.paper:
        if message not in protocol.messages:
            raise TableError(f"{protocol.name}: the paper's step {protocol.paper[message]} names {message.type_id}")
