"""The journal: every input of every agent as one line of JSON, before its effects. Enough to replay a run.

Values are written with the name of their type, and read back only into the types listed here; nothing is
ever imported or executed because a line names it. Envelopes are written as on the wire – but a streamed one, which
the record holds already, is named by its row only, and readings of every tick are written as rows.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel

from ....grid.area.area import AreaReading
from ....grid.limits.allowing import Allowed, Binding
from ....grid.limits.headroom import Headroom
from ....grid.readings import Assessment, Readings
from ....grid.voltage.cvr import TapBlock
from ....protocols.envelope import Envelope
from ....protocols.information.activation import PointPower
from ....protocols.vocabulary import Vocabulary
from ....protocols.wire import FIELDS, from_plain
from ...bsp.reading import ParticipantReading, ResourceReading
from ...dso.own_study import OwnOptions
from ...dso.studies import InterfaceForecast, TapOptions, Transformer, UnknownPoint, Watch
from ..inputs import Alarm, Arrival, Begin, Due, Input, Reading, Result


class Streamed(NamedTuple):
    """The arrival of a streamed message, by its number among the run's; whoever reads it knows what was said."""

    row: int


class Restarted(NamedTuple):
    """No input: an agent's process is there again, and does now what it had not yet done about its last input.

    `done`: how many effects of that input it had carried out before it died.
    """

    done: int


TYPES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        Alarm,
        Allowed,
        AreaReading,
        Arrival,
        Assessment,
        Begin,
        Binding,
        Due,
        Headroom,
        InterfaceForecast,
        OwnOptions,
        ParticipantReading,
        PointPower,
        Reading,
        Readings,
        ResourceReading,
        Restarted,
        Result,
        Streamed,
        TapBlock,
        TapOptions,
        Transformer,
        UnknownPoint,
        Watch,
    )
}
TYPE, ENVELOPE, ROW = "@", "envelope", "row"
ROWS: dict[type[Any], dict[str, type[Any]]] = {
    ParticipantReading: {"resources": ResourceReading, "points": PointPower},
}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def to_line(given: Input) -> str:
    """One input as a line of JSON."""
    if isinstance(given, Arrival) and given.row is not None:
        return f'{{"@":"Streamed","row":{given.row}}}'
    return to_text(given)


def to_text(value: object) -> str:
    """Any value of the listed types as JSON in one line."""
    return _ENCODER.encode(_plain(value))


def from_text(text: str, vocabulary: Vocabulary, types: Mapping[str, type[Any]]) -> Any:
    """Read a value of one of `types` back; ValueError, KeyError or a protocol error if the text is none."""
    return from_values(json.loads(text), vocabulary, types)


def from_values(plain: Any, vocabulary: Vocabulary, types: Mapping[str, type[Any]]) -> Any:
    """The same from JSON that has been read already; it is used up."""
    return _value(plain, vocabulary, types)


def from_line(
    line: str, vocabulary: Vocabulary, added: Mapping[str, type[Any]] | None = None
) -> Input | Streamed | Restarted:
    """Read an input back; ValueError, KeyError or a protocol error if the line is none.

    `added`: further types by name, those that plugins' studies answer with.
    """
    given = from_text(line, vocabulary, {**TYPES, **(added or {})})
    if not isinstance(given, Begin | Arrival | Streamed | Restarted | Due | Alarm | Result | Reading):
        raise ValueError(f"not an input of an agent: {line[:80]}")
    return given


def _plain(value: object) -> Any:
    kind = type(value)
    if kind in (str, int, float, bool) or value is None:
        return value
    if kind in ROWS:
        return {TYPE: kind.__name__, ROW: [_cell(each) for each in value]}  # type: ignore[attr-defined]
    if kind is Envelope:
        return _plain_envelope(value)
    if isinstance(value, BaseModel):
        return {TYPE: kind.__name__, **value.model_dump(mode="json")}
    if kind is tuple:
        return [_plain(each) for each in value]  # type: ignore[attr-defined]
    names = _names(kind)  # type: ignore[arg-type]
    return value if names is None else {TYPE: kind.__name__, **{name: _plain(getattr(value, name)) for name in names}}


def _plain_envelope(value: Any) -> Any:
    plain: dict[str, Any] = {name: getattr(value, name) for name in FIELDS}
    return {TYPE: ENVELOPE, **plain, "type": value.content.type_id, "content": value.content.model_dump(mode="json")}


@cache
def _names(kind: type[Any]) -> tuple[str, ...] | None:
    """The fields of a named tuple or data class; None for anything else."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return getattr(kind, "_fields", None)


def _cell(value: Any) -> Any:
    """One value of a row; parts of it are rows without names, which a named tuple is in JSON as it stands."""
    if type(value) is tuple and value and isinstance(value[0], BaseModel):
        return [tuple(part.__dict__.values()) for part in value]
    return value


def _value(plain: Any, vocabulary: Vocabulary, types: Mapping[str, type[Any]]) -> Any:
    if isinstance(plain, list):
        return tuple(_value(each, vocabulary, types) for each in plain)
    if not isinstance(plain, dict):
        return plain
    name = plain.pop(TYPE)
    if name == ENVELOPE:
        return from_plain(plain, vocabulary)
    kind = types[name]
    if kind in ROWS:
        return _of_row(kind, plain[ROW])
    return kind(**{key: _value(each, vocabulary, types) for key, each in plain.items()})


def _of_row(kind: Any, row: list[Any]) -> Any:
    parts = ROWS[kind]
    named = zip(kind._fields, row, strict=True)
    return kind(*(tuple(_part(parts[name], p) for p in cell) if name in parts else cell for name, cell in named))


def _part(kind: Any, cells: list[Any]) -> Any:
    names = kind._fields if hasattr(kind, "_fields") else kind.model_fields
    return kind(**dict(zip(names, cells, strict=True)))
