"""KPI 1 of what was streamed: the same figures as for negotiation messages, of whole columns at once.

A day has a million rows. What a row must hold to be a message is asked of its columns; bytes are those of its content
as compact JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from ...protocols.information.activation import Measurement, SetPoint
from ...protocols.information.quantities import Product
from ...protocols.messages import Message
from ..record.instants import times_us
from ..record.said import MEASURED, ORDERED, POWERS

if TYPE_CHECKING:
    import pandas as pd

    from ..record.run import Run

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
KINDS = get_args(SetPoint.model_fields["kind"].annotation)
LOOKED_AT = ("info", "type", "performative", "sent_at", "received_at", *MEASURED, *ORDERED)
NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
POINT = rf'\{{"point": "(?:[^"\\]|\\.)+", "p_mw": {NUMBER}, "q_mvar": {NUMBER}\}}'
POINTS = rf"\[{POINT}(?:, {POINT})*\]"
SPACED = re.compile(r', "|: |}, {')


@dataclass(frozen=True, slots=True)
class Streamed:
    """What was streamed of one INFO."""

    sent: int
    valid: int
    latency_ms: Floats
    content_bytes: int


def streamed(run: Run) -> dict[str, Streamed]:
    """What was streamed, by INFO."""
    frame = run.streams[list(LOOKED_AT)]
    return {str(info): _figures(rows) for info, rows in frame.groupby("info", sort=True)}


def _figures(rows: pd.DataFrame) -> Streamed:
    delivered = rows[rows["received_at"].notna()]
    latency = (times_us(delivered["received_at"]) - times_us(delivered["sent_at"])) / 1000
    valid, size = 0, 0
    for message, is_valid, size_of in KNOWN:
        own = rows[rows["type"] == message.type_id]
        if len(own):
            named = (own["info"] == message.info) & (own["performative"] == message.performative.value)
            valid += int((named.to_numpy(dtype=bool) & is_valid(own)).sum())
            size += size_of(own)
    return Streamed(len(rows), valid, latency, size)


def _measurement_is_valid(rows: pd.DataFrame) -> Booleans:
    numbers = np.isfinite(rows[list(POWERS)].to_numpy(dtype=float)).all(axis=1)
    named = (rows["participant"].fillna("") != "").to_numpy(dtype=bool)
    found: Booleans = numbers & named & rows["measured_at"].notna().to_numpy() & _are_points(rows["points"])
    return found


def _are_points(texts: pd.Series) -> Booleans:
    """Whether each text is a list of points, or none; one that is said again and again is looked at once."""
    codes, distinct = texts.factorize()
    alike = [re.fullmatch(POINTS, text) is not None for text in distinct]
    found: Booleans = np.array([*alike, True])[codes]  # the code of a missing text is -1
    return found


def _set_point_is_valid(rows: pd.DataFrame) -> Booleans:
    known = rows["product"].isin(get_args(Product)) & rows["kind"].isin(KINDS)
    found: Booleans = known.to_numpy(dtype=bool) & np.isfinite(rows["power_mw"].to_numpy(dtype=float))
    return found


def _measurement_bytes(rows: pd.DataFrame) -> int:
    points = rows["points"].value_counts()
    told = sum(_compact(str(text)) * count for text, count in points.items()) + 2 * (len(rows) - int(points.sum()))
    whole = times_us(rows["measured_at"].dropna()) % 1_000_000 == 0
    times = np.where(whole, len("2026-03-02T12:00:00Z"), len("2026-03-02T12:00:00.000000Z")).sum()
    return (
        _frame(MEASURED, len(rows))
        + int(told + times + 2 * len(whole))
        + _texts(rows, "participant")
        + _floats(rows, *POWERS)
    )


def _compact(points: str) -> int:
    """Bytes of points as compact JSON: no spaces after commas and colons."""
    return len(points.encode()) - len(SPACED.findall(points))


def _set_point_bytes(rows: pd.DataFrame) -> int:
    texts = _texts(rows, "product") + _texts(rows, "kind")
    return _frame(ORDERED, len(rows)) + texts + _floats(rows, "power_mw")


def _frame(keys: tuple[str, ...], count: int) -> int:
    """Bytes of braces, keys, colons and commas of so many objects."""
    return count * (2 + sum(len(key) + 3 for key in keys) + len(keys) - 1)


def _texts(rows: pd.DataFrame, column: str) -> int:
    counts = rows[column].value_counts()
    return sum(int(count) * len(json.dumps(text, ensure_ascii=False).encode()) for text, count in counts.items())


def _floats(rows: pd.DataFrame, *columns: str) -> int:
    """Bytes of numbers as Python writes them; each distinct value is written once."""
    values, counts = np.unique(rows[list(columns)].to_numpy(dtype=float), return_counts=True)
    return sum(len(repr(value)) * count for value, count in zip(values.tolist(), counts.tolist(), strict=True))


KNOWN: tuple[tuple[type[Message], Callable[[pd.DataFrame], Booleans], Callable[[pd.DataFrame], int]], ...] = (
    (Measurement, _measurement_is_valid, _measurement_bytes),
    (SetPoint, _set_point_is_valid, _set_point_bytes),
)
