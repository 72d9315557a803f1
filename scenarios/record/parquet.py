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

from ...agents.runtime.recording import Values
from ...grid.arrays import Floats
from .cells import DIGITS
from .clerk import Clerk
from .columns import Table

FLUSH_ROWS = 8192
MANY_COLUMNS = 4096
WIDE_CELLS, LEAST_ROWS = 2**21, 128  # a wide file waits for fewer rows: 16 MB of numbers, not 8 GB for a swarm
TIME = pa.timestamp("us", tz="UTC")
_TYPES = {"text": pa.string(), "json": pa.string(), "integer": pa.int64(), "number": pa.float64(), "time": TIME}
REPEATED = ("text", "json")
WORDS = pa.dictionary(pa.int32(), pa.string())
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
    whole_rows: list[bool] = np.all(found, axis=1).tolist()
    known = zip(values, found, whole_rows, strict=True)
    return [pa.array(row, mask=None if whole else ~finite) for row, finite, whole in known]


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
        room = FLUSH_ROWS - self._many
        if len(rows) >= room:
            self._keep(rows.part(slice(0, room)), room)
            self._flush()
            rows = rows.part(slice(room, len(rows)))
        if len(rows):
            self._keep(rows, len(rows))

    def _keep(self, rows: Any, many: int) -> None:
        self._waiting.append(rows)
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


def flush_rows(columns: int, files: int = 1) -> int:
    """How many rows of so many numbers wait to be written, in each of so many files; the bytes hang on these alone."""
    return min(FLUSH_ROWS, max(LEAST_ROWS, WIDE_CELLS // max(1, columns * files)))


def packing(columns: int, files: int = 1) -> dict[str, Any]:
    """How each of so many files of so many numbers is packed: where there are thousands, without what is dear.

    A column of a hundred numbers takes 70 µs with a dictionary and zstd, and 10 µs without.
    """
    many = columns * files > MANY_COLUMNS
    return {"compression": "lz4", "use_dictionary": False} if many else {"compression": "zstd"}


class WideFile:
    """A column `at` and one column per quantity; the first row fixes which. `files`: how many are written at once."""

    def __init__(self, path: Path, clerk: Clerk, files: int = 1) -> None:
        self._path = path
        self._clerk = clerk
        self._files = files
        self._names: tuple[str, ...] = ()
        self._writer: pq.ParquetWriter | None = None
        self._times_us: list[int] = []
        self._values: list[Any] = []
        self._most_rows = 0
        self.rows = 0

    def add(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """Append one tick; ValueError if it has a quantity that the first had not."""
        if self._writer is None:
            self._begin(names)
        same = names is self._names or names == self._names
        self._values.append(np.array(values if same else self._sorted(names, values), dtype=float))
        self._times_us.append(at_us)
        self.rows += 1
        if len(self._values) == self._most_rows:
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
        packed = packing(len(names), self._files)
        self._writer = pq.ParquetWriter(self._path, self._schema, version="2.6", write_statistics=False, **packed)
        self._most_rows = flush_rows(len(names), self._files)

    def _sorted(self, names: tuple[str, ...], values: Values) -> list[float]:
        strange = [name for name in names if name not in self._names]
        if strange:
            raise ValueError(f"{self._path.name}: column {strange[0]} is new, but the first row fixes the columns")
        given = dict(zip(names, values, strict=True))
        return [given.get(name, np.nan) for name in self._names]

    def _flush(self) -> None:
        times_us, values = self._times_us, self._values
        self._times_us, self._values = [], []
        self._clerk.do(lambda: self._write(times_us, values))

    def _write(self, times_us: list[int], values: list[Any]) -> None:
        assert self._writer is not None
        columns = columns_of_numbers(np.stack(values, axis=1))
        table = pa.Table.from_arrays([pa.array(times_us, type=TIME), *columns], schema=self._schema)
        self._writer.write_table(table, row_group_size=FLUSH_ROWS)
