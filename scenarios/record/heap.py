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
_highest, _lowest = np.maximum.reduce, np.minimum.reduce  # no number, if there is one that is none


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
        self._many, self._is_whole = 0, True

    def __len__(self) -> int:
        """How many."""
        return self._many

    def add(self, row: Floats) -> None:
        """One more; changes it."""
        np.rint(np.multiply(row, SCALE, out=row), out=row)
        if self._is_whole and not (_highest(row) <= MOST and _lowest(row) >= -MOST):
            self._take_strange(row)
        self._block[self._many] = row
        self._many += 1

    def _take_strange(self, row: Floats) -> None:
        """What is no number becomes NONE; a number too large makes floats of all of them."""
        strange = ~(np.abs(row) <= MOST)
        if np.isfinite(row[strange]).any():
            self._block, self._is_whole = np.where(self._block == NONE, np.nan, self._block), False
        else:
            row[strange] = NONE

    def columns(self) -> list[pa.Array]:
        """As `Heap`."""
        block = self._block[: self._many].T
        found = np.ascontiguousarray(block != NONE if self._is_whole else np.isfinite(block))
        values = np.divide(block, SCALE, order="C")
        self._block, self._many = np.empty((0, 0)), 0
        values += 0.0
        return arrays_of(values, found)
