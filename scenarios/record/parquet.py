"""Parquet with the same bytes for the same rows: explicit schema, one compression, a fixed number of rows a flush."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .cells import number
from .columns import STREAMS, Table

FLUSH_ROWS = 8192
TIME = pa.timestamp("us", tz="UTC")
_TYPES = {"text": pa.string(), "json": pa.string(), "integer": pa.int64(), "number": pa.float64(), "time": TIME}


class ParquetFile:
    """Rows written in groups of a fixed size."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._columns: list[list[Any]] = [[] for _ in schema.names]
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", version="2.6", write_statistics=False)
        self.rows = 0

    def add(self, row: Sequence[object]) -> None:
        """Append one row, its values in the order of the schema."""
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        self.rows += 1
        if self.rows % FLUSH_ROWS == 0:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if not self._columns[0]:
            return
        arrays = [pa.array(values, type=kind) for values, kind in zip(self._columns, self._schema.types, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=FLUSH_ROWS)
        for column in self._columns:
            column.clear()


def schema_of(table: Table) -> pa.Schema:
    """The Parquet schema of a table."""
    return pa.schema([pa.field(column.name, _TYPES[column.kind]) for column in table.columns])


def streams_file(path: Path) -> ParquetFile:
    """The file of the high-rate messages."""
    return ParquetFile(path, schema_of(STREAMS))


class WideFile:
    """A column `at` and one column per quantity; the first row fixes which."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: tuple[str, ...] | None = None
        self._file: ParquetFile | None = None

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self._file.rows if self._file is not None else 0

    def add(self, at_us: int, values: Mapping[str, float]) -> None:
        """Append one tick; ValueError if it has a quantity that the first had not."""
        if self._file is None or self._names is None:
            self._names = tuple(values)
            schema = pa.schema([pa.field("at", TIME), *(pa.field(name, pa.float64()) for name in self._names)])
            self._file = ParquetFile(self._path, schema)
        strange = [name for name in values if name not in self._names] if len(values) != len(self._names) else []
        if strange:
            raise ValueError(f"{self._path.name}: column {strange[0]} is new, but the first row fixes the columns")
        self._file.add([at_us, *(number(values.get(name)) for name in self._names)])

    def close(self) -> None:
        """Write what is left."""
        if self._file is not None:
            self._file.close()
