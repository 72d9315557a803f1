"""Protocols of a user's own, and what agents do in them: the parts of a plugin, and the agent that wears it.

    base events ─────────────▶ base agent ─────────────────────┐
    a plugin's conversations,                                  ├─▶ actions
    timers, studies, readings ─▶ behaviour of that plugin ─────┘

A behaviour is pure, as every agent is: it has a state of its own, knows the agent's situation, and says what it does
in actions. Timers, studies, observed sources and rounds of a plugin carry its name, so that no two can mix them up.
An agent without a behaviour for what it is asked refuses, where the table lets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from immutables import Map

from ..protocols.errors import LocalProtocolError
from ..protocols.flow import Row
from ..protocols.messages import Refuse
from ..protocols.tables import Protocol as Table
from .actions import Action, Compute, Forget, Observe, Open, Publish, PublishEach, Say, Wake
from .agent import Agent, Reaction
from .calendar import Calendar
from .cycle import Cycle
from .events import Computed, Event, Heard, Rejected, RoundClosed, Sampled, Silence, Started, Woken
from .mistakes import mistake, reaction, sound, told

if TYPE_CHECKING:
    from ..grid.studies.studies import GridStudies

S = TypeVar("S")
MARK = ":"


class Party(NamedTuple):
    """Somebody who takes part: kind TSO, DSO, BSP or AGGREGATOR; the grid it operates or is connected to."""

    name: str
    kind: str
    grid: str | None


class Situation(NamedTuple):
    """What a behaviour may know: who it is, who else takes part, the dates, and the state of the agent it extends."""

    me: Party
    parties: tuple[Party, ...]
    calendar: Calendar
    base: Any = None


class Behaviour(Protocol[S]):
    """What agents of one kind do in a plugin's protocols."""

    @property
    def kind(self) -> str:
        """TSO, DSO, BSP or AGGREGATOR."""

    def start(self) -> S:
        """Its state before anything has happened; immutable and hashable."""

    def react(self, situation: Situation, state: S, event: Event, now_us: int) -> Reaction[S]:
        """The next state and what to do; pure."""


class Study(Protocol):
    """A plugin's question to a grid: frozen, and everything that the answer depends on is in it."""

    @property
    def grid(self) -> str:
        """The grid that is asked about."""

    def run(self, studies: "GridStudies") -> object:
        """Answer it with numbers, texts, tuples, or one of the plugin's RESULTS."""


@dataclass(frozen=True)
class Extension:
    """One plugin: its tables, behaviours, studies, the types of their results, roles it adds to kinds, strategies."""

    name: str
    protocols: tuple[Table, ...]
    behaviours: tuple[Behaviour[Any], ...] = ()
    studies: tuple[type[Study], ...] = ()
    results: tuple[type[Any], ...] = ()
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    strategies: Mapping[str, type[Any]] = field(default_factory=dict)

    def behaviour_of(self, kind: str) -> Behaviour[Any] | None:
        """What agents of a kind do, or None."""
        return next((behaviour for behaviour in self.behaviours if behaviour.kind == kind), None)


class ExtendedState(NamedTuple):
    """The base agent's state, and that of every behaviour by the plugin's name."""

    base: Any
    own: Map[str, Any]


