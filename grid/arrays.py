"""The array types that grid calculations exchange, the size of complex ones, and small matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
DENSE_UP_TO_ENTRIES = 20_000


def size_of(values: Complexes) -> Floats:
    """Return |x|; several times faster than np.abs, which guards against overflow."""
    return np.asarray(np.sqrt(values.real**2 + values.imag**2))


def in_a_row(places: Integers) -> Integers | slice:
    """Return places as a slice where one follows the other: it costs a fifth to look there, and shows the same."""
    first, count = (int(places[0]) if len(places) else 0), len(places)
    return slice(first, first + count) if first >= 0 and np.array_equal(places, first + np.arange(count)) else places


def handy(matrix: Any) -> Any:
    """Return a sparse matrix as an array where it is so small that a product costs less than to look what is in it."""
    return matrix.toarray() if matrix.shape[0] * matrix.shape[1] <= DENSE_UP_TO_ENTRIES else matrix
