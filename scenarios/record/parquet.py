"""Parquet with the same bytes for the same rows: explicit schema, one compression, a fixed number of rows a flush.

    rows as they come ─▶ a buffer of FLUSH_ROWS ─▶ whole columns, rounded at once ─▶ clerk ─▶ row group on disk

So memory is bounded whatever the length of the run, and what a row costs is little more than to keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...grid.arrays import Booleans, Floats
from .cells import DIGITS
from .clerk import Clerk
from .columns import Table
from .spreading import WORDS

FLUSH_ROWS = 16384
TIME = pa.timestamp("us", tz="UTC")
_TYPES = {"text": pa.string(), "json": pa.string(), "integer": pa.int64(), "number": pa.float64(), "time": TIME}
REPEATED = ("text", "json")
R = TypeVar("R")


class Parted(Protocol):
    """Rows that are one thing, of which parts can be cut."""

    def __len__(self) -> int:
        """How many rows."""

    def part(self, places: slice) -> Parted:
        """Some of them."""


def numbers(values: Any) -> pa.Array:
    """Floats to 1e-6 (1 W, 1e-6 pu), no -0.0; what is None, infinite or no number becomes null."""
    return columns_of_numbers(np.array([values], dtype=float))[0]


def columns_of_numbers(values: Floats) -> list[pa.Array]:
    """The same for each row of a block of floats, which it changes."""
    found = np.isfinite(values)
    np.round(values, DIGITS, out=values)
    values += 0.0
    return arrays_of(values, found)


def arrays_of(values: Floats, found: Booleans) -> list[pa.Array]:
    """An array of each row of a block; what is not `found` is null."""
    one_after_the_other = pa.array(values.ravel(), mask=None if found.all() else ~found.ravel())
    many = values.shape[1]
    return [one_after_the_other.slice(row * many, many) for row in range(len(values))]


def schema_of(table: Table) -> pa.Schema:
    """The Parquet schema of a table."""
    return pa.schema([pa.field(column.name, _TYPES[column.kind]) for column in table.columns])


def with_words(schema: pa.Schema, words: Sequence[str]) -> pa.Schema:
    """The same with some columns of texts as words of a dictionary, which is how Parquet keeps them."""
    return pa.schema([field.with_type(WORDS) if field.name in words else field for field in schema])


def fitting(array: Any, kind: pa.DataType) -> Any:
    """An array of texts as words, if that is wanted."""
    return array.dictionary_encode() if kind == WORDS and array.type != WORDS else array


class ParquetFile(Generic[R]):
    """Rows of any kind, turned into columns (`arrays_of`, in the order of the schema) in groups of a fixed size."""

    def __init__(
        self,
        path: Path,
        table: Table,
        arrays_of: Callable[[list[R]], list[Any]],
        clerk: Clerk,
        *,
        unique: Sequence[str],
    ) -> None:
        """Columns of numbers, times and what is `unique` hold hardly a value twice: they go without a dictionary."""
        self._arrays_of = arrays_of
        self._clerk = clerk
        self._waiting: list[R] = []
        self._many = 0
        words = [column.name for column in table.columns if column.kind in REPEATED and column.name not in unique]
        self._schema = with_words(schema_of(table), words)
        packed = {"compression": "zstd", "use_dictionary": words, "store_schema": False}  # read as plain texts
        self._writer = pq.ParquetWriter(path, self._schema, version="2.6", write_statistics=False, **packed)
        self._flushed = 0

    @property
    def rows(self) -> int:
        """How many have been added."""
        return self._flushed + self._many

    def add(self, row: R) -> None:
        """Append one row."""
        self._waiting.append(row)
        self._many += 1
        if self._many == FLUSH_ROWS:
            self._flush()

    def add_part(self, rows: Parted) -> None:
        """Append something that counts as many rows, and is cut where a group of rows is full."""
        many, room = len(rows), FLUSH_ROWS - self._many
        if many >= room:
            self._waiting.append(rows.part(slice(0, room)))  # type: ignore[arg-type]
            self._many = FLUSH_ROWS
            self._flush()
            rows, many = rows.part(slice(room, many)), many - room
        if many:
            self._waiting.append(rows)  # type: ignore[arg-type]
            self._many += many

    def close(self) -> None:
        """Write what is left."""
        if self._waiting:
            self._flush()
        self._clerk.do(self._writer.close)

    def _flush(self) -> None:
        self._flushed += self._many
        rows, self._waiting, self._many = self._waiting, [], 0
        self._clerk.do(lambda: self._write(rows))

    def _write(self, rows: list[R]) -> None:
        arrays = map(fitting, self._arrays_of(rows), self._schema.types)
        table = pa.Table.from_arrays(list(arrays), schema=self._schema)
        self._writer.write_table(table, row_group_size=FLUSH_ROWS)


def read_table(path: Path, wanted: Callable[[str], bool] | None = None) -> pa.Table:
    """A Parquet file, or a folder of parts of one (`wide.py`), all columns or those whose names are `wanted`.

    Raises OSError or ArrowException if it is damaged.
    """
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return pa.concat_tables(_columns_of(pq.ParquetFile(part), wanted) for part in parts)


def _columns_of(file: pq.ParquetFile, wanted: Callable[[str], bool] | None) -> pa.Table:
    return file.read(None if wanted is None else list(filter(wanted, file.schema_arrow.names)))
