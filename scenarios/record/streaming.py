"""High-rate messages as columns of streams.parquet, many at once, and their content back from a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ...agents.runtime.recording import Sent
from ...protocols.information.activation import Measurement, PointPower, SetPoint
from ...protocols.messages import Message
from .cells import number
from .parquet import TIME, numbers

_TEXT = pa.string()
MEASURED = ("participant", "measured_at", "p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw", "points")
ORDERED = ("product", "kind", "power_mw")


def check_streamed(sent: Sent) -> None:
    """TypeError for content that streams do not hold."""
    content = sent.envelope.content
    if type(content) is not Measurement and type(content) is not SetPoint:
        raise TypeError(f"{content.type_id} is no real-time information, but streams hold nothing else")


def stream_arrays(sents: list[Sent]) -> list[Any]:
    """All columns, in the order of STREAMS."""
    contents = [sent.envelope.content for sent in sents]
    return [*_address(sents), *_measured(_each(contents, Measurement)), *_ordered(_each(contents, SetPoint))]


def content_of(type_id: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a row as the message that was sent, from its type id and columns."""
    if type_id == SetPoint.type_id:
        return {name: columns[name] for name in ORDERED}
    measured = {name: columns[name] for name in MEASURED}
    return {**measured, "points": json.loads(measured["points"] or "[]")}


def _address(sents: list[Sent]) -> list[Any]:
    envelopes = [sent.envelope for sent in sents]
    contents = [envelope.content for envelope in envelopes]
    return [
        _texts([envelope.id for envelope in envelopes]),
        _times([sent.sent_at_us for sent in sents]),
        _times([sent.received_at_us for sent in sents]),
        _texts([envelope.sender for envelope in envelopes]),
        _texts([envelope.receiver for envelope in envelopes]),
        _texts([sent.sender_role for sent in sents]),
        _texts([sent.receiver_role for sent in sents]),
        _texts([content.performative.value for content in contents]),
        _texts([envelope.protocol for envelope in envelopes]),
        _texts([envelope.conversation_id for envelope in envelopes]),
        _texts([envelope.in_reply_to for envelope in envelopes]),
        _texts([envelope.caused_by for envelope in envelopes]),
        _times([envelope.reply_by_us for envelope in envelopes]),
        _texts([sent.stage for sent in sents]),
        _texts([sent.step for sent in sents]),
        _texts([content.info for content in contents]),
        _texts([content.type_id for content in contents]),
    ]


def _each(contents: Sequence[Message], kind: type[Message]) -> Callable[[Callable[[Any], object]], list[Any]]:
    """Reads something of every content of a kind; None where it is of another."""
    if all(type(content) is kind for content in contents):
        return lambda read: [read(content) for content in contents]
    own = [content if type(content) is kind else None for content in contents]
    return lambda read: [None if content is None else read(content) for content in own]


def _measured(each: Callable[[Callable[[Any], object]], list[Any]]) -> list[Any]:
    return [
        _texts(each(lambda content: content.participant)),
        _times(each(lambda content: content.measured_at)),
        numbers(each(lambda content: content.p_mw)),
        numbers(each(lambda content: content.q_mvar)),
        numbers(each(lambda content: content.activated_mw)),
        numbers(each(lambda content: content.baseline_mw)),
        numbers(each(lambda content: content.set_point_mw)),
        _texts(_points(each(lambda content: content))),
    ]


def _ordered(each: Callable[[Callable[[Any], object]], list[Any]]) -> list[Any]:
    return [
        _texts(each(lambda content: content.product)),
        _texts(each(lambda content: content.kind)),
        numbers(each(lambda content: content.power_mw)),
    ]


def _points(contents: Sequence[Any]) -> list[str | None]:
    """Connection points as JSON, made once for all receivers of the same content."""
    made: dict[int, str | None] = {}
    for content in contents:
        if id(content) not in made:
            points = content.points if content is not None else ()
            made[id(content)] = json.dumps([_point(point) for point in points]) if points else None
    return [made[id(content)] for content in contents]


def _point(point: PointPower) -> dict[str, Any]:
    return {"point": point.point, "p_mw": number(point.p_mw), "q_mvar": number(point.q_mvar)}


def _texts(values: list[Any]) -> Any:
    return pa.array(values, type=_TEXT)


def _times(values: list[Any]) -> Any:
    return pa.array(values, type=TIME)
