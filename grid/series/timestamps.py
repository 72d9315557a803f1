"""The times of a series as microseconds since the midnight of a scenario's first day, summer time and all.

With offsets or a zone, the day of 92 or 100 quarter-hours is what the clocks make it: local times that a change of the
clocks leaves out are refused, those that it repeats are told apart by their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from ..arrays import Integers
from ..clock import clock_us
from ..errors import ProfileError

if TYPE_CHECKING:
    import pandas as pd

_CLOCK = re.compile(r"\d{1,3}:\d\d(:\d\d(\.\d+)?)?")
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since_midnight_us(column: pd.Series, midnight_us: int, zone: str | None, name: str) -> Integers:
    """Return the times of a column since midnight (which is given since the epoch). Raises ProfileError."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return _since_epoch(column, zone, name) - midnight_us
    texts = column.astype(str).str.strip()
    if texts.map(lambda text: bool(_CLOCK.fullmatch(text))).all():
        return np.array([clock_us(text) for text in texts], dtype=np.int64)
    with_offset = texts.map(lambda text: bool(_OFFSET.search(text)))
    if with_offset.any() and not with_offset.all():
        row = int(np.argmax(with_offset.to_numpy() != with_offset.iloc[0]))
        raise ProfileError(f'{name}:{row + 2}: time "{texts.iloc[row]}": give all times with an offset, or none')
    parsed = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=bool(with_offset.all()))
    if parsed.isna().any():
        row = int(np.argmax(parsed.isna().to_numpy()))
        right = "2026-03-02T00:15:00+01:00 or, on the first day, 00:15"
        raise ProfileError(f'{name}:{row + 2}: "{texts.iloc[row]}" is no time; write {right}')
    return _since_epoch(parsed, zone, name) - midnight_us


def _since_epoch(times: Any, zone: str | None, name: str) -> Integers:
    """Times without an offset are local ones of the zone."""
    if times.dt.tz is not None:
        found: Integers = times.dt.tz_convert("UTC").to_numpy(dtype="datetime64[us]").astype(np.int64)
        return found
    if zone is None:
        raise ProfileError(f"{name}: times have no offset, so the series needs its `zone`, for instance Europe/Berlin")
    return np.array(list(_unfolded((each.to_pydatetime() for each in times), ZoneInfo(zone), name)), dtype=np.int64)


def _unfolded(times: Iterable[datetime], zone: ZoneInfo, name: str) -> Iterator[int]:
    """Yield local times since the epoch; of a repeated one the second is meant if the first would not come after."""
    before_us = None
    for local in times:
        instants = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        if instants[0].astimezone(zone).replace(tzinfo=None, fold=0) != local:
            raise ProfileError(f"{name}: the clocks of {zone.key} leave out {local:%Y-%m-%d %H:%M}")
        first, second = ((instant - _EPOCH) // timedelta(microseconds=1) for instant in instants)
        before_us = first if before_us is None or first > before_us else second
        yield before_us
