"""Volleys as columns of streams.parquet: what many flows have said at one instant is never made a row.

volleys ─▶ flows, numbers, contents by place ─▶ ids and addresses looked up once a flow, contents once an object
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...protocols.flow import Flow, Volley
from ...protocols.information.sheet import Sheet
from ...protocols.messages import Message
from .parquet import TIME

_TEXT = pa.string()


def distinct(many: Sequence[Any]) -> tuple[list[Any], NDArray[np.int32]]:
    """Each object once, in the order of first meeting, and where every one of `many` stands among them."""
    ids = list(map(id, many))
    known = dict(zip(ids, many, strict=True))
    if len(known) == len(many):
        return list(many), np.arange(len(many), dtype=np.int32)
    places = dict(zip(known, range(len(known)), strict=True))
    return list(known.values()), np.fromiter(map(places.__getitem__, ids), dtype=np.int32, count=len(ids))


def flows_of(volleys: Sequence[Volley]) -> tuple[list[Flow], NDArray[np.int32]]:
    """All flows, and which one each row is of."""
    choirs, which = distinct([volley.flows for volley in volleys])
    flows, places = distinct(list(chain.from_iterable(choirs)))
    parts = np.split(places, np.cumsum([len(choir) for choir in choirs])[:-1])
    return flows, np.concatenate([parts[one] for one in which])


def ids_of(volleys: Sequence[Volley], flows: Sequence[Flow], number: Any) -> Any:
    """The ids of all rows: prefix and number."""
    prefixes = pa.array([flow.prefix for flow in flows], type=_TEXT).take(pa.array(number))
    numbers = pa.array(np.fromiter(chain.from_iterable(volley.numbers for volley in volleys), dtype=np.int64))
    return pc.binary_join_element_wise(prefixes, numbers.cast(_TEXT), "")


def times_of(volleys: Sequence[Volley]) -> tuple[Any, Any]:
    """When all rows were sent, and when each is received."""
    sent = np.repeat([volley.sent_us for volley in volleys], [len(volley) for volley in volleys])
    received = list(chain.from_iterable(volley.received_us for volley in volleys))
    return pa.array(sent, type=pa.int64()).cast(TIME), pa.array(received, type=TIME)


def causes_of(volleys: Sequence[Volley]) -> Any:
    """What each row was said because of."""
    return pa.array(list(chain.from_iterable(volley.causes for volley in volleys)), type=_TEXT)


def contents_of(volleys: Sequence[Volley]) -> tuple[list[Message], NDArray[np.int32], NDArray[np.int64]]:
    """What was said, each object once; which of them each row says; and when rows of sheets were measured, else 0."""
    sheets = [volley.contents if isinstance(volley.contents, Sheet) else None for volley in volleys]
    told = [volley.contents if sheet is None else sheet.said for volley, sheet in zip(volleys, sheets, strict=True)]
    said, places = distinct(list(chain.from_iterable(told)))
    parts = np.split(places, np.cumsum([len(one) for one in told])[:-1])
    number = [
        own if sheet is None else own[np.asarray(sheet.who, dtype=np.int32)]
        for sheet, own in zip(sheets, parts, strict=True)
    ]
    at_us = [0 if sheet is None else sheet.at_us for sheet in sheets]
    return said, np.concatenate(number), np.repeat(at_us, [len(one) for one in number])


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


def _whole(number: NDArray[np.int32]) -> Any:
    missing = number < 0
    return pa.array(number, mask=missing if missing.any() else None)


def times_measured(measured_at: Any, at_us: NDArray[np.int64]) -> Any:
    """When each row was measured: at the time of its sheet, if it is of one."""
    if not at_us.any():
        return measured_at
    of_sheets = pa.array(at_us, mask=at_us == 0).cast(TIME)
    return of_sheets if at_us.all() else of_sheets.fill_null(measured_at)
