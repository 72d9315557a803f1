"""What high-rate messages say, by column: each kind has its own, null where a row is of another kind.

contents ─▶ Told: a column a field ─▶ arrays, rounded to 1 W        the messages need not be kept until they are written
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...protocols.information.activation import Measurement, PointPower, SetPoint
from ...protocols.messages import Message
from .cells import number
from .parquet import TIME, numbers
from .spreading import spreading

_TEXT = pa.string()
POWERS = ("p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw")
MEASURED = ("participant", "measured_at", *POWERS, "points")
ORDERED = ("product", "kind", "power_mw")
SAID = (*MEASURED, *ORDERED)
FIELDS: dict[type[Message], tuple[str, ...]] = {Measurement: MEASURED, SetPoint: ORDERED}
NUMBERS = frozenset((*POWERS, "power_mw"))


@dataclass(frozen=True, slots=True)
class Told:
    """What messages of one kind say, one column a field."""

    kind: type[Message]
    columns: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def part(self, places: slice) -> Told:
        """What some of them say."""
        return Told(self.kind, tuple([column[places] for column in self.columns]))


def told_by(kind: type[Message], contents: Sequence[Any]) -> Told:
    """What messages of a kind say."""
    told = [content.__dict__ for content in contents]  # as pydantic keeps them
    named = [(name, list(map(itemgetter(name), told))) for name in FIELDS[kind]]
    return Told(kind, tuple([np.array(column, dtype=float) if name in NUMBERS else column for name, column in named]))


def joined(parts: Sequence[Told]) -> Told:
    """One after the other, all of one kind."""
    columns = zip(*[part.columns for part in parts], strict=True)
    return Told(parts[0].kind, tuple([_one_after_the_other(column) for column in columns]))


def _one_after_the_other(parts: Sequence[Any]) -> Any:
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else list(chain.from_iterable(parts))


def said_arrays(contents: Sequence[Message], number: NDArray[np.int32]) -> list[Any]:
    """All columns of what is said, in the order of SAID; `number`: which of the contents each row says."""
    kinds = list(map(type, contents))
    return [array for kind in FIELDS for array in _columns(contents, kinds, kind, number)]


def _columns(
    contents: Sequence[Message], kinds: list[type[Message]], kind: type[Message], number: NDArray[np.int32]
) -> list[Any]:
    """What rows of a kind say, null where they are of another."""
    own = [content for content, one in zip(contents, kinds, strict=True) if one is kind]
    arrays = _arrays(told_by(kind, own))
    if not own:
        return [pa.nulls(len(number), array.type) for array in arrays]
    if len(own) < len(contents):
        place = count()
        number = np.array([next(place) if one is kind else -1 for one in kinds], dtype=np.int32)[number]
    return list(map(spreading(number, len(own)), arrays))


def told_arrays(told: Told) -> list[Any]:
    """The same of messages of one kind."""
    empty = {kind: _arrays(told_by(kind, ())) for kind in FIELDS}
    none = {kind: [pa.nulls(len(told), array.type) for array in arrays] for kind, arrays in empty.items()}
    return [array for kind in FIELDS for array in (_arrays(told) if kind is told.kind else none[kind])]


def _arrays(told: Told) -> list[Any]:
    if told.kind is SetPoint:
        products, kinds, power_mw = told.columns
        return [_texts(products), _texts(kinds), numbers(power_mw)]
    participants, measured_at, *powers, points = told.columns
    times = pa.array(np.array(measured_at, dtype=np.int64)).cast(TIME)
    return [_texts(participants), times, *map(numbers, powers), _texts(_points(points))]


def _texts(values: Sequence[Any]) -> Any:
    return pa.array(values, type=_TEXT)


def _points(shown: Sequence[tuple[PointPower, ...]]) -> list[str | None]:
    """Connection points as JSON, made once for as long as they show the same."""
    if not any(shown):
        return [None] * len(shown)
    made: dict[tuple[int, ...], str | None] = {(): None}
    return [_json_of(points, made) if points else None for points in shown]


def _json_of(points: tuple[PointPower, ...], made: dict[tuple[int, ...], str | None]) -> str | None:
    key = tuple(map(id, points))
    if key not in made:
        made[key] = f"[{', '.join(map(_point, points))}]"
    return made[key]


def _point(point: PointPower) -> str:
    """As JSON, in a fraction of the time that an encoder of anything takes."""
    p_mw, q_mvar = number(point.p_mw), number(point.q_mvar)
    return f'{{"point": {_quoted(point.point)}, "p_mw": {_plain(p_mw)}, "q_mvar": {_plain(q_mvar)}}}'


def _plain(value: float | None) -> str:
    return "null" if value is None else repr(value)


_quoted = lru_cache(maxsize=4096)(json.dumps)
