"""Tap changers as they move: one step after the other, each taking its time."""

from __future__ import annotations

from ..errors import NetworkError


class TapDrive:
    """One motor drive; a step that begins at t acts at t + `step_us`. It depends on no tick size."""

    __slots__ = ("_next_us", "_range", "_step_us", "position", "target")

    def __init__(self, position: int, reach: tuple[int, int], step_us: int) -> None:
        self.position = self.target = position
        self._range, self._step_us = reach, step_us
        self._next_us = 0

    def set_target(self, target: int, at_us: int) -> None:
        """Order a position; a drive in motion first finishes its step. Raises NetworkError outside the range."""
        low, high = self._range
        if not low <= target <= high:
            raise NetworkError(f"tap position {target} is outside the range {low} … {high}")
        self.advance(at_us)
        if self.position == self.target:
            self._next_us = at_us + self._step_us
        self.target = target

    def advance(self, to_us: int) -> None:
        """Move as far as time allows."""
        while self.position != self.target and self._next_us <= to_us:
            self.position += 1 if self.target > self.position else -1
            self._next_us += self._step_us
