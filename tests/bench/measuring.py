"""Measured rows: what was done, how long it took (median and spread), and how that compares with a yardstick.

Times are of this process (CPU), so that others on the machine disturb little; the ratio is what should be compared
between machines. A suite is a function that yields rows; `run.py` lists the suites.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, milliseconds; `against_ms`: the same work done by the yardstick, measured in the same run.

    `reach_ms` is what it should take at most, `reach_ratio` how many times faster than the yardstick it should be.
    A row that is no time has another `unit`; the numbers are in that unit then.
    """

    suite: str
    subject: str
    work: str
    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int
    against_ms: float | None = None
    reach_ms: float | None = None
    reach_ratio: float | None = None
    unit: str = "ms"

    @property
    def ratio(self) -> float | None:
        """How many times faster than the yardstick."""
        return self.against_ms / self.median_ms if self.against_ms and self.median_ms else None

    @property
    def reached(self) -> bool | None:
        """Whether it is as fast (or small) as it should be; None if nothing is said."""
        if self.reach_ratio is not None and self.ratio is not None:
            return self.ratio >= self.reach_ratio
        return self.median_ms <= self.reach_ms if self.reach_ms is not None else None


K = TypeVar("K")


def timed(
    work: Callable[[], object],
    *,
    repeats: int = 9,
    at_least_ms: float = 5.0,
    clock: Callable[[], float] = time.process_time,
) -> tuple[float, float, float]:
    """Return (median, lower, upper quartile) in ms of one call; short ones are repeated within a measurement."""
    work()
    started = clock()
    work()
    once_ms = 1e3 * (clock() - started)
    inner = max(1, int(at_least_ms / max(once_ms, 1e-3)))
    found = []
    for _ in range(repeats):
        started = clock()
        for _ in range(inner):
            work()
        found.append(1e3 * (clock() - started) / inner)
    return spread(found)


def in_turn(works: Mapping[K, Callable[[int], float]], count: int, repeats: int) -> dict[K, tuple[float, float, float]]:
    """Return (median, lower, upper quartile) in ms of each work, which says itself how many seconds `count` take.

    They take turns, one round after the other, so that what else the machine does slows all of them alike.
    """
    found: dict[K, list[float]] = {name: [] for name in works}
    for work in works.values():
        work(max(10, count // 10))
    for _ in range(repeats):
        for name, work in works.items():
            found[name].append(1e3 * work(count))
    return {name: spread(times) for name, times in found.items()}


def spread(found: list[float]) -> tuple[float, float, float]:
    """Return (median, lower, upper quartile) of measured values."""
    low, _, high = quantiles(found, n=4, method="inclusive") if len(found) > 1 else (found[0],) * 3
    return median(found), low, high


def measured(
    place: tuple[str, str, str],
    work: Callable[[], object],
    *,
    repeats: int = 9,
    against_ms: float | None = None,
    reach_ms: float | None = None,
) -> Row:
    """Return the row of some work; `place`: suite, subject, work in words."""
    return Row(*place, *timed(work, repeats=repeats), repeats, against_ms, reach_ms)


def against(row: Row, *, at_least: float | None) -> Row:
    """Return a row with the ratio that it should reach."""
    return replace(row, reach_ratio=at_least)


def table(rows: Iterable[Row]) -> Table:
    """Rows as a table for a terminal."""
    shown = Table("suite", "subject", "work")
    for heading in ("median", "quartiles", "unit", "yardstick", "times better", "to reach", ""):
        shown.add_column(heading, justify="right")
    for row in rows:
        shown.add_row(row.suite, row.subject, row.work, *cells(row))
    return shown


def cells(row: Row) -> Iterator[str]:
    """The figures of a row as texts: median, quartiles, unit, yardstick, ratio, what to reach, and whether it does."""
    yield f"{row.median_ms:.3g}"
    yield f"{row.low_ms:.3g}–{row.high_ms:.3g}"
    yield row.unit
    yield f"{row.against_ms:.3g}" if row.against_ms else ""
    yield f"{row.ratio:.3g}×" if row.ratio else ""
    yield f"≥ {row.reach_ratio:g}×" if row.reach_ratio is not None else f"≤ {row.reach_ms:g}" if row.reach_ms else ""
    yield {None: "", True: "✓", False: "✗"}[row.reached]


def show(rows: Iterable[Row], out: Path | None, about: dict[str, Any] | None = None) -> None:
    """Print rows as a table, and write them as JSON with what is said `about` the run."""
    rows = list(rows)
    console = Console()
    (console if console.is_terminal else Console(width=170)).print(table(rows))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        plain = [asdict(row) | {"ratio": row.ratio, "reached": row.reached} for row in rows]
        out.write_text(json.dumps({"about": about or {}, "rows": plain}, indent=1) + "\n")
