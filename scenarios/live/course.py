"""Rows over time, so few that a run of any length fits: of what lies between two rows the extremes are kept.

a row ─▶ every stride-th is kept, with the extremes since the one before; too many: half of them, twice the stride
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...grid.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 600
LOWEST = ("lowest_hz", ".vm_min_pu")
HIGHEST = ("highest_hz", ".vm_max_pu", ".worst_loading_percent", ".shadow_loading_percent")


class Course:
    """Values by column over time; `names` of columns that end as in LOWEST and HIGHEST are extremes."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._low = np.array([name.endswith(LOWEST) for name in self.names], dtype=bool)
        self._high = np.array([name.endswith(HIGHEST) for name in self.names], dtype=bool)
        self._times: list[int] = []
        self._rows: list[Floats] = []
        self._since: Floats | None = None
        self._stride, self._seen = 1, 0

    def add(self, at_us: int, row: Floats) -> None:
        """One more row, later than those before."""
        self._since = self._joined(self._since, row)
        if self._seen % self._stride == 0:
            self._times.append(at_us)
            self._rows.append(self._since)
            self._since = None
        self._seen += 1
        if len(self._rows) > MOST_ROWS:
            self._halve()

    def _halve(self) -> None:
        before = [None, *self._rows[1::2]]
        self._rows = [self._joined(*pair) for pair in zip(before, self._rows[::2], strict=False)]
        self._times, self._stride = self._times[::2], 2 * self._stride

    def _joined(self, before: Floats | None, row: Floats) -> Floats:
        """A row with the extremes of what was before it."""
        if before is None:
            return row
        low, high = self._low, self._high
        row = row.copy()
        row[low], row[high] = np.fmin(before[low], row[low]), np.fmax(before[high], row[high])
        return row

    def begin_anew(self) -> None:
        """Forget what was before."""
        self._times, self._rows, self._since, self._stride, self._seen = [], [], None, 1, 0

    def copied(self) -> tuple[list[int], list[Floats]]:
        """Times and rows as they are now."""
        return list(self._times), list(self._rows)


def frame(names: Sequence[str], times: Sequence[int], rows: Sequence[Floats]) -> pd.DataFrame:
    """Rows as a run's telemetry has them: column `at` (UTC), and a column each."""
    import pandas as pd

    table = pd.DataFrame(np.array(rows, dtype=float).reshape(len(rows), len(names)), columns=list(names))
    at = pd.to_datetime(np.array(times, dtype="int64"), unit="us", utc=True)
    return pd.concat([pd.DataFrame({"at": at}), table], axis=1)
