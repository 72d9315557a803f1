"""Volleys as columns of streams.parquet: what many flows have said at one instant is never made a row.

volleys ─▶ flows, numbers, contents by place ─▶ ids and addresses looked up once a flow, contents once an object
large ones, each message new ─▶ Block: the messages' columns, and nothing of themselves
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from .said import Told, told_by
from .spreading import distinct

_TEXT = pa.string()
LEAST_TOLD = 64  # fewer messages are kept until they are written


@dataclass(frozen=True, slots=True)
class Block:
    """A volley of which it is known what its messages say."""

    flows: tuple[Flow, ...]
    numbers: Sequence[int]
    contents: Told
    causes: Sequence[str | None]
    sent_us: int
    received_us: Sequence[int | None]

    def __len__(self) -> int:
        return len(self.flows)

    def part(self, places: slice) -> Block:
        """Some of them, one after the other."""
        numbers, causes, received_us = self.numbers[places], self.causes[places], self.received_us[places]
        return Block(self.flows[places], numbers, self.contents.part(places), causes, self.sent_us, received_us)


def by_column(volley: Volley) -> Volley | Block:
    """What messages of one kind say, as columns, where there are many; they need not be kept then."""
    kind, contents = volley.flows[0].kind, volley.contents
    if len(volley) < LEAST_TOLD or isinstance(contents, Sheet) or set(map(type, contents)) != {kind}:
        return volley
    times = volley.sent_us, volley.received_us
    return Block(volley.flows, volley.numbers, told_by(kind, contents), volley.causes, *times)


def flows_of(volleys: Sequence[Volley | Block]) -> tuple[list[Flow], NDArray[np.int32]]:
    """All flows, and which one each row is of."""
    choirs, which = distinct([volley.flows for volley in volleys])
    flows, places = distinct(list(chain.from_iterable(choirs)))
    parts = np.split(places, np.cumsum([len(choir) for choir in choirs])[:-1])
    return flows, np.concatenate([parts[one] for one in which])


def ids_of(volleys: Sequence[Volley | Block], flows: Sequence[Flow], number: Any) -> Any:
    """The ids of all rows: prefix and number."""
    prefixes = pa.array([flow.prefix for flow in flows], type=_TEXT).take(pa.array(number))
    numbers = np.fromiter(chain.from_iterable([volley.numbers for volley in volleys]), np.int64, count=len(number))
    return pc.binary_join_element_wise(prefixes, pa.array(numbers).cast(_TEXT), "")


def times_of(volleys: Sequence[Volley | Block]) -> tuple[Any, Any]:
    """When all rows were sent, and when each is received."""
    sent = np.repeat(np.array([volley.sent_us for volley in volleys], np.int64), [len(volley) for volley in volleys])
    received = list(chain.from_iterable([volley.received_us for volley in volleys]))
    return pa.array(sent).cast(TIME), pa.array(received, type=pa.int64()).cast(TIME)


def causes_of(volleys: Sequence[Volley | Block]) -> Any:
    """What each row was said because of."""
    return pa.array(list(chain.from_iterable([volley.causes for volley in volleys])), type=_TEXT)


def contents_of(volleys: Sequence[Volley]) -> tuple[list[Message], NDArray[np.int32], NDArray[np.int64]]:
    """What was said, each object once; which of them each row says; and when rows of sheets were measured, else 0."""
    sheets = [volley.contents if isinstance(volley.contents, Sheet) else None for volley in volleys]
    told = [volley.contents if sheet is None else sheet.said for volley, sheet in zip(volleys, sheets, strict=True)]
    whose = [_own(len(own)) if sheet is None else sheet.who for sheet, own in zip(sheets, told, strict=True)]
    said, places = distinct(list(chain.from_iterable(told)))
    many, within = list(map(len, told)), _one_after_the_other(whose)
    rows = list(map(len, whose))
    number = places[within + np.repeat(np.cumsum(many) - many, rows)]
    return said, number, np.repeat([0 if sheet is None else sheet.at_us for sheet in sheets], rows)


@lru_cache(maxsize=256)
def _own(many: int) -> range:
    """Each row says its own; the same object for the same number."""
    return range(many)


def _one_after_the_other(many: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Lists of which most are the same objects."""
    lists, which = distinct(many)
    arrays = [np.asarray(one, dtype=np.int64) for one in lists]
    return np.concatenate([arrays[one] for one in which.tolist()])


def times_measured(measured_at: Any, at_us: NDArray[np.int64]) -> Any:
    """When each row was measured: at the time of its sheet, if it is of one."""
    if not at_us.any():
        return measured_at
    of_sheets = pa.array(at_us, mask=at_us == 0).cast(TIME)
    return of_sheets if at_us.all() else of_sheets.fill_null(measured_at)
