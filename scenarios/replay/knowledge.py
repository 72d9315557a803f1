"""What agents knew at a moment of a recorded run, rebuilt from the journal, as plain paths that can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from immutables import Map
from pydantic import BaseModel

from ...agents.extension import Extended
from ...protocols.conversation import Conversation
from ...protocols.tables import Protocol
from ..audit.findings import moment_of
from ..errors import RecordError
from ..operation import plants
from ..operation.nodes import Cast, cast, played_by
from ..record.columns import PLANT
from .replaying import UNFIT, Recall, is_restart

if TYPE_CHECKING:
    from ...agents.runtime.inputs import Effect, Input
    from ...agents.runtime.node import Node
    from ..record.run import Run

Paths = Mapping[str, str]


@dataclass(frozen=True)
class Knowledge:
    """What every agent knew, by path, after so many inputs, and what then made one of them act (None: nothing did)."""

    agents: Mapping[str, Paths]
    inputs: int
    cause: str | None


def knowledge_before(run: Run, kind: str, index: int, at: str, inputs: int | None = None) -> Knowledge:
    """What agents knew before the `index`-th message, event or measurement, or else at a moment.

    That is when it has passed, or within it after as many `inputs` as another run had had.
    Raises RecordError if the journal does not fit the agents of this version.
    """
    from ...protocols.information.quantities import instant

    everybody = cast(run.scenario, plants.resources(run.scenario))
    seen, taken, recall = 0, 0, Recall(everybody)
    index = _of_agents(run, index) if kind == "event" else index
    for row in run.journal_rows():
        now, point = moment_of(row["at"]), moment_of(at)
        if now > point or (now == point and inputs is not None and taken >= inputs):
            break
        if is_restart(row):
            continue
        node = everybody.nodes.get(row["agent"])
        try:
            if node is None:
                raise KeyError(f"no agent {row['agent']}")
            given, before = recall.input_of(row), _copy(node)
            effects = node.take(given, instant(row["at"]))
        except UNFIT as error:
            place = f"{run.folder}/journal.jsonl.gz:{row['sequence'] + 1}"
            raise RecordError(f"{place}: this input cannot be replayed: {type(error).__name__}: {error}") from error
        recall.keep(effects)
        seen += sum(_kind(effect) == kind for effect in effects)
        if seen > index:
            node.state, node.desk.conversations, node.timers = before
            return Knowledge(_of_all(everybody), taken, f"{row['agent']} {_experienced(given)} at {row['at']}")
        taken += 1
    return Knowledge(_of_all(everybody), taken, None)


def _of_agents(run: Run, index: int) -> int:
    """The how-manieth event of an agent an event is; none ever if a plant has left it: that is no agent's doing."""
    physical = [row["agent"].startswith(PLANT) for row in run.event_rows]
    return len(physical) if any(physical[index : index + 1]) else index - sum(physical[:index])


def _copy(node: Node) -> tuple[Any, dict[str, Conversation], dict[str, int]]:
    """What a node knows now; its state is immutable."""
    return node.state, dict(node.desk.conversations), dict(node.timers)


def _kind(effect: Effect) -> str | None:
    from ...agents.actions import Note
    from ...agents.runtime.inputs import Send

    if isinstance(effect, Send):
        return "measurement" if effect.streamed else "message"
    return "event" if isinstance(effect, Note) else None


def _experienced(given: Input) -> str:
    from ...agents.runtime.inputs import Alarm, Arrival, Due, Reading, Result

    match given:
        case Arrival(envelope=envelope):
            return f"heard {envelope.content.type_id} of {envelope.sender}, {envelope.id},"
        case Due(conversation_id, _):
            return f"had waited long enough in {conversation_id}"
        case Alarm(timer, _):
            return f"was woken by its timer {timer}"
        case Result(key, _, error):
            return f"got the study {key}" + (f", which failed: {error}," if error else "")
        case Reading(source, _):
            return f"read {source}"
        case _:
            return "began"


def _of_all(everybody: Cast) -> dict[str, Paths]:
    return {name: _of(node) for name, node in sorted(everybody.nodes.items())}


def _of(node: Node) -> Paths:
    talks = {key: _stand(talk) for key, talk in sorted(node.desk.known().items())}
    own = node.state.own if isinstance(node.agent, Extended) else None
    agent, state = played_by(node)
    return {
        **flattened(getattr(agent, "profile", None), "profile"),
        **flattened(state, "state"),
        **(flattened(own, "plugins") if own else {}),
        **flattened(talks, "conversations"),
        **flattened(dict(sorted(node.timers.items())), "timers"),
    }


def _stand(talk: Conversation) -> str:
    return f"{talk.protocol.name} in '{talk.state}', {talk.said} said, {talk.heard} heard"


def flattened(value: object, path: str = "") -> dict[str, str]:
    """A nested value as text by path, as `orders[a].power_mw`; empty parts stand as `nothing`."""
    return dict(_paths(value, path))


def _paths(value: object, path: str) -> Iterator[tuple[str, str]]:
    parts = list(_parts(value))
    if parts:
        for name, inner in parts:
            yield from _paths(inner, f"{path}{name}" if name.startswith("[") or not path else f"{path}.{name}")
    elif isinstance(value, Protocol):
        yield path, value.name
    elif isinstance(value, frozenset | set):
        yield path, ", ".join(sorted(map(str, value))) or "nothing"
    elif isinstance(value, Map | Mapping | tuple | list):
        yield path, "nothing"
    else:
        yield path, repr(value)


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """(name, part) of what a value is made of."""
    if isinstance(value, Map | Mapping):
        names = sorted(value)
        yield from ((str(name) if str(name).isidentifier() else f"[{name}]", value[name]) for name in names)
    elif isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from ((name, getattr(value, name)) for name in value._fields)
    elif isinstance(value, tuple | list):
        yield from ((f"[{number}]", each) for number, each in enumerate(value))
    elif is_dataclass(value) and not isinstance(value, Protocol | type):
        yield from ((field.name, getattr(value, field.name)) for field in fields(value))


def differences(first: Paths, second: Paths) -> list[str]:
    """`path: ours | theirs` of every path whose texts differ, in order."""
    paths = dict.fromkeys((*first, *second))
    absent = "nothing"
    pairs = [(path, first.get(path, absent), second.get(path, absent)) for path in paths]
    return [f"{path}: {ours} | {theirs}".removeprefix(": ") for path, ours, theirs in pairs if ours != theirs]
