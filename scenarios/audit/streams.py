"""The high-rate messages in the shape of negotiation messages, so that one replay serves both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...protocols.information.quantities import iso
from ..record.columns import STREAMS
from ..record.instants import times_us
from ..record.run import Run
from ..record.streaming import content_of

_ADDRESS = STREAMS.names[:17]


def stream_rows(run: Run) -> Iterator[dict[str, Any]]:
    """Rows of streams.parquet, with their content as the message that was sent."""
    frame = run.streams
    columns = {name: _plain(frame[name]) for name in STREAMS.names}
    names = STREAMS.names
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(names, values, strict=True))
        address = {name: row[name] for name in _ADDRESS}
        yield {**address, "content": content_of(row["type"], row)}


def _plain(column: Any) -> list[Any]:
    if column.dtype.kind == "M":
        numbers = times_us(column).tolist()
        return [None if missing else iso(number) for number, missing in zip(numbers, column.isna(), strict=True)]
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]
