"""The high-rate messages in the shape of negotiation messages, so that one replay serves both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...protocols.information.quantities import iso
from ..record.columns import STREAMS
from ..record.instants import times_us
from ..record.run import Run
from ..record.streaming import content_of

if TYPE_CHECKING:
    import pandas as pd

_ADDRESS = STREAMS.names[:17]


def stream_rows(run: Run) -> Iterator[dict[str, Any]]:
    """Rows of streams.parquet, with their content as the message that was sent."""
    yield from _rows(run.streams)


class Streamed:
    """The same conversation by conversation, made when they are asked for: a day has a million, of some dozens."""

    def __init__(self, run: Run) -> None:
        import numpy as np

        self._frame = run.streams
        codes, names = self._frame["conversation_id"].factorize(use_na_sentinel=False)
        ends = np.cumsum(np.bincount(codes, minlength=len(names)))
        places = np.split(np.argsort(codes, kind="stable"), ends[:-1]) if len(names) else []
        self._places = dict(zip(names.tolist(), places, strict=True))

    @property
    def conversations(self) -> tuple[Any, ...]:
        """In the order in which they began."""
        return tuple(self._places)

    def rows_of(self, conversation: Any) -> Iterator[dict[str, Any]]:
        """The rows of a conversation, in the order of sending."""
        return _rows(self._frame.iloc[self._places[conversation]]) if conversation in self._places else iter(())


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
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
