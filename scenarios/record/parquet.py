"""Parquet with the same bytes for the same rows: explicit schema, one compression, a fixed number of rows a flush.

    rows as they come ─▶ a buffer of FLUSH_ROWS ─▶ whole columns, rounded at once ─▶ clerk ─▶ row group on disk

So memory is bounded whatever the length of the run, and what a row costs is little more than to keep it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...agents.runtime.recording import Values
from .cells import DIGITS
from .clerk import Clerk
from .columns import Table

FLUSH_ROWS = 8192
WIDE_CELLS, LEAST_ROWS = 2**21, 128  # a wide file waits for fewer rows: 16 MB of numbers, not 8 GB for a swarm
TIME = pa.timestamp("us", tz="UTC")
_TYPES = {"text": pa.string(), "json": pa.string(), "integer": pa.int64(), "number": pa.float64(), "time": TIME}
R = TypeVar("R")


def numbers(values: Any) -> pa.Array:
    """Floats to 1e-6 (1 W, 1e-6 pu), no -0.0; what is None, infinite or no number becomes null."""
    found = np.asarray(values, dtype=float)
    missing = ~np.isfinite(found)
    rounded = np.round(found, DIGITS) + 0.0
    return pa.array(rounded, mask=missing if missing.any() else None)


def schema_of(table: Table) -> pa.Schema:
    """The Parquet schema of a table."""
    return pa.schema([pa.field(column.name, _TYPES[column.kind]) for column in table.columns])


class ParquetFile(Generic[R]):
    """Rows of any kind, turned into columns (`arrays_of`, in the order of the schema) in groups of a fixed size."""

    def __init__(self, path: Path, schema: pa.Schema, arrays_of: Callable[[list[R]], list[Any]], clerk: Clerk) -> None:
        self._schema = schema
        self._arrays_of = arrays_of
        self._clerk = clerk
        self._waiting: list[R] = []
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", version="2.6", write_statistics=False)
        self.rows = 0

    def add(self, row: R) -> None:
        """Append one row."""
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) == FLUSH_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        if self._waiting:
            self._flush()
        self._clerk.do(self._writer.close)

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        self._clerk.do(lambda: self._write(rows))

    def _write(self, rows: list[R]) -> None:
        table = pa.Table.from_arrays(self._arrays_of(rows), schema=self._schema)
        self._writer.write_table(table, row_group_size=FLUSH_ROWS)


def flush_rows(columns: int) -> int:
    """How many rows of so many numbers wait to be written; it hangs on the width alone, as the bytes hang on it."""
    return min(FLUSH_ROWS, max(LEAST_ROWS, WIDE_CELLS // max(1, columns)))


class WideFile:
    """A column `at` and one column per quantity; the first row fixes which."""

    def __init__(self, path: Path, clerk: Clerk) -> None:
        self._path = path
        self._clerk = clerk
        self._names: tuple[str, ...] = ()
        self._writer: pq.ParquetWriter | None = None
        self._times_us: list[int] = []
        self._values = np.empty((0, 0))
        self.rows = 0

    def add(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """Append one tick; ValueError if it has a quantity that the first had not."""
        if self._writer is None:
            self._begin(names)
        filled = len(self._times_us)
        self._values[filled] = values if names is self._names or names == self._names else self._sorted(names, values)
        self._times_us.append(at_us)
        self.rows += 1
        if filled + 1 == len(self._values):
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            if self._times_us:
                self._flush()
            self._clerk.do(self._writer.close)

    def _begin(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._schema = pa.schema([pa.field("at", TIME), *(pa.field(name, pa.float64()) for name in names)])
        self._writer = pq.ParquetWriter(
            self._path, self._schema, compression="zstd", version="2.6", write_statistics=False
        )
        self._values = np.empty((flush_rows(len(names)), len(names)))

    def _sorted(self, names: tuple[str, ...], values: Values) -> list[float]:
        strange = [name for name in names if name not in self._names]
        if strange:
            raise ValueError(f"{self._path.name}: column {strange[0]} is new, but the first row fixes the columns")
        given = dict(zip(names, values, strict=True))
        return [given.get(name, np.nan) for name in self._names]

    def _flush(self) -> None:
        times_us, values = self._times_us, self._values[: len(self._times_us)]
        self._times_us, self._values = [], np.empty_like(self._values)
        self._clerk.do(lambda: self._write(times_us, values))

    def _write(self, times_us: list[int], values: Any) -> None:
        assert self._writer is not None
        columns = [numbers(column) for column in np.ascontiguousarray(values.T)]
        table = pa.Table.from_arrays([pa.array(times_us, type=TIME), *columns], schema=self._schema)
        self._writer.write_table(table, row_group_size=FLUSH_ROWS)
