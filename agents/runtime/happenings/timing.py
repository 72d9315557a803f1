"""How well a run kept real time: lateness, missed ticks, drift, and the smallest tick that the machine could keep.

    lateness  from a tick's deadline to its beginning          work  what a tick and all until the next one take
    missed    begun a whole tick late or more, or left out     load  work / length of the tick

Everything in seconds of the wall clock, except ticks, which are seconds of simulated time.
"""

import math
from array import array
from dataclasses import dataclass, field

HEADROOM = 1.25
SHORTEST_S, LONGEST_S = 0.1, 60.0


def percentiles(values: "array[float]") -> dict[str, float]:
    """Count, median, 99th percentile and maximum."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    at = [ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99, 1.0)]
    return {"count": len(ordered), **dict(zip(("p50_s", "p99_s", "max_s"), at, strict=True))}


def _floats() -> "array[float]":
    return array("d")


@dataclass
class Timing:
    """What was measured of a run in real time; `tick_s` is the shortest tick, `speed` simulated seconds a second."""

    tick_s: float
    speed: float
    late: str
    ticks_s: "array[float]" = field(default_factory=_floats)
    others_s: "array[float]" = field(default_factory=_floats)
    work_s: "array[float]" = field(default_factory=_floats)
    loads: "array[float]" = field(default_factory=_floats)
    missed: int = 0
    skipped: int = 0
    _busy_s: float = 0.0
    _lasts_s: float | None = None

    def tick(self, late_s: float, lasts_s: float) -> None:
        """A tick begins, so late; it lasts `lasts_s` until the next one. The work since the last one is complete."""
        self._close()
        self.ticks_s.append(late_s)
        self.missed += late_s >= lasts_s
        self._lasts_s = lasts_s

    def leave_out(self, ticks: int) -> None:
        """So many ticks have been left out."""
        self.skipped += ticks
        self.missed += ticks

    def other(self, late_s: float) -> None:
        """Something between two ticks – a message, a timer – begins, so late."""
        self.others_s.append(late_s)

    def busy(self, for_s: float) -> None:
        """So long has been worked."""
        self._busy_s += for_s

    def _close(self) -> None:
        if self._lasts_s:
            self.work_s.append(self._busy_s)
            self.loads.append(self._busy_s / self._lasts_s)
        self._busy_s = 0.0

    def drift_s(self) -> float:
        """How much later ticks begin at the end than at the beginning: medians of the last and the first tenth."""
        tenth = max(1, len(self.ticks_s) // 10)
        first, last = sorted(self.ticks_s[:tenth]), sorted(self.ticks_s[-tenth:])
        return last[len(last) // 2] - first[len(first) // 2] if self.ticks_s else 0.0

    def smallest_tick_s(self) -> float:
        """The smallest tick that this machine could keep at this speed: the work of a tick (p99) and a quarter more.

        The work of a tick hardly depends on its length, because all who tick do the same at each.
        """
        loads = percentiles(self.loads)
        needed_s = self.tick_s * loads.get("p99_s", 0.0) * HEADROOM
        return max(SHORTEST_S, math.ceil(needed_s * 100) / 100)

    def warning(self) -> str | None:
        """One sentence when the machine could not keep up, naming the smallest tick that it could; else None."""
        load = percentiles(self.loads).get("p99_s", 0.0)
        if not self.missed and load < 1:
            return None
        smallest_s = self.smallest_tick_s()
        could = f"--tick {smallest_s:g} is the smallest that it could keep"
        if smallest_s > LONGEST_S:
            could = f"no tick up to {LONGEST_S:g} s would do, so lower --speed"
        ticks, work_s = len(self.ticks_s) + self.skipped, percentiles(self.work_s).get("p99_s", 0.0)
        found = f"{self.missed} of {ticks} ticks missed, the work of a tick takes {work_s:.3f} s (p99)"
        return f"this machine cannot keep up with ticks of {self.tick_s:g} s at speed {self.speed:g}: {found}; {could}"

    def summary(self) -> dict[str, object]:
        """All of it, as timing.json has it."""
        self._close()
        self._lasts_s = None
        return {
            "speed": self.speed,
            "late": self.late,
            "tick_s": self.tick_s,
            "lateness": percentiles(self.ticks_s),
            "lateness_between_ticks": percentiles(self.others_s),
            "missed": self.missed,
            "skipped": self.skipped,
            "drift_s": self.drift_s(),
            "work_per_tick": percentiles(self.work_s),
            "load_p99": percentiles(self.loads).get("p99_s", 0.0),
            "smallest_tick_s": self.smallest_tick_s(),
            "warning": self.warning(),
        }
