"""Any recorded moment of a grid as a pandapower network: the network stored once + the row of that tick."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...protocols.information.quantities import EPOCH, instant
from ..errors import RecordError
from .instants import times_us

if TYPE_CHECKING:
    from .run import Run

_CLOCK = re.compile(r"[\d.]*:[\d:.]*")


def network_at(run: Run, at: datetime | str, grid: str) -> Any:
    """The network at the last recorded tick at or before `at`; RecordError outside the record."""
    from ...grid.moments.snapshot import network_from

    at_us = _microseconds(run, at)
    states = run.states(grid)
    known = times_us(states["at"])
    if not len(known):
        raise RecordError(f"{run.folder}: no state of grid {grid} was recorded")
    if not known[0] <= at_us <= known[-1]:
        asked, first, last = (_local(run, moment_us) for moment_us in (at_us, int(known[0]), int(known[-1])))
        raise RecordError(f"{asked} is outside the record of grid {grid}, which goes from {first} to {last}")
    row = states.drop(columns="at").iloc[int(known.searchsorted(at_us, side="right")) - 1]
    path = run.folder / "networks" / f"{grid}.json"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: this file is damaged or missing: {error}; run the scenario again") from None
    return network_from(text, {str(name): float(value) for name, value in row.items()}, str(path))


def _local(run: Run, at_us: int) -> str:
    """An instant by the scenario's own clock, which is the one that a user names times by."""
    zone = run.scenario.time.start.tzinfo
    try:
        return (EPOCH + timedelta(microseconds=at_us)).astimezone(zone).isoformat(timespec="seconds")
    except OverflowError:  # the first or last day of the calendar, by another clock
        return "this time"


def _microseconds(run: Run, at: datetime | str) -> int:
    if isinstance(at, str) and _CLOCK.fullmatch(at):
        try:
            return run.scenario.time.at_clock(at)
        except ValueError as error:
            raise RecordError(str(error)) from None
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise RecordError(f"{at.isoformat()} has no time zone; add one, for example tzinfo=UTC")
        return (at.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    try:
        return instant(at)
    except ValueError:
        hint = "write for example 12:36:00 or 2026-03-02T12:36:00+01:00"
        raise RecordError(f'"{at}" is no time; {hint}') from None
