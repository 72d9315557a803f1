"""What overload does to a grid: it is counted, and where it is large and lasts, protection takes the element out.

    loading > limit      ─▶ counted in %·s until it ends                              Overload
    loading > threshold  ─▶ lasts ─▶ the line or transformer is out of service        Trip
                         └▶ falls to the reset level in time ─▶ nothing               (definite time, as IEC 60255-151)
    out ─▶ lasts `reclose_after_s`, if that is given ─▶ back in service               Reclosing

Loadings are in percent of the rated current. Time is seen as often as the plant is: a loading holds until the next
look. What is behind an element that is out has no supply any more; the plant takes its power away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..clock import US_PER_SECOND
from ..description.grid import Protection

SLACK_PERCENT = 1e-6


class Incident(NamedTuple):
    """Something that happened to an element: what, when, and the figures that show it."""

    name: str
    element: str
    at_us: int
    figures: Mapping[str, float | str]


class Running(NamedTuple):
    """An overload that goes on: since when, how much so far, the worst, and the loading since the last look."""

    since_us: int
    percent_seconds: float
    worst_percent: float
    loading_percent: float


class Relays:
    """The protection of every line and transformer of one grid, and the account of its overloads."""

    def __init__(self, elements: Sequence[str], limits_percent: Floats, protection: Protection | None) -> None:
        """`limits_percent`: what counts as overload, per element; without `protection` nothing ever trips."""
        self.out: tuple[int, ...] = ()
        self._elements, self._limits, self._protection = tuple(elements), limits_percent, protection
        self._lowest = float(limits_percent.min(initial=np.inf))
        self._running: dict[int, Running] = {}
        self._armed: dict[int, int] = {}
        self._out_since: dict[int, int] = {}
        self._looked_us = 0

    def sleep(self, at_us: int, loading_percent: Floats) -> bool:
        """Whether nothing goes on and no loading (of any shape, not rounded) is near what counts: then it is seen."""
        if self._running or self._armed or self._out_since:
            return False
        if not float(loading_percent.max(initial=0.0)) <= self._lowest - 1e-4:
            return False
        self._looked_us = at_us
        return True

    def look(self, at_us: int, loading_percent: Floats) -> tuple[Incident, ...]:
        """Take note of the loadings from now on; returns what ends or happens now. `out` is what is out of service."""
        found = self._reclosed(at_us)
        quiet = not self._running and not self._armed
        if not quiet or not float(loading_percent.max(initial=0.0)) <= self._lowest:
            found += self._tripped(at_us, loading_percent)
            found += self._counted(at_us, loading_percent)
        self._looked_us = at_us
        return tuple(found)

    def close(self, at_us: int) -> tuple[Incident, ...]:
        """The run is over: overloads that go on are told as far as they have come."""
        return tuple(self._counted(at_us, np.zeros(len(self._elements))))

    def _tripped(self, at_us: int, loading_percent: Floats) -> list[Incident]:
        if self._protection is None:
            return []
        found = []
        above = self._protection.threshold_percent
        for k in np.flatnonzero(loading_percent > above + SLACK_PERCENT).tolist():
            self._armed.setdefault(k, at_us)
        for k, since_us in sorted(self._armed.items()):
            if not loading_percent[k] > self._protection.reset_level_percent + SLACK_PERCENT:
                del self._armed[k]
            elif at_us - since_us >= round(self._protection.after_s * US_PER_SECOND):
                del self._armed[k]
                self._out_since[k] = at_us
                found.append(self._trip(k, since_us, at_us, float(loading_percent[k])))
        self.out = tuple(sorted(self._out_since))
        return found

    def _trip(self, k: int, since_us: int, at_us: int, loading_percent: float) -> Incident:
        figures: dict[str, float | str] = {
            "loading_percent": round(loading_percent, 4),
            "lasted_s": (at_us - since_us) / US_PER_SECOND,
        }
        return Incident("protection trip", self._elements[k], at_us, figures)

    def _reclosed(self, at_us: int) -> list[Incident]:
        after_s = self._protection.reclose_after_s if self._protection else None
        if after_s is None:
            return []
        back = [k for k, since_us in sorted(self._out_since.items()) if at_us - since_us >= after_s * US_PER_SECOND]
        for k in back:
            del self._out_since[k]
        self.out = tuple(sorted(self._out_since))
        return [Incident("reclosing", self._elements[k], at_us, {}) for k in back]

    def _counted(self, at_us: int, loading_percent: Floats) -> list[Incident]:
        """Overloads since the last look, left rectangle; what has ended is told."""
        found = []
        over = np.flatnonzero(loading_percent > self._limits + SLACK_PERCENT).tolist()
        for k in sorted({*self._running, *over}):
            loading = float(loading_percent[k])
            before = self._running.get(k, Running(at_us, 0.0, 0.0, 0.0))
            grown = self._grown(k, before, at_us, max(before.worst_percent, loading))
            if k in over and k not in self._out_since:
                self._running[k] = grown._replace(loading_percent=loading)
            elif k in self._running:
                del self._running[k]
                found.append(self._ended(k, grown, at_us))
        return found

    def _grown(self, k: int, before: Running, at_us: int, worst_percent: float) -> Running:
        lasted_s = (at_us - self._looked_us) / US_PER_SECOND if before.since_us < at_us else 0.0
        beyond = max(0.0, before.loading_percent - float(self._limits[k]))
        return before._replace(percent_seconds=before.percent_seconds + beyond * lasted_s, worst_percent=worst_percent)

    def _ended(self, k: int, running: Running, at_us: int) -> Incident:
        figures: dict[str, float | str] = {
            "limit_percent": float(self._limits[k]),
            "worst_percent": round(running.worst_percent, 4),
            "percent_seconds": round(running.percent_seconds, 4),
            "lasted_s": (at_us - running.since_us) / US_PER_SECOND,
        }
        return Incident("overload", self._elements[k], at_us, figures)
