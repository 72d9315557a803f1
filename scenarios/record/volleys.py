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

from ...protocols.flow import Flow, Volley
from ...protocols.information.activation import Measurement
from ...protocols.information.sheet import Sheet
from ...protocols.messages import Message
from .parquet import TIME

_TEXT = pa.string()


class Distinct:
    """Each object once, in the order of first meeting, and where it stands."""

    def __init__(self) -> None:
        """Nothing has been met."""
        self.objects: list[Any] = []
        self._places: dict[int, int] = {}

    def place(self, one: Any) -> int:
        """Where an object stands."""
        place = self._places.get(id(one))
        if place is None:
            place = self._places[id(one)] = len(self.objects)
            self.objects.append(one)
        return place

    def places(self, many: Sequence[Any]) -> list[int]:
        """Where each of them stands."""
        return [self.place(one) for one in many]


def flows_of(volleys: Sequence[Volley]) -> tuple[list[Flow], Any]:
    """All flows, and which one each row is of."""
    flows, known = Distinct(), dict[int, list[int]]()
    number = []
    for volley in volleys:
        own = known.get(id(volley.flows))
        if own is None:
            own = known[id(volley.flows)] = flows.places(volley.flows)
        number.append(own)
    return flows.objects, _indices(number)


def ids_of(volleys: Sequence[Volley], flows: Sequence[Flow], number: Any) -> Any:
    """The ids of all rows: prefix and number."""
    prefixes = pa.array([flow.prefix for flow in flows], type=_TEXT).take(number)
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


def contents_of(volleys: Sequence[Volley]) -> tuple[list[Message], Any, Any]:
    """What was said, each object once; which of them each row says; and, for measurements, when they were taken."""
    said, number, measured = Distinct(), list[list[int]](), list[Any]()
    for volley in volleys:
        contents = volley.contents
        if isinstance(contents, Sheet):
            places = said.places(contents.said)
            number.append([places[one] for one in contents.who])
            measured.append(np.full(len(contents), contents.at_us))
        else:
            number.append(said.places(contents))
            taken = [one.measured_at if isinstance(one, Measurement) else 0 for one in contents]
            measured.append(np.array(taken, dtype=np.int64))
    times = np.concatenate(measured)
    return said.objects, _indices(number), pa.array(times, mask=times == 0).cast(TIME)


def spreading(number: Any) -> Callable[[Any], Any]:
    """From one value of each to one a row: `number` says which, and counts up where each is new."""
    return lambda values: values if len(values) == len(number) else values.take(number)


def _indices(number: Sequence[Sequence[int]]) -> Any:
    return pa.array(np.fromiter(chain.from_iterable(number), dtype=np.int32))
