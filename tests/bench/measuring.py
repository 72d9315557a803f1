"""Measured rows: what was done, how long it took (median and spread), and how that compares with a yardstick.

Times are of this process (CPU), so that others on the machine disturb little; the ratio is what should be compared
between machines. A suite is a function that yields rows; `run.py` lists the suites.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, milliseconds; `against_ms`: the same work done by the yardstick, measured in the same run."""

    suite: str
    subject: str
    work: str
    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int
    against_ms: float | None = None
    reach_ms: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster than the yardstick."""
        return self.against_ms / self.median_ms if self.against_ms else None


def timed(work: Callable[[], object], *, repeats: int = 9, at_least_ms: float = 5.0) -> tuple[float, float, float]:
    """Return (median, lower, upper quartile) in ms of one call; short ones are repeated within a measurement."""
    work()
    started = time.process_time()
    work()
    once_ms = 1e3 * (time.process_time() - started)
    inner = max(1, int(at_least_ms / max(once_ms, 1e-3)))
    found = []
    for _ in range(repeats):
        started = time.process_time()
        for _ in range(inner):
            work()
        found.append(1e3 * (time.process_time() - started) / inner)
    low, _, high = quantiles(found, n=4)
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


def show(rows: Iterable[Row], out: Path | None) -> None:
    """Print rows as a table, and write them as JSON."""
    rows = list(rows)
    table = Table("suite", "subject", "work")
    for heading in ("median ms", "quartiles ms", "yardstick ms", "times faster", "to reach ms"):
        table.add_column(heading, justify="right")
    for row in rows:
        spread, ratio = f"{row.low_ms:.3g}–{row.high_ms:.3g}", f"{row.ratio:.3g}" if row.ratio else ""
        against, reach = (f"{value:.3g}" if value else "" for value in (row.against_ms, row.reach_ms))
        table.add_row(row.suite, row.subject, row.work, f"{row.median_ms:.3g}", spread, against, ratio, reach)
    console = Console()
    (console if console.is_terminal else Console(width=150)).print(table)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows], indent=1) + "\n")
