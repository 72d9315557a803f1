"""The year of quarter-hourly profiles that SimBench networks bring along, cut to a scenario's days.

SimBench's year is 2016; a day is taken by month and day, whatever its weekday, and runs without change of the clocks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ..arrays import Floats, Integers
from ..errors import ProfileError
from ..network.building import TABLES
from ..network.elements import Elements
from .blocks import Block, SeriesValues, Window, quarter_hours

YEAR = 2016
_HALF_DAY_US = 12 * 3_600_000_000


def simbench_series(net: Any, elements: Elements, window: Window) -> SeriesValues:
    """Return the powers of every element that has a SimBench profile. Raises ProfileError if there are none."""
    profiles = net.get("profiles")
    if not isinstance(profiles, dict) or not any(len(frame) for frame in profiles.values()):
        raise ProfileError("series: simbench: the network has no SimBench profiles; use a SimBench code that has")
    starts = np.array(quarter_hours(window), dtype=np.int64)
    first = _first_row(profiles, window)
    blocks = []
    for table in TABLES:
        blocks += _table_blocks(net, elements, table, (first + np.arange(len(starts))) % _length(profiles))
    if not blocks:
        raise ProfileError("series: simbench: no load or generator of the network names one of its profiles")
    return SeriesValues(starts, tuple(blocks))


def _length(profiles: dict[str, Any]) -> int:
    return max(len(frame) for frame in profiles.values())


def _first_row(profiles: dict[str, Any], window: Window) -> int:
    """The row of the first day's midnight; the date is the one that its noon has in UTC."""
    noon = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=window.midnight_us + _HALF_DAY_US)
    text = f"{noon:%d.%m}.{YEAR} 00:00"
    times = next(frame["time"] for frame in profiles.values() if len(frame))
    found = np.flatnonzero((times == text).to_numpy())
    if not len(found):
        raise ProfileError(f"series: simbench: its profiles have no {text}")
    return int(found[0])


def _table_blocks(net: Any, elements: Elements, table: str, rows: Integers) -> list[Block]:
    """One block per profile of a table: all elements that name it."""
    frame = net[table]
    if "profile" not in frame:
        return []
    blocks = []
    for name in sorted({each for each in frame.profile if isinstance(each, str)}):
        columns = _columns(net.profiles, table, name)
        if columns is None:
            continue
        at = np.flatnonzero((frame.profile == name).to_numpy()).astype(np.int64)
        active, reactive = (column[rows][:, None] for column in columns)
        file_p, file_q = elements.file_p_mw[table][at], elements.file_q_mvar[table][at]
        blocks.append(Block(table, at, active * file_p, reactive * file_q))
    return blocks


def _columns(profiles: dict[str, Any], table: str, name: str) -> tuple[Floats, Floats] | None:
    """P and Q of a profile; generators and storages have one course for both."""
    if table == "load":
        frame, pair = profiles.get("load"), (f"{name}_pload", f"{name}_qload")
    else:
        kinds = ("renewables", "powerplants") if table == "sgen" else ("storage",)
        frames = [profiles[kind] for kind in kinds if kind in profiles and name in profiles[kind]]
        frame, pair = (frames[0] if frames else None), (name, name)
    if frame is None or pair[0] not in frame:
        return None
    p, q = (frame[column].to_numpy(dtype=float) for column in pair)
    return p, q
