"""Rows of numbers that wait to be written: as they have come, or in half the room where there are thousands a row.

    row ─▶ · 1e6, rounded ─▶ whole numbers of 32 bits, none where there is no number ─▶ columns: / 1e6

That is how numbers are rounded to what the record keeps of them (`cells.py`), so nothing is lost. What does not fit is
kept as floats; megawatts of a grid do.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...grid.arrays import Floats
from .cells import DIGITS
from .parquet import arrays_of, columns_of_numbers

SCALE = 10.0**DIGITS
NONE, MOST = np.iinfo(np.int32).min, np.iinfo(np.int32).max


class Heap(Protocol):
    """Rows that wait."""

    def __len__(self) -> int:
        """How many."""

    def add(self, row: Floats) -> None:
        """One more, which is the heap's from now on."""

    def columns(self) -> list[pa.Array]:
        """All of them as columns, rounded; they do not wait any more."""


class Few:
    """Rows as they have come."""

    def __init__(self) -> None:
        """No row yet."""
        self._rows: list[Floats] = []

    def __len__(self) -> int:
        """How many."""
        return len(self._rows)

    def add(self, row: Floats) -> None:
        """One more."""
        self._rows.append(row)

    def columns(self) -> list[pa.Array]:
        """As `Heap`; nothing else holds the rows then."""
        columns = np.stack(self._rows, axis=1)
        self._rows.clear()
        return columns_of_numbers(columns)


class Packed:
    """Rows as whole numbers, in one block of memory of which only what is filled is in use."""

    def __init__(self, rows: int, columns: int) -> None:
        """Room for so many."""
        self._block: NDArray[Any] = np.empty((rows, columns), dtype=np.int32)
        self._many = 0

    def __len__(self) -> int:
        """How many."""
        return self._many

    def add(self, row: Floats) -> None:
        """One more; changes it."""
        with np.errstate(invalid="ignore", over="ignore"):
            np.rint(np.multiply(row, SCALE, out=row), out=row)
            strange = ~(np.abs(row) <= MOST)
        if self._block.dtype == np.int32 and strange.any():
            if np.isfinite(row[strange]).any():
                self._block = _floats(self._block)
            else:
                row[strange] = NONE
        self._block[self._many] = row
        self._many += 1

    def columns(self) -> list[pa.Array]:
        """As `Heap`."""
        block = self._block[: self._many].T
        found = np.ascontiguousarray(block != NONE if block.dtype == np.int32 else np.isfinite(block))
        values = np.divide(block, SCALE, order="C")
        self._block, self._many = np.empty((0, 0)), 0
        values += 0.0
        return arrays_of(values, found)


def _floats(block: NDArray[np.int32]) -> Floats:
    return np.where(block == NONE, np.nan, block)
