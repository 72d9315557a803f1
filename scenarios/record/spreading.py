"""What many rows have in common is looked at once, and spread over them.

rows ─▶ each thing once, and the number of each row's ─▶ an array of the things ─▶ one value a row
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_TEXT = pa.string()
WORDS = pa.dictionary(pa.int32(), _TEXT)


def distinct(many: Sequence[Any]) -> tuple[list[Any], NDArray[np.int32]]:
    """Each object once, in the order of first meeting, and where every one of `many` stands among them."""
    ids = list(map(id, many))
    known = dict(zip(ids, many, strict=True))
    if len(known) == len(many):
        return list(many), np.arange(len(many), dtype=np.int32)
    places = dict(zip(known, range(len(known)), strict=True))
    return list(known.values()), np.fromiter(map(places.__getitem__, ids), dtype=np.int32, count=len(ids))


def spreading(number: NDArray[np.int32], many: int) -> Callable[[Any], Any]:
    """From one value of each of `many` to one a row: `number` says which."""
    if many == len(number) and np.array_equal(number, np.arange(many)):
        return lambda values: values
    return lambda values: spread_over(values, number)


def spread_over(values: Any, number: NDArray[np.int32]) -> Any:
    """One value a row, null where `number` is -1; texts stay words of a dictionary, of which only numbers are many."""
    if values.type != _TEXT:
        return values.take(_whole(number))
    words = values.dictionary_encode()
    places = np.append(words.indices.fill_null(-1).to_numpy(), np.int32(-1))
    return pa.DictionaryArray.from_arrays(_whole(places[number]), words.dictionary)


def as_met(column: Any) -> Any:
    """A column whose words, if it has any, are those that occur, in the order of meeting: bytes hang on rows alone."""
    if column.type != WORDS:
        return column
    number, words, many = column.indices.fill_null(-1).to_numpy(), column.dictionary, len(column)
    first = np.full(len(words) + 1, many)
    first[number[::-1]] = np.arange(many)[::-1]  # of several places the last one stays, which is the first row
    kept = np.argsort(first[:-1], kind="stable")[: np.count_nonzero(first[:-1] < many)]
    if len(kept) == len(words) and np.array_equal(kept, np.arange(len(words))):
        return column
    places = np.full(len(words) + 1, -1, dtype=np.int32)
    places[kept] = np.arange(len(kept), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(_whole(places[number]), words.take(pa.array(kept)))


def _whole(number: NDArray[np.int32]) -> Any:
    missing = number < 0
    return pa.array(number, mask=missing if missing.any() else None)
