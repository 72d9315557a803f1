"""High-rate messages as columns of streams.parquet, many at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from ...agents.runtime.recording import Sent
from ...protocols.information.activation import Measurement, PointPower
from .cells import number
from .parquet import TIME, numbers

_TEXT = pa.string()


def check_streamed(sent: Sent) -> None:
    """TypeError for content that streams do not hold."""
    content = sent.envelope.content
    if type(content) is not Measurement:
        raise TypeError(f"{content.type_id} is no real-time information, but streams hold nothing else")


def stream_arrays(sents: list[Sent]) -> list[Any]:
    """All columns, in the order of STREAMS."""
    return [*_address(sents), *_measured([sent.envelope.content for sent in sents])]


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


def _measured(contents: Sequence[Any]) -> list[Any]:
    return [
        _texts([content.participant for content in contents]),
        _times([content.measured_at for content in contents]),
        numbers([content.p_mw for content in contents]),
        numbers([content.q_mvar for content in contents]),
        numbers([content.activated_mw for content in contents]),
        numbers([content.baseline_mw for content in contents]),
        numbers([content.set_point_mw for content in contents]),
        _texts(_points(contents)),
    ]


def _points(contents: Sequence[Any]) -> list[str | None]:
    """Connection points as JSON, made once for all receivers of the same content."""
    made: dict[int, str | None] = {}
    for content in contents:
        if id(content) not in made:
            made[id(content)] = json.dumps([_point(point) for point in content.points]) if content.points else None
    return [made[id(content)] for content in contents]


def _point(point: PointPower) -> dict[str, Any]:
    return {"point": point.point, "p_mw": number(point.p_mw), "q_mvar": number(point.q_mvar)}


def _texts(values: list[Any]) -> Any:
    return pa.array(values, type=_TEXT)


def _times(values: list[Any]) -> Any:
    return pa.array(values, type=TIME)
