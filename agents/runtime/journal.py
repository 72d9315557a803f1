"""The journal: every input of every agent as one line of JSON, before its effects. Enough to replay a run.

Values are written with the name of their type, and read back only into the types listed here; nothing is
ever imported or executed because a line names it. Envelopes are written as on the wire.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from ...grid.area import AreaReading
from ...grid.cvr import TapBlock
from ...grid.limits import Allowed, Binding
from ...grid.readings import Assessment, Readings
from ...protocols.envelope import Envelope
from ...protocols.information.activation import PointPower
from ...protocols.vocabulary import Vocabulary
from ...protocols.wire import FIELDS, from_plain
from ..bsp.reading import ParticipantReading, ResourceReading
from ..dso.studies import InterfaceForecast, TapOptions, Transformer, UnknownPoint, Watch
from .node import Alarm, Arrival, Begin, Due, Input, Reading, Result

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
        InterfaceForecast,
        ParticipantReading,
        PointPower,
        Reading,
        Readings,
        ResourceReading,
        Result,
        TapBlock,
        TapOptions,
        Transformer,
        UnknownPoint,
        Watch,
    )
}
TYPE, ENVELOPE = "@", "envelope"


def to_line(given: Input) -> str:
    """One input as a line of JSON."""
    return to_text(given)


def to_text(value: object) -> str:
    """Any value of the listed types as JSON in one line."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str, vocabulary: Vocabulary, types: Mapping[str, type[Any]]) -> Any:
    """Read a value of one of `types` back; ValueError, KeyError or a protocol error if the text is none."""
    return _value(json.loads(text), vocabulary, types)


def from_line(line: str, vocabulary: Vocabulary, added: Mapping[str, type[Any]] | None = None) -> Input:
    """Read an input back; ValueError, KeyError or a protocol error if the line is none.

    `added`: further types by name, those that plugins' studies answer with.
    """
    given = from_text(line, vocabulary, {**TYPES, **(added or {})})
    if not isinstance(given, Begin | Arrival | Due | Alarm | Result | Reading):
        raise ValueError(f"not an input of an agent: {line[:80]}")
    return given


def _plain(value: object) -> Any:
    if isinstance(value, Envelope):
        plain: dict[str, Any] = {name: getattr(value, name) for name in FIELDS}
        content = value.content.model_dump(mode="json")
        return {TYPE: ENVELOPE, **plain, "type": value.content.type_id, "content": content}
    name = type(value).__name__
    if isinstance(value, BaseModel):
        return {TYPE: name, **value.model_dump(mode="json")}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {TYPE: name, **{field: _plain(getattr(value, field)) for field in value._fields}}
    if is_dataclass(value):
        return {TYPE: name, **{field.name: _plain(getattr(value, field.name)) for field in fields(value)}}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _value(plain: Any, vocabulary: Vocabulary, types: Mapping[str, type[Any]]) -> Any:
    if isinstance(plain, list):
        return tuple(_value(each, vocabulary, types) for each in plain)
    if not isinstance(plain, dict):
        return plain
    name = plain.pop(TYPE)
    if name == ENVELOPE:
        return from_plain(plain, vocabulary)
    return types[name](**{key: _value(each, vocabulary, types) for key, each in plain.items()})
