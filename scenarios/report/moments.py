"""The moments at which a report shows a grid: evenly over what was delivered, and the one of the worst loading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..record.instants import times_us
from ..record.run import Run

if TYPE_CHECKING:
    from ...grid.moments.one_line import OneLine

MOMENTS = 40


class Seen(NamedTuple):
    """A grid at some moments of a run: their clock times, the diagram, and which moment was the worst."""

    grid: str
    clocks: tuple[str, ...]
    picture: OneLine
    worst: int


def seen(run: Run, grid: str) -> Seen:
    """Solve a grid's recorded states at the moments to be shown."""
    from ...grid.moments.one_line import one_line

    states = run.states(grid)
    chosen = _chosen(run, grid, states)
    rows: Any = states.iloc[chosen].drop(columns="at").to_dict("records")
    text = (run.folder / "networks" / f"{grid}.json").read_text("utf-8")
    picture = one_line(text, rows, grid)
    times = states["at"].iloc[chosen].dt.tz_convert(run.scenario.time.start.tzinfo)
    worst = np.nanmax(np.nan_to_num(picture.loading_percent, nan=0.0), axis=1, initial=0.0)
    days = len(states["at"].dt.tz_convert(run.scenario.time.start.tzinfo).dt.date.unique())
    clocks = times.dt.strftime("%H:%M:%S" if days == 1 else "%d %b, %H:%M:%S")
    return Seen(grid, tuple(clocks), picture, int(np.argmax(worst)))


def _chosen(run: Run, grid: str, states: Any) -> list[int]:
    """Positions of the states, in order of time."""
    first_us = run.scenario.time.first_delivery_us
    known = times_us(states["at"])
    begin = min(int(known.searchsorted(first_us)), len(known) - 1)
    chosen = set(np.linspace(begin, len(known) - 1, min(MOMENTS, len(known))).astype(int).tolist())
    return sorted(chosen | {_worst(run, grid, known)})


def _worst(run: Run, grid: str, known: Any) -> int:
    telemetry = run.telemetry
    at = telemetry["at"].iloc[int(telemetry[f"{grid}.worst_loading_percent"].fillna(0.0).argmax())]
    return min(int(known.searchsorted(at.value // 1000)), len(known) - 1)
