"""What disturbs an area's balance over time: steps, ramps, quarter-hour levels, noise, a user's recording.

Each is a course of straight pieces `(from_us, mw, mw_per_us)`, made only as far as time has come. A sub-step takes the
piece in force at its start, at the value of its middle: a step never acts before its own time, a ramp has no lag.

    pieces ─▶ Course.sample: sub-steps ─▶ Total: the sum of all courses, minutes ahead ─▶ a slice a tick
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..clock import QUARTER_US, US_PER_SECOND, clock_us
from ..errors import GridError
from ..seeding import generator
from .description import BalanceDescription, Disturbance, Recorded, Variation

STEP_US = 50_000
BLOCK = 900  # noise is drawn in blocks of as many values, one a second
AHEAD = 4800  # sub-steps that are sampled at once


class RecordingError(GridError):
    """A user's file of disturbances cannot be read."""


class Piece(NamedTuple):
    """A straight piece of a course, until the next one begins."""

    from_us: int
    mw: float
    mw_per_us: float = 0.0


class Course:
    """MW over time in straight pieces, zero before the first; time goes forward, and what is over is forgotten."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        """`pieces` in order of time; they may go on for ever."""
        self._coming: Iterator[Piece] = iter(pieces)
        self._pieces = [Piece(-(2**62), 0.0)]
        self._begins = [-(2**62)]
        self._reached: int | None = self._begins[0]

    def _make(self, until_us: int) -> None:
        while self._reached is not None and self._reached <= until_us:
            piece = next(self._coming, None)
            self._reached = None if piece is None else piece.from_us
            if piece is not None:
                self._pieces.append(piece)
                self._begins.append(piece.from_us)

    def _index(self, at_us: int) -> int:
        """Which piece is in force at an instant; GridError for one that has been forgotten."""
        index = bisect_right(self._begins, at_us) - 1
        if index < 0:
            raise GridError(f"area: its disturbance at {at_us} µs has been forgotten, later ones have been asked for")
        return index

    def at(self, at_us: int) -> float:
        """MW at an instant; the instant at which a piece begins already has its value.

        Raises GridError for an instant before the sub-steps that were last sampled.
        """
        self._make(at_us)
        from_us, mw, per_us = self._pieces[self._index(at_us)]
        return mw + per_us * (at_us - from_us) if per_us else mw

    def sample(self, first: int, count: int) -> Floats:
        """MW in the sub-steps `first` to `first + count - 1` (count); what was before them is forgotten. GridError."""
        begin_us, last_us = first * STEP_US, (first + count - 1) * STEP_US
        self._make(last_us)
        low, high = self._index(begin_us), self._index(last_us)
        pieces = self._pieces[low : high + 1]
        starts = [0, *(-(-(piece.from_us - begin_us) // STEP_US) for piece in pieces[1:]), count]
        lengths = [after - start for start, after in pairwise(starts)]
        found = np.repeat([piece.mw for piece in pieces], lengths)
        if any(piece.mw_per_us for piece in pieces):
            since_us = np.repeat([begin_us + STEP_US // 2 - piece.from_us for piece in pieces], lengths)
            found += np.repeat([piece.mw_per_us for piece in pieces], lengths) * (since_us + np.arange(count) * STEP_US)
        del self._pieces[:low], self._begins[:low]
        return found


class Total:
    """What all disturbances of an area add up to, sampled some minutes ahead: a tick takes its slice."""

    def __init__(self, parts: Sequence[Course]) -> None:
        """Nothing has been sampled yet."""
        self._parts, self._first, self._sampled = tuple(parts), 0, np.zeros(0)

    def at(self, at_us: int) -> float:
        """MW at an instant."""
        return math.fsum(part.at(at_us) for part in self._parts)

    def sample(self, first: int, count: int) -> Floats:
        """MW in the sub-steps `first` to `first + count - 1` (count), never to be changed; `first` never goes back."""
        begin = first - self._first
        found = self._sampled[begin : begin + count] if begin >= 0 else self._sampled[:0]
        if len(found) == count:
            return found
        if len(found):
            return np.concatenate((found, self.sample(first + len(found), count - len(found))))
        self._first, self._sampled = first, np.zeros(max(count, AHEAD))
        for part in self._parts:
            self._sampled += part.sample(first, len(self._sampled))
        return self._sampled[:count]


def courses(balance: BalanceDescription, *, name: str, seed: int, start_us: int, midnight_us: int) -> list[Course]:
    """All courses of an area but a recording; those that are drawn hang on (seed, name) alone."""
    made = [Course(_steps(balance.disturbances, midnight_us))] if balance.disturbances else []
    variation = balance.variation
    begins_us = start_us if variation.begins is None else midnight_us + clock_us(variation.begins)
    if variation.quarter_hour_mw > 0:
        made.append(Course(_quarter_hours(variation, f"{name}/quarter-hours/{seed}", begins_us)))
    if variation.noise_mw > 0:
        made.append(Course(_noise(variation, f"{name}/noise/{seed}", begins_us)))
    return made


def _steps(disturbances: Sequence[Disturbance], midnight_us: int) -> list[Piece]:
    """The sum of all steps and ramps."""
    changes: list[tuple[int, float, float]] = []  # (at, jump in MW, change of slope in MW/µs)
    for one in disturbances:
        at_us, over_us = midnight_us + clock_us(one.at), round(one.over_s * US_PER_SECOND)
        if over_us == 0:
            changes.append((at_us, one.mw, 0.0))
        else:
            changes += [(at_us, 0.0, one.mw / over_us), (at_us + over_us, 0.0, -one.mw / over_us)]
    pieces = [Piece(-(2**61), 0.0)]
    slopes: list[float] = []
    for at_us, jump_mw, slope in sorted(changes):
        last = pieces[-1]
        slopes.append(slope)
        mw = last.mw + last.mw_per_us * (at_us - last.from_us) + jump_mw
        per_us = math.fsum(slopes)
        pieces.append(Piece(at_us, mw if per_us or last.mw_per_us else round(mw, 9), per_us))
    return pieces


def _random(key: str) -> np.random.Generator:
    return generator(f"gridpact/area/{key}")


def _quarter_hours(variation: Variation, key: str, begins_us: int) -> Iterator[Piece]:
    """A level for each quarter-hour from the first whole one on; the change is spread evenly about the boundary."""
    over_us = round(variation.over_s * US_PER_SECOND)
    quarter, before_mw = -(-begins_us // QUARTER_US), 0.0
    while True:
        level_mw = variation.quarter_hour_mw * float(_random(f"{key}/{quarter}").standard_normal())
        reached_us = quarter * QUARTER_US + over_us // 2
        if over_us > 0:
            leaves_us = max(reached_us - over_us, begins_us)
            yield Piece(leaves_us, before_mw, (level_mw - before_mw) / (reached_us - leaves_us))
        yield Piece(reached_us, level_mw)
        quarter, before_mw = quarter + 1, level_mw


def _noise(variation: Variation, key: str, begins_us: int) -> Iterator[Piece]:
    """A stationary AR(1) process, one value a second, straight lines between them, beginning at 0.

    x_{n+1} = φ · x_n + σ · √(1 - φ²) · ε with φ = exp(-1 s / noise_time_s) (G. Box and G. Jenkins, Time Series
    Analysis, 3.2).
    """
    keep = math.exp(-1.0 / variation.noise_time_s)
    push = variation.noise_mw * math.sqrt(-math.expm1(-2.0 / variation.noise_time_s))
    mw, second = 0.0, 0
    while True:
        for drawn in _random(f"{key}/{second // BLOCK}").standard_normal(BLOCK).tolist():
            after_mw = keep * mw + push * drawn
            yield Piece(begins_us + second * US_PER_SECOND, mw, (after_mw - mw) / US_PER_SECOND)
            mw, second = after_mw, second + 1


def recording(recorded: Recorded, midnight_us: int) -> Course:
    """A user's file as a course: zero before its first row, its last value after the last. Raises RecordingError."""
    rows = read_rows(recorded.file)
    pieces = [Piece(midnight_us + at_us, mw) for at_us, mw in rows]
    if recorded.between == "lines":
        for index, (one, after) in enumerate(pairwise(pieces)):
            pieces[index] = one._replace(mw_per_us=(after.mw - one.mw) / (after.from_us - one.from_us))
    return Course(pieces)


def read_rows(file: str) -> list[tuple[int, float]]:
    """(microseconds since midnight, MW) of every row of a CSV file with the columns `at` and `mw`.

    Raises RecordingError with file and line for what is no clock time, no number, or not in order of time.
    """
    try:
        with Path(file).open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if not {"at", "mw"} <= set(reader.fieldnames or ()):
                raise RecordingError(f"{file} line 1: the columns are {reader.fieldnames}, but there must be at and mw")
            rows = [_row(file, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"the file {file} cannot be read: {error}") from None
    for number, (one, after) in enumerate(pairwise(rows), start=3):
        if after[0] <= one[0]:
            raise RecordingError(f"{file} line {number}: its time does not come after that of the line before")
    if not rows:
        raise RecordingError(f"{file} has no rows, but it needs at least 1")
    return rows


def _row(file: str, line: int, row: dict[str, str]) -> tuple[int, float]:
    try:
        at_us, mw = clock_us(row["at"] or ""), float(row["mw"] or "")
    except (GridError, ValueError) as error:
        raise RecordingError(f"{file} line {line}: {error}") from None
    if not math.isfinite(mw):
        raise RecordingError(f"{file} line {line}: mw is {mw}, but it must be a finite number")
    return at_us, mw
