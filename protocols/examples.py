"""A valid instance of every message type, made from its schema: what documents show to those who write messages.

A field's name decides where it can (`delivery_start`, `price_eur_per_mwh`), else its type. A type whose rules go beyond
this says its own example: `model_config = ConfigDict(json_schema_extra={"examples": [{…}]})`.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from .envelope import Envelope, Side, Topic, message_id
from .errors import TableError
from .messages import Message, NotUnderstood
from .tables import START, Protocol
from .wire import to_json

Schema = Mapping[str, Any]
_NAMED: Mapping[str, Any] = {
    "applicant": "bsp-a",
    "delivery_end": "2026-03-02T11:15:00Z",
    "delivery_start": "2026-03-02T11:00:00Z",
    "duration_s": 600.0,
    "end": "2026-03-02T11:15:00Z",
    "grid": "north",
    "measured_at": "2026-03-02T11:05:00Z",
    "offer_id": "bsp-a.20260302T1100Z.1",
    "participant": "bsp-a",
    "product": "mFRR",
    "reason": "line 3-8 would be loaded with 128 %",
    "resource": "unit-a",
    "share": 1.0,
    "start": "2026-03-02T11:00:00Z",
    "submitted_at": "2026-03-02T10:25:00Z",
    "tap_max": 9,
    "tap_min": -9,
    "tap_position": 0,
    "valid_until": "2026-03-02T11:15:00Z",
    "vm_max_pu": 1.05,
    "vm_min_pu": 0.95,
}
_SUFFIXES = {
    "_mw": 2.5,
    "_mwh": 0.625,
    "_eur": "37.50",
    "_eur_per_mwh": 60.0,
    "_eur_per_mw_h": 15.0,
    "_pu": 1.0,
    "_percent": 5.0,
    "_s": 10.0,
}
_BY_TYPE = {"boolean": True, "integer": 1, "number": 1.0, "null": None}
_INSTANT = "2026-03-02T11:00:00Z"
SPEAKERS = {"TSO": "tso", "DSO": "dso-north", "BSP": "bsp-a", "AGGREGATOR": "agg-1"}


def example(message: type[Message]) -> Message:
    """A valid message of a type; TableError if none can be made, so that the type should say one itself."""
    schema = message.model_json_schema()
    given = schema.get("examples") or [_object(schema, schema.get("$defs", {}))]
    try:
        return message.model_validate_json(json.dumps(given[0]))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "it"
        raise TableError(
            f"{message.type_id} should give an example in its model_config: {where}: {fault['msg']}"
        ) from None


def example_envelope(protocol: Protocol, message: type[Message], side: Side) -> dict[str, Any]:
    """An envelope as JSON values in which `side` says a message in a protocol."""
    names = {Side.INITIATOR: _speaker(protocol.initiator), Side.RESPONDENT: _speaker(protocol.respondent)}
    topic = Topic(names[Side.INITIATOR], protocol.stage, "20260302T1100Z", "example", names[Side.RESPONDENT])
    about = topic.conversation_id
    opens = any(step.state == START and step.message is message for step in protocol.steps)
    heard = None if opens else message_id(about, side.other, 0)
    said = message_id(about, side, 0 if opens or side is Side.RESPONDENT else 1)
    reply_by_us = 1_772_448_300_000_000 if opens else None
    content = (
        NotUnderstood(message_id=str(heard), reason="out of turn") if message is NotUnderstood else example(message)
    )
    told = Envelope(said, names[side], names[side.other], protocol.name, about, content, heard, None, reply_by_us)
    return dict(json.loads(to_json(told)))


def _speaker(role: str) -> str:
    return SPEAKERS.get(role, role.lower())


def _object(schema: Schema, known: Schema) -> dict[str, Any]:
    fields = schema.get("properties", {})
    return {name: _value(name, fields[name], known) for name in schema.get("required", ())}


def _value(name: str, schema: Schema, known: Schema) -> Any:
    if "$ref" in schema:
        return _value(name, known[schema["$ref"].rpartition("/")[2]], known)
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return _NAMED[name] if _NAMED.get(name) in choices else choices[0]
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0], known)
    if schema.get("type") == "object":
        return _object(schema, known)
    if schema.get("type") == "array":
        return [_value(name.removesuffix("s"), schema.get("items", {}), known)]
    return _single(name, schema)


def _single(name: str, schema: Schema) -> Any:
    if name in _NAMED:
        return _NAMED[name]
    if schema.get("format") == "date-time":
        return _INSTANT
    kind = schema.get("type")
    if kind == "string":
        return f"{name.replace('_', '-')}-1"
    suffix = next((value for ending, value in _SUFFIXES.items() if name.endswith(ending)), None)
    value = suffix if kind == "number" and suffix is not None else _BY_TYPE.get(str(kind))
    if kind not in ("number", "integer") or isinstance(value, str):
        return value
    return min(max(value or 0, schema.get("minimum", -math.inf)), schema.get("maximum", math.inf))
