"""Rows found by what they say, without looking at all of them each time: a record may hold ten thousand parties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .findings import Row


class Lookup:
    """Rows in their order; `part` is where their values stand (`content`, `evidence`), a `head` value beside it."""

    def __init__(self, rows: Iterable[Row], *, part: str, head: str) -> None:
        self.rows = list(rows)
        self._part = part
        self._head = head
        self._by_head: dict[object, list[Row]] | None = None
        self._by_value: dict[str, dict[str, list[Row]]] = {}

    def find(self, head: str | None, values: Mapping[str, object]) -> list[Row]:
        """The rows with this head value (None: any) and all of these values, in their order."""
        rows = self.rows if head is None else self._headed().get(head, [])
        for key, value in values.items():
            if isinstance(value, str):
                named = self._valued(key).get(value, [])
                rows = named if len(named) < len(rows) else rows
        return [row for row in rows if self._fits(row, head, values)]

    def _fits(self, row: Row, head: str | None, values: Mapping[str, object]) -> bool:
        part = row[self._part]
        return head in (None, row[self._head]) and all(part.get(key) == value for key, value in values.items())

    def _headed(self) -> dict[object, list[Row]]:
        if self._by_head is None:
            self._by_head = defaultdict(list)
            for row in self.rows:
                self._by_head[row[self._head]].append(row)
        return self._by_head

    def _valued(self, key: str) -> dict[str, list[Row]]:
        """Rows by their text at `key`, looked through once."""
        if key not in self._by_value:
            found: dict[str, list[Row]] = defaultdict(list)
            for row in self.rows:
                value = row[self._part].get(key)
                if isinstance(value, str):
                    found[value].append(row)
            self._by_value[key] = found
        return self._by_value[key]
