"""The lines of a file of the record as rows of its table, or the first one that is damaged, with its number and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import RecordError
from .columns import Column, Table

Row = dict[str, Any]
Fits = Callable[[Any], bool]
MAY_BE_NULL = frozenset({"received_at", "in_reply_to", "caused_by", "reply_by", "step", "info"})
OBJECTS = frozenset({"content", "evidence"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_time(value: Any) -> bool:
    return type(value) is str and _TIME.fullmatch(value) is not None


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_object(value: Any) -> bool:
    return type(value) is dict


FITTING: Mapping[str, tuple[Fits, str]] = {
    "text": (_is_text, "a text"),
    "time": (_is_time, "a time in UTC"),
    "integer": (_is_whole, "a whole number"),
    "json": (_is_object, "an object"),
}


def rows_of(path: Path, lines: Iterable[bytes], table: Table) -> Iterator[Row]:
    """Every line as a row. Raises RecordError for one that is no JSON, or not what the table says."""
    names, checks = set(table.names), tuple(_checks(table.columns))
    for number, text in enumerate(lines, start=1):
        place = f"{path}:{number}: this line is damaged"
        row = _read(place, text)
        if not isinstance(row, dict) or row.keys() != names:
            raise RecordError(f"{place}: it should be an object with the keys {', '.join(table.names)}")
        for name, fits, wanted in checks:
            value = row[name]
            if not fits(value) and (value is not None or name not in MAY_BE_NULL):
                raise RecordError(f"{place}: {name} should be {wanted}; run the scenario again")
        yield row


def _checks(columns: Iterable[Column]) -> Iterator[tuple[str, Fits, str]]:
    """(name, check, what it should be) of the columns; an input of the journal may be anything."""
    for column in columns:
        if column.kind in FITTING and (column.kind != "json" or column.name in OBJECTS):
            yield column.name, *FITTING[column.kind]


def _read(place: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise RecordError(f"{place}: it is no JSON; run the scenario again") from None
