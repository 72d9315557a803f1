"""A file with a column for every quantity of every participant: few rows wait, and a long record becomes several files.

    rows as they come ─▶ some hundreds (heap.py) ─▶ whole columns, rounded ─▶ clerk ─▶ row group of name.parquet
    MOST_CHUNKS reached, and more to write ─▶ name.parquet/000001.parquet, … (read as one by pandas, Arrow)

Until a Parquet file is closed its writer remembers of each column of each row group where it lies, and that takes
1.2 kB: for a swarm more than the numbers themselves. So memory is bounded whatever the length of the run.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...agents.runtime.memory.recording import Values
from .clerk import Clerk
from .heap import Few, Heap, Packed
from .leavings import LEAVINGS
from .parquet import TIME

MANY_COLUMNS = 4096
MOST_ROWS, LEAST_ROWS = 8192, 256
WIDE_CELLS = 2**21  # a wide file waits for fewer rows: 16 MB of numbers, not 8 GB for a swarm
MOST_CHUNKS = 2**15  # columns of row groups in one file: 40 MB to remember


def flush_rows(columns: int, files: int = 1) -> int:
    """How many rows of so many numbers wait to be written, in each of so many files; the bytes hang on these alone."""
    return min(MOST_ROWS, max(LEAST_ROWS, WIDE_CELLS // max(1, columns * files)))


def is_large(columns: int, files: int = 1) -> bool:
    """Whether there are thousands of columns in so many files together."""
    return columns * files > MANY_COLUMNS


def packing(columns: int, files: int = 1) -> dict[str, Any]:
    """How each of so many files of so many numbers is packed: where there are thousands, without what is dear.

    A column of a hundred numbers takes 70 µs with a dictionary and zstd, and 10 µs without.
    """
    many = is_large(columns, files)
    return {"compression": "lz4", "use_dictionary": False} if many else {"compression": "zstd"}


class Parts:
    """What a wide file is written to: one file, or a folder of several as soon as there must be a second."""

    def __init__(self, path: Path, names: tuple[str, ...], files: int) -> None:
        """`files`: how many wide files there are, which share what may be remembered."""
        self._path, self._names, self._packed = path, names, packing(len(names), files)
        self._most = max(1, MOST_CHUNKS // ((1 + len(names)) * files))
        self._writer: pq.ParquetWriter | None = None
        self._groups, self._rows = 0, list[int]()

    def write(self, times_us: list[int], columns: list[pa.Array]) -> None:
        """Append a row group; a full file is closed at once, so that nothing is remembered of it."""
        writer = self._writer or self._opened()
        table = pa.Table.from_arrays([pa.array(times_us, type=TIME), *columns], schema=writer.schema)
        writer.write_table(table, row_group_size=MOST_ROWS)
        self._groups += 1
        self._rows[-1] += len(times_us)
        if self._groups == self._most:
            self.close()

    def _opened(self) -> pq.ParquetWriter:
        """The next file."""
        schema = pa.schema([pa.field("at", TIME), *(pa.field(name, pa.float64()) for name in self._names)])
        place, packed = self._next(), self._packed
        self._writer = pq.ParquetWriter(place, schema, version="2.6", write_statistics=False, **packed)
        return self._writer

    def _next(self) -> Path:
        if len(self._rows) == 1:
            first = self._path.rename(self._path.with_suffix(".first"))
            self._path.mkdir()
            first.rename(self._part(1))
        self._rows.append(0)
        return self._path if len(self._rows) == 1 else self._part(len(self._rows))

    def _part(self, number: int) -> Path:
        return self._path / f"{number:06}.parquet"

    def close(self) -> None:
        """Complete the file that is being written."""
        if self._writer is not None:
            self._writer.close()
            self._writer, self._groups = None, 0

    @property
    def rows(self) -> dict[Path, int]:
        """How many rows each file has."""
        if len(self._rows) == 1:
            return {self._path: self._rows[0]}
        return {self._part(number): rows for number, rows in enumerate(self._rows, start=1)}


class WideFile:
    """A column `at` and one column per quantity; the first row fixes which. `files`: how many are written at once."""

    def __init__(self, path: Path, clerk: Clerk, files: int = 1) -> None:
        self._path = path
        self._clerk = clerk
        self._files = files
        self._names: tuple[str, ...] = ()
        self._parts: Parts | None = None
        self._times_us: list[int] = []
        self._heap: Heap = Few()
        self._most_rows = 0

    def add(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """Append one tick; ValueError if it has a quantity that the first had not."""
        if self._parts is None:
            self._names, self._most_rows = names, flush_rows(len(names), self._files)
            self._parts = Parts(self._path, names, self._files)
        if not self._times_us:
            large = is_large(len(self._names), self._files)
            self._heap = Packed(self._most_rows, len(self._names)) if large else Few()
        same = names is self._names or names == self._names
        self._heap.add(np.array(values if same else self._sorted(names, values), dtype=float))
        self._times_us.append(at_us)
        if len(self._times_us) == self._most_rows:
            self._flush()

    @property
    def rows(self) -> dict[Path, int]:
        """How many rows each file has, when all is written."""
        return {} if self._parts is None else self._parts.rows

    def close(self) -> None:
        """Write what is left."""
        if self._parts is not None:
            if self._times_us:
                self._flush()
            self._clerk.do(self._parts.close, 0)

    def _sorted(self, names: tuple[str, ...], values: Values) -> list[float]:
        strange = [name for name in names if name not in self._names]
        if strange:
            raise ValueError(f"{self._path.name}: column {strange[0]} is new, but the first row fixes the columns")
        given = dict(zip(names, values, strict=True))
        return [given.get(name, np.nan) for name in self._names]

    def _flush(self) -> None:
        assert self._parts is not None
        parts, times_us, heap = self._parts, self._times_us, self._heap
        self._times_us = []
        size = len(times_us) * len(self._names)
        self._clerk.do(lambda: parts.write(times_us, heap.columns()), size)
        self._clerk.do(partial(LEAVINGS.add, size), 0)
