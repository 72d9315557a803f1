"""Clock times of the scenario's first day, and step functions over them.

A profile says "12:35:00"; inside, time is integer microseconds. Hours may exceed 23: "36:00" is noon of the second day.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from .errors import ProfileError

US_PER_SECOND = 1_000_000
QUARTER_US = 900 * US_PER_SECOND
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?")


def clock_us(text: str) -> int:
    """Return the microseconds since midnight of a clock time `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`.

    Raises ProfileError for anything else.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ProfileError(f'clock time "{text}" must read HH:MM or HH:MM:SS, for instance "12:35:00"')
    hours, minutes, seconds, fraction = match.groups(default="0")
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * US_PER_SECOND + int(fraction.ljust(6, "0"))


def clock_text(since_midnight_us: int) -> str:
    """Return `HH:MM:SS`, with a fraction only where there is one."""
    seconds, fraction = divmod(since_midnight_us, US_PER_SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


class StepFunction:
    """A piecewise constant value over the time since midnight."""

    __slots__ = ("_starts_us", "_values")

    def __init__(self, before: float, steps: dict[str, float]) -> None:
        self._starts_us = [clock_us(text) for text in steps]
        self._values = [before, *steps.values()]

    def at(self, since_midnight_us: int) -> float:
        """Return the value that holds at an instant; the instant of a step already has the new value."""
        return self._values[bisect_right(self._starts_us, since_midnight_us)]

    def followed_by(self, steps: dict[str, float]) -> StepFunction:
        """Return this function up to the first of `steps`, and `steps` from then on."""
        later = StepFunction(0.0, steps)
        kept = bisect_left(self._starts_us, later._starts_us[0])
        joined = StepFunction(self._values[0], {})
        joined._starts_us = self._starts_us[:kept] + later._starts_us
        joined._values = self._values[: kept + 1] + later._values[1:]
        return joined

    def changes_us(self) -> tuple[int, ...]:
        """Return the instants, in microseconds since midnight, at which the value may change."""
        return tuple(self._starts_us)
