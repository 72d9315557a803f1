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
        self._by_texts: dict[tuple[bool, tuple[str, ...]], Mapping[tuple[object, ...], list[Row]]] = {}

    def find(self, head: str | None, values: Mapping[str, object]) -> list[Row]:
        """The rows with this head value (None: any) and all of these values, in their order."""
        known = {key: key_of(value) for key, value in values.items()}
        texts = {key: value for key, value in known.items() if value is not None}
        rows = self._told_apart(head is not None, tuple(texts)).get((head, *texts.values()), [])
        rest = [(key, value) for key, value in values.items() if key not in texts]
        return [row for row in rows if all(row[self._part].get(key) == value for key, value in rest)]

    def _told_apart(self, headed: bool, keys: tuple[str, ...]) -> Mapping[tuple[object, ...], list[Row]]:
        """Rows by their head, if `headed`, and by their texts at `keys`; looked through once."""
        if (headed, keys) not in self._by_texts:
            found: dict[tuple[object, ...], list[Row]] = defaultdict(list)
            for row in self.rows:
                texts = [key_of(row[self._part].get(key)) for key in keys]
                found[row[self._head] if headed else None, *texts].append(row)
            self._by_texts[headed, keys] = found
        return self._by_texts[headed, keys]


def key_of(value: object) -> str | tuple[str, ...] | None:
    """A text, or several, as a key; None for anything else, which is compared one by one."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None
