"""What loads and generators do over the day: the truth, and beside it the outlook that others may have of it.

the file's value × load_scaling, storage_scaling  <  series  <  profiles of groups  <  profiles of elements
truth ─┬─▶ actual                                   (the physical plant)
       └─ + forecast error, by lead ─▶ Outlook      (whoever believes: `outlook_of` makes it and forgets the truth)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..arrays import Booleans, Floats, Integers
from ..clock import StepFunction
from ..description.grid import GridDescription, Profile
from ..description.uncertainty import SIMBENCH, SYNTHETIC
from ..errors import ProfileError
from ..model import GridModel
from ..network.building import TABLES
from ..network.elements import Elements, elements_of, specificity
from ..powerflow.operating_point import OperatingPoint
from .blocks import SeriesValues, Window, quarter_hours, read_series
from .course import Course, instants
from .forecasting import Vintages, single, vintages
from .outlook import Named, Outlook, standing
from .simbench import simbench_series
from .synthetic import synthetic_day

Steps = tuple[tuple[str, StepFunction], ...]


class Profiles:
    """Truth and outlook of one grid over time; instants are integer microseconds since the epoch."""

    def __init__(
        self,
        model: GridModel,
        description: GridDescription,
        midnight_us: int = 0,
        *,
        window: Window | None = None,
        grid_id: str = "",
    ) -> None:
        """`midnight_us`: when the clock of the first day reads 00:00:00 · `window`: the time that series must cover.

        Raises ProfileError for a profile, series, planning case or name that does not fit the network.
        """
        self.elements: Elements = elements_of(model.net)
        self._model, self._midnight_us = model, midnight_us
        self._window = window or Window(midnight_us)
        self._truth, known = _courses(model, description, self.elements, self._window, grid_id)
        self.outlook = Outlook(model, description, self.elements, known, midnight_us=midnight_us)
        self._now: tuple[int, OperatingPoint] | None = None

    def forecast(self, at_us: int, made_us: int | None = None) -> OperatingPoint:
        """Return the state that is expected at an instant, without activations; see `Outlook.forecast`."""
        return self.outlook.forecast(at_us, made_us)

    def planning_cases(self) -> tuple[Named, ...]:
        """Return every planning case by name; see `Outlook.planning_cases`."""
        return self.outlook.planning_cases()

    def actual(self, at_us: int) -> OperatingPoint:
        """Return the state that really is at an instant, without activations."""
        row = self._truth.row_at(at_us - self._midnight_us)
        if self._now is None or self._now[0] != row:
            state = self._truth.operating_point(row, self._model.initial_taps, self._model.point_names)
            self._now = row, state
        return self._now[1]


def outlook_of(
    model: GridModel,
    description: GridDescription,
    midnight_us: int = 0,
    *,
    window: Window | None = None,
    grid_id: str = "",
) -> Outlook:
    """Return what may be expected of a grid; the truth that it was made from is forgotten. Errors as for Profiles."""
    return Profiles(model, description, midnight_us, window=window, grid_id=grid_id).outlook


def _courses(
    model: GridModel, description: GridDescription, elements: Elements, window: Window, grid_id: str
) -> tuple[Course, Vintages]:
    """Return the truth and the forecasts of it, on common instants as far as they are computed together."""
    error = description.forecast_error
    real, expected = _series(model, description, elements, window, grid_id)
    functions = [_steps(description, elements, actual=actual) for actual in (True, False)]
    parts = [function.changes_us() for steps in functions for _, function in steps]
    parts += [series.starts_us.tolist() for series in (real, expected) if series is not None]
    starts = instants([*parts, quarter_hours(window) if error is not None else ()])
    truth = _course(description, elements, starts, real, functions[0])
    given = _course(description, elements, starts, expected or real, functions[1])
    if error is None:
        return truth.thinned(), single(given)
    explicit, key = _explicit(description, elements, expected), (error.seed or 0, grid_id)
    return truth.thinned(), vintages(truth, given, explicit, error, elements=elements, key=key)


def _series(
    model: GridModel, description: GridDescription, elements: Elements, window: Window, grid_id: str
) -> tuple[SeriesValues | None, SeriesValues | None]:
    """Return what the series says of truth and forecast, each None where it says nothing."""
    series = description.series
    if series is None:
        return None, None
    found: list[SeriesValues | None] = []
    for source in (series.source, series.forecast):
        if source is None:
            found.append(None)
        elif source == SYNTHETIC:
            found.append(synthetic_day(elements, series.season, window, (series.seed or 0, grid_id)))
        elif source == SIMBENCH:
            found.append(simbench_series(model.net, elements, window))
        else:
            found.append(read_series(Path(source), elements, window, series.zone))
    return found[0], found[1]


def _steps(description: GridDescription, elements: Elements, *, actual: bool) -> Steps:
    """Return the step functions, the more specific later, so that an element's own profile is the last word."""
    names = sorted(description.profiles, key=specificity)
    for name in names:
        if not any(len(positions) for _, positions in elements.find(name)):
            raise ProfileError(f'profile "{name}": the network has no element of this group')
    return tuple((name, _step_function(description.profiles[name], actual=actual)) for name in names)


def _course(
    description: GridDescription, elements: Elements, starts: Integers, series: SeriesValues | None, steps: Steps
) -> Course:
    scales = standing(elements, description)
    file = {"p": elements.file_p_mw, "q": elements.file_q_mvar}
    parts: dict[str, dict[str, Floats]] = {
        part: {table: np.tile(file[part][table] * scales[table], (len(starts), 1)) for table in TABLES}
        for part in ("p", "q")
    }
    if series is not None:
        rows = np.maximum(np.searchsorted(series.starts_us, starts, side="right") - 1, 0)
        for block in series.blocks:
            parts["p"][block.table][:, block.positions] = block.p_mw[rows]
            parts["q"][block.table][:, block.positions] = block.q_mvar[rows]
    for name, function in steps:
        scale = np.array([function.at(int(at)) for at in starts])[:, None]
        for table, at in elements.find(name):
            for part in ("p", "q"):
                parts[part][table][:, at] = scale * file[part][table][at]
    return Course(starts, parts["p"], parts["q"])


def _explicit(description: GridDescription, elements: Elements, expected: SeriesValues | None) -> dict[str, Booleans]:
    """Return per table which elements have a forecast of their own, apart from what happens."""
    explicit = {table: np.zeros(len(elements.names[table]), dtype=np.bool_) for table in TABLES}
    for block in expected.blocks if expected is not None else ():
        explicit[block.table][block.positions] = True
    for name in sorted(description.profiles, key=specificity):
        for table, at in elements.find(name):
            explicit[table][at] = description.profiles[name].actual is not None
    return explicit


def _step_function(profile: Profile, *, actual: bool) -> StepFunction:
    if isinstance(profile.forecast, dict):
        first = next(iter(profile.forecast.values()))
        forecast = StepFunction(first, profile.forecast)
    else:
        forecast = StepFunction(profile.forecast, {})
    if not actual or profile.actual is None:
        return forecast
    if isinstance(profile.actual, dict):
        return forecast.followed_by(profile.actual)
    return StepFunction(profile.actual, {})
