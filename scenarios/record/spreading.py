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
    met = pa.array(np.fromiter(map(id, many), dtype=np.int64, count=len(many))).dictionary_encode()
    number = met.indices.to_numpy()
    return [many[place] for place in _first_met(number, len(met.dictionary)).tolist()], number


def _first_met(number: NDArray[np.int32], words: int) -> NDArray[np.int64]:
    """The first row of each of so many, or the number of rows where there is none; -1 is nobody's."""
    first = np.full(words + 1, len(number))
    first[number[::-1]] = np.arange(len(number))[::-1]  # of several places the last one stays, which is the first row
    return first[:-1]


def spreading(number: NDArray[np.int32], many: int) -> Callable[[Any], Any]:
    """From one value of each of `many` to one a row: `number` says which, and null where it is -1.

    Texts stay words of a dictionary, of which only numbers are many.
    """
    if many == len(number) and np.array_equal(number, np.arange(many)):
        return lambda values: values
    places, rows = _whole(number), number.astype(np.intp)  # which numpy looks up three times as fast
    return lambda values: _words_of(values, rows) if values.type == _TEXT else values.take(places)


def _words_of(texts: Any, rows: NDArray[np.intp]) -> Any:
    words = texts.dictionary_encode()
    places = np.append(words.indices.fill_null(-1).to_numpy(), np.int32(-1))
    return _in_words(places[rows], words.dictionary)


def _in_words(places: NDArray[np.int32], words: Any) -> Any:
    return pa.DictionaryArray.from_arrays(_whole(places), words, safe=False)


def as_met(column: Any) -> Any:
    """A column whose words, if it has any, are those that occur, in the order of meeting: bytes hang on rows alone."""
    if column.type != WORDS:
        return column
    number, words, many = column.indices.fill_null(-1).to_numpy(), column.dictionary, len(column)
    first = _first_met(number, len(words))
    kept = np.argsort(first, kind="stable")[: np.count_nonzero(first < many)]
    if len(kept) == len(words) and np.array_equal(kept, np.arange(len(words))):
        return column
    places = np.full(len(words) + 1, -1, dtype=np.int32)
    places[kept] = np.arange(len(kept), dtype=np.int32)
    return _in_words(places[number], words.take(pa.array(kept)))


def _whole(number: NDArray[np.int32]) -> Any:
    missing = number < 0
    return pa.array(number, mask=missing if missing.any() else None)
