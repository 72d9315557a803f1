"""A run's telemetry as plots need it: from just before the first delivery, and thinned if it is long.

Of every stretch of time the first row is kept, and those with the extremes of frequency, loading and voltage: what a
plot shows as highest or lowest is what the record holds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..record.instants import times_us
from ..record.run import Run

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 3000
BEFORE_US = 300_000_000
LOWEST = ("frequency_hz", "lowest_hz", ".vm_min_pu")
HIGHEST = ("frequency_hz", "highest_hz", ".vm_max_pu", ".worst_loading_percent", ".shadow_loading_percent")


def telemetry_of(run: Run) -> pd.DataFrame:
    """The run's telemetry in the scenario's own time, thinned, from just before the first delivery on."""
    frame = run.telemetry
    at_us = times_us(frame["at"])
    shown = at_us >= run.scenario.time.first_delivery_us - BEFORE_US
    frame = frame[shown] if shown.any() else frame
    frame = frame.assign(at=frame["at"].dt.tz_convert(run.scenario.time.start.tzinfo).dt.tz_localize(None))
    return frame.iloc[kept(frame)].reset_index(drop=True)


def kept(frame: pd.DataFrame) -> list[int]:
    """Positions of the rows that are kept: all of them if they are few."""
    if len(frame) <= MOST_ROWS:
        return list(range(len(frame)))
    signs = [(1.0, name) for name in frame.columns if str(name).endswith(LOWEST)]
    signs += [(-1.0, name) for name in frame.columns if str(name).endswith(HIGHEST)]
    columns = [np.nan_to_num(sign * frame[name].to_numpy(dtype=float), nan=np.inf) for sign, name in signs]
    edges = np.linspace(0, len(frame), max(1, MOST_ROWS // (1 + len(columns))) + 1).astype(int)
    chosen: set[int] = {len(frame) - 1}
    for begin, end in pairwise(edges.tolist()):
        chosen |= {begin, *(begin + int(column[begin:end].argmin()) for column in columns)}
    return sorted(chosen)
