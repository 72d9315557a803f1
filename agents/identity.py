"""What follows from an object that stays the same object: made once, and found by identity, whatever its length.

Flows of a round and names of a cycle are long tuples that hundreds of ticks share; to compare or to hash them would
cost as much as what is remembered of them.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MOST = 64


class ByIdentity(Generic[K, V]):
    """What `make` makes of objects, which are kept so that no other takes their identity; all are let go at `MOST`."""

    def __init__(self, make: Callable[[K], V]) -> None:
        """Nothing is known yet; `make` is pure."""
        self._make = make
        self._known: dict[int, tuple[K, V]] = {}

    def of(self, one: K) -> V:
        """What follows from an object."""
        known = self._known.get(id(one))
        if known is None:
            if len(self._known) >= MOST:
                self._known.clear()
            known = self._known[id(one)] = one, self._make(one)
        return known[1]
