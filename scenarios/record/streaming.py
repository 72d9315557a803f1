"""The content of high-rate messages as columns of streams.parquet, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...protocols.information.activation import Measurement, SetPoint
from ...protocols.messages import Message
from .cells import number, plain

MEASURED = ("participant", "measured_at", "p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw", "points")
ORDERED = ("product", "kind", "power_mw")
CONTENT = (*MEASURED, *ORDERED)
_NOT_ORDERED: tuple[None, ...] = (None,) * len(ORDERED)
_NOT_MEASURED: tuple[None, ...] = (None,) * len(MEASURED)


def stream_content(content: Message) -> tuple[object, ...]:
    """The columns after the address; TypeError if streams do not hold such messages."""
    if isinstance(content, SetPoint):
        return (*_NOT_MEASURED, content.product, content.kind, number(content.power_mw))
    if not isinstance(content, Measurement):
        raise TypeError(f"{content.type_id} is no real-time information, but streams hold nothing else")
    points = json.dumps([plain(point) for point in content.points]) if content.points else None
    measured = (content.p_mw, content.q_mvar, content.activated_mw, content.baseline_mw, content.set_point_mw)
    numbers = (number(value) for value in measured)
    return (content.participant, content.measured_at, *numbers, points, *_NOT_ORDERED)


def content_of(kind: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a row as the message that was sent, from its type id and columns."""
    if kind == SetPoint.type_id:
        return {name: columns[name] for name in ORDERED}
    measured = {name: columns[name] for name in MEASURED}
    return {**measured, "points": json.loads(measured["points"] or "[]")}
