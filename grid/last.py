"""What was asked last, and the answer: most cycles ask what the cycle before has asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Last(Generic[V]):
    """The last question of a kind and its answer."""

    def __init__(self) -> None:
        """Nothing has been asked yet."""
        self._known: tuple[tuple[object, ...], V] | None = None

    def of(self, asked: tuple[object, ...], answer: Callable[[], V]) -> V:
        """The answer; `answer` is pure, and called if anything of what is asked differs from the last time."""
        if self._known is None or self._known[0] != asked:
            self._known = asked, answer()
        return self._known[1]