@dataclass(frozen=True)
class Extended:
    """An agent with the behaviours that plugins add to its kind."""

    base: Agent[Any]
    situation: Situation
    extensions: tuple[Extension, ...]

    @property
    def name(self) -> str:
        """Its name in the run."""
        return self.base.name

    @property
    def kind(self) -> str:
        """The base agent's kind."""
        return self.base.kind

    def start(self) -> ExtendedState:
        """Nothing has happened to anybody."""
        own = {each.name: self._begun(each, behaviour) for each, behaviour in self._behaviours()}
        return ExtendedState(self.base.start(), Map(own))

    def _begun(self, extension: Extension, behaviour: Behaviour[Any]) -> object:
        try:
            return behaviour.start()
        except Exception as error:
            raise mistake(extension.name, behaviour, self.name, "its start", error) from error

    def telemetry(self, state: ExtendedState) -> Mapping[str, float]:
        """The base agent's."""
        return self.base.telemetry(state.base)

    def overhear(self, state: ExtendedState, rows: Sequence[Row]) -> tuple[ExtendedState, int]:
        """The base agent's: plugins do not stream."""
        base, taken = self.base.overhear(state.base, rows)
        return state._replace(base=base), taken

    def told(self, state: ExtendedState, cycle: Cycle) -> ExtendedState | None:
        """The base agent's."""
        base = self.base.told(state.base, cycle)
        return None if base is None else state._replace(base=base)

    def react(self, state: ExtendedState, event: Event, now_us: int) -> Reaction[ExtendedState]:
        """Hand the event to whom it belongs: everybody hears that the run begins, else one."""
        if isinstance(event, Started):
            return self._started(state, event, now_us)
        extension, inner = self._addressee(event)
        if extension is None:
            base, actions = self.base.react(state.base, event, now_us)
            return state._replace(base=base), actions
        return self._own(extension, state, inner, now_us)

    def _started(self, state: ExtendedState, event: Started, now_us: int) -> Reaction[ExtendedState]:
        base, actions = self.base.react(state.base, event, now_us)
        state = state._replace(base=base)
        for extension, _ in self._behaviours():
            state, more = self._own(extension, state, event, now_us)
            actions += more
        return state, actions

    def _behaviours(self) -> list[tuple[Extension, Behaviour[Any]]]:
        found = [(each, each.behaviour_of(self.kind)) for each in self.extensions]
        return [(each, behaviour) for each, behaviour in found if behaviour is not None]

    def _addressee(self, event: Event) -> tuple[Extension | None, Event]:
        """The plugin that an event belongs to, and the event as the plugin knows it."""
        if isinstance(event, Heard | Silence | Rejected):
            names = event.conversation.protocol.name
            return next((each for each in self.extensions if names in {p.name for p in each.protocols}), None), event
        for extension in self.extensions:
            mark = extension.name + MARK
            match event:
                case Woken(timer) if timer.startswith(mark):
                    return extension, Woken(timer.removeprefix(mark))
                case Computed(key, result, error) if key.startswith(mark):
                    return extension, Computed(key.removeprefix(mark), result, error)
                case Sampled(source, reading) if source.startswith(mark):
                    return extension, Sampled(source.removeprefix(mark), reading)
                case RoundClosed(round_id) if round_id.startswith(mark):
                    return extension, RoundClosed(round_id.removeprefix(mark))
        return None, event

    def _own(self, extension: Extension, state: ExtendedState, event: Event, now_us: int) -> Reaction[ExtendedState]:
        behaviour = extension.behaviour_of(self.kind)
        if behaviour is None:
            return state, _unable(self.kind, event)
        situation = self.situation._replace(base=state.base)
        try:
            own, actions = reaction(behaviour.react(situation, state.own[extension.name], event, now_us))
            marked = tuple(done for action in actions for done in _marked(extension, sound(action)))
        except Exception as error:
            raise mistake(extension.name, behaviour, self.name, told(event), error) from error
        return state._replace(own=state.own.set(extension.name, own)), marked

    def answer_for(self, action: Action, event: Event, error: LocalProtocolError) -> None:
        """Raise PluginError if it was a plugin's action that the protocol does not let us do."""
        extension, inner = self._addressee(event)
        if extension is None and isinstance(action, Open):  # as on Started, which everybody hears
            extension = next((each for each in self.extensions if action.protocol in each.protocols), None)
        behaviour = None if extension is None else extension.behaviour_of(self.kind)
        if extension is not None and behaviour is not None:
            raise mistake(extension.name, behaviour, self.name, told(inner), error) from error


def _unable(kind: str, event: Event) -> tuple[Action, ...]:
    """The answer of an agent that has no behaviour for what it is asked."""
    if not isinstance(event, Heard):
        return ()
    protocol, view = event.conversation.protocol, event.conversation
    if Refuse.type_id not in protocol.may_say(view.state, view.side):
        return ()
    return (Say(view.id, Refuse(reason=f"{kind} agents of this run do not know what to do in {protocol.name}")),)


def _marked(extension: Extension, action: Action) -> tuple[Action, ...]:
    """A plugin's action with the plugin's name on what will come back to it."""
    mark = extension.name + MARK
    match action:
        case Open(protocol=protocol, round_id=round_id):
            if protocol not in extension.protocols:
                raise LocalProtocolError(f"plugin {extension.name} opens {protocol.name}, which is not its own")
            return (action if round_id is None else action._replace(round_id=mark + round_id),)
        case Wake() | Forget():
            return (action._replace(timer=mark + action.timer),)
        case Compute(key=key):
            return (action._replace(key=mark + key),)
        case Observe(source=source):
            return (action._replace(source=mark + source),)
        case Publish(conversation_ids, content, caused_by):  # streams.parquet holds INFO 7 only, so these are messages
            return tuple(Say(conversation_id, content, caused_by=caused_by) for conversation_id in conversation_ids)
        case PublishEach(conversation_ids, contents):
            return tuple(Say(*each) for each in zip(conversation_ids, contents, strict=True))
        case _:
            return (action,)
