"""Series of load and generation over time, from CSV or Parquet, as blocks of powers on one time axis.

    time,                       load, Load R1.p_mw, Load R1.q_mvar, type:PV
    2026-03-02T00:00:00+01:00,  0.61, 0.35,         0.09,           0.0

`time`: ISO 8601 with an offset, without one in the series' zone, or a clock time of the first day. Other columns name a
group or an element: plain is a scale of the network's file, `.p_mw` and `.q_mvar` are powers in the element's own sign
(a group's is shared out as in the file). Values hold until the next row. Every mistake is one sentence with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Floats, Integers
from ..clock import QUARTER_US, US_PER_SECOND, clock_text
from ..errors import ProfileError
from ..network.elements import Elements, specificity
from .timestamps import since_midnight_us

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = {".p_mw": "p_mw", ".q_mvar": "q_mvar"}


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a scenario covers: its first day's midnight since the epoch, start and end since that midnight."""

    midnight_us: int = 0
    start_us: int = 0
    end_us: int = 96 * QUARTER_US


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Powers of some elements of one table: T × elements, MW and Mvar."""

    table: str
    positions: Integers
    p_mw: Floats
    q_mvar: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SeriesValues:
    """Blocks on one time axis, the more specific later; `starts_us` since midnight, each row holds to the next."""

    starts_us: Integers
    blocks: tuple[Block, ...]


def read_series(path: Path, elements: Elements, window: Window, zone: str | None) -> SeriesValues:
    """Return the values of a CSV or Parquet file in a window. Raises ProfileError with what is wrong, and where."""
    table = _read(path)
    _refuse_twice([str(name) for name in table.columns], path)
    if "time" not in table.columns or len(table.columns) < 2 or not len(table):
        raise ProfileError(f"{path}: a series needs a column time, at least one other column, and rows")
    starts = since_midnight_us(table["time"], window.midnight_us, zone, str(path))
    _refuse_gaps(starts, path)
    first, last = covered(starts, window, str(path))
    kept = table.iloc[first:last]
    columns = sorted((str(name) for name in table.columns if name != "time"), key=lambda n: (specificity(_key(n)), n))
    values = {name: _numbers(kept[name], name, path) for name in columns}
    blocks = [block for name in columns for block in _blocks(name, values, elements, path)]
    return SeriesValues(starts[first:last], tuple(blocks))


def covered(starts_us: Integers, window: Window, name: str) -> tuple[int, int]:
    """Return the slice of rows that a window needs. Raises ProfileError if the series does not cover it."""
    step = int(np.diff(starts_us).min()) if len(starts_us) > 1 else window.end_us - int(starts_us[0])
    if starts_us[0] > window.start_us:
        begins = _clock(int(starts_us[0]))
        raise ProfileError(f"{name} begins at {begins}, after the scenario, which begins at {_clock(window.start_us)}")
    if starts_us[-1] + step < window.end_us:
        ends = _clock(int(starts_us[-1]) + step)
        raise ProfileError(f"{name} ends at {ends}, but the scenario lasts until {_clock(window.end_us)}")
    first = int(np.searchsorted(starts_us, window.start_us, side="right")) - 1
    return first, int(np.searchsorted(starts_us, window.end_us, side="left"))


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
            return table if "time" in table.columns else table.rename_axis("time").reset_index()
        return _named(pd.read_csv(path, header=None, dtype=str, keep_default_na=False, skipinitialspace=True))
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        told = str(error).splitlines()[0].removeprefix("Error tokenizing data. C error: ")
        right = "" if path.suffix.lower() == ".parquet" else "; columns are parted by commas, decimals have a point"
        raise ProfileError(f"{path} is no table that can be read: {told}{right}") from error


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Take the first row for the names as they stand; pandas' own reader would call a second `load` `load.1`."""
    table = rows.iloc[1:].reset_index(drop=True)
    table.columns = rows.iloc[0].str.strip()
    return table


def _refuse_twice(names: Sequence[str], path: Path) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ProfileError(f"{path}: the column {twice} stands there twice; only one can be meant")


def _refuse_gaps(starts_us: Integers, path: Path) -> None:
    """Times ascend in equal steps; a longer one is a gap, because nobody said what happened there."""
    steps = np.diff(starts_us)
    if not len(steps):
        return
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        raise ProfileError(f"{_line(path, row)}: time {_clock(int(starts_us[row]))} does not come after the one before")
    usual = int(np.bincount((steps // US_PER_SECOND).astype(np.int64)).argmax()) * US_PER_SECOND
    longer = steps > usual
    if longer.any():
        row = int(np.argmax(longer)) + 1
        times = f"{_clock(int(starts_us[row - 1]))} and {_clock(int(starts_us[row]))}"
        raise ProfileError(f"{_line(path, row)}: there is a gap between {times}; rows come every {usual / 6e7:g} min")


def _numbers(column: pd.Series, name: str, path: Path) -> Floats:
    import pandas as pd

    numbers: Floats = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    bad = ~np.isfinite(numbers)
    if bad.any():
        at = int(np.argmax(bad))
        text = str(column.iloc[at]).strip()
        said = f'"{text}" is no number' if text and text.lower() != "nan" else "there is no value"
        raise ProfileError(f"{_line(path, int(column.index[at]))}: column {name}: {said}")
    return numbers


def _blocks(name: str, values: dict[str, Floats], elements: Elements, path: Path) -> list[Block]:
    """Return what a column means for the elements that it names."""
    key, kind = _key(name), _kind(name)
    try:
        found = [each for each in elements.find(key) if len(each[1])]
    except ProfileError as error:
        raise ProfileError(f"{path}: column {name}: {error}") from None
    if not found:
        raise ProfileError(f"{path}: column {name}: the network has no element of this group")
    if kind == "q_mvar" and f"{key}.p_mw" not in values:
        raise ProfileError(f"{path}: column {name} needs {key}.p_mw beside it")
    if kind != "scale" and len(found) > 1:
        raise ProfileError(f"{path}: column {name}: {key} has loads and generators, whose MW cannot be one number")
    if kind == "scale":
        return [_scaled(elements, table, at, values[name]) for table, at in found]
    if kind == "p_mw":
        return [_powers(elements, key, found[0], values, path)]
    return []


def _scaled(elements: Elements, table: str, at: Integers, scale: Floats) -> Block:
    file_p, file_q = elements.file_p_mw[table][at], elements.file_q_mvar[table][at]
    return Block(table, at, scale[:, None] * file_p, scale[:, None] * file_q)


def _powers(elements: Elements, key: str, found: tuple[str, Integers], values: dict[str, Floats], path: Path) -> Block:
    (table, at), total = found, values[f"{key}.p_mw"]
    file_p, file_q = elements.file_p_mw[table][at], elements.file_q_mvar[table][at]
    if len(at) == 1:
        ratio = file_q / file_p if file_p[0] else np.zeros(1)
        block = Block(table, at, total[:, None], total[:, None] * ratio)
    elif file_p.sum() == 0:
        raise ProfileError(f"{path}: column {key}.p_mw cannot be shared out: in the network all of {key} is 0 MW")
    else:
        block = _scaled(elements, table, at, total / file_p.sum())
    reactive = values.get(f"{key}.q_mvar")
    if reactive is None:
        return block
    parts = file_q / file_q.sum() if file_q.sum() else np.full(len(at), 1 / len(at))
    return replace(block, q_mvar=reactive[:, None] * parts)


def _key(column: str) -> str:
    return next((column.removesuffix(suffix) for suffix in SUFFIXES if column.endswith(suffix)), column)


def _kind(column: str) -> str:
    return next((kind for suffix, kind in SUFFIXES.items() if column.endswith(suffix)), "scale")


def _line(path: Path, row: int) -> str:
    return f"{path}:{row + 2}" if path.suffix.lower() == ".csv" else f"{path}, row {row + 1}"


def _clock(since_us: int) -> str:
    return clock_text(since_us) if since_us >= 0 else f"{clock_text(-since_us)} before midnight"


def quarter_hours(window: Window) -> Sequence[int]:
    """Return the starts of all quarter-hours from midnight to the end of a window."""
    return range(0, window.end_us, QUARTER_US)
