"""What loads and generators do over the day, as operating points: as forecast, or as it really happens.

scale of the file's value:  own profile of the element  >  profile of its group  >  load_scaling, storage_scaling
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from .arrays import Floats
from .clock import StepFunction
from .description import GROUPS, GridDescription, PlanningCase, Profile
from .elements import TABLES, Elements, elements_of
from .errors import ProfileError
from .model import GridModel
from .operating_point import OperatingPoint


class Profiles:
    """The operating points of one grid over time; instants are integer microseconds since the epoch."""

    def __init__(self, model: GridModel, description: GridDescription, midnight_us: int = 0) -> None:
        """`midnight_us`: the instant at which the clock of the scenario's first day reads 00:00:00.

        Raises ProfileError for a profile, planning case or metered name that does not fit the network.
        """
        self.elements: Elements = elements_of(model.net)
        self._model, self._description, self._midnight_us = model, description, midnight_us
        self._forecast = self._steps(actual=False)
        self._actual = self._steps(actual=True)
        self._changes_us = _changes_us(self._forecast + self._actual)
        self._cached: dict[tuple[int, bool], OperatingPoint] = {}

    def forecast(self, at_us: int) -> OperatingPoint:
        """Return the state that is expected at an instant, without activations."""
        return self._at(at_us, actual=False)

    def actual(self, at_us: int) -> OperatingPoint:
        """Return the state that really is at an instant, without activations."""
        return self._at(at_us, actual=True)

    def planning_cases(self) -> tuple[tuple[str, OperatingPoint], ...]:
        """Return every planning case by name; without any, the grid as its description stands."""
        cases = self._description.planning_cases or (PlanningCase(name="as described"),)
        return tuple((case.name, self._planned(case)) for case in cases)

    def changes_us(self) -> tuple[int, ...]:
        """Return the instants at which a profile steps, ascending."""
        return tuple(self._midnight_us + change for change in self._changes_us)

    def _at(self, at_us: int, *, actual: bool) -> OperatingPoint:
        since_us = at_us - self._midnight_us
        key = (bisect_right(self._changes_us, since_us), actual)
        if key not in self._cached:
            scales = self._standing()
            for group, steps in self._actual if actual else self._forecast:
                self._set(scales, group, steps.at(since_us))
            self._cached[key] = self._operating_point(scales)
        return self._cached[key]

    def _planned(self, case: PlanningCase) -> OperatingPoint:
        scales = self._standing()
        for group in GROUPS:
            scale = getattr(case, group)
            if scale is not None:
                self._set(scales, group, scale)
        return self._operating_point(scales)

    def _steps(self, *, actual: bool) -> tuple[tuple[str, StepFunction], ...]:
        """Return the step functions, groups first, so that an element's own profile is the last word."""
        profiles = self._description.profiles
        names = [name for name in GROUPS if name in profiles] + [name for name in profiles if name not in GROUPS]
        for name in names:
            if not any(len(positions) for _, positions in self.elements.find(name)):
                raise ProfileError(f'profile "{name}": the network has no element of this group')
        return tuple((name, _step_function(profiles[name], actual=actual)) for name in names)

    def _standing(self) -> dict[str, Floats]:
        scales = {"load": self._description.load_scaling, "sgen": 1.0, "storage": self._description.storage_scaling}
        return {table: np.full(len(self.elements.names[table]), scale) for table, scale in scales.items()}

    def _set(self, scales: dict[str, Floats], name: str, scale: float) -> None:
        for table, positions in self.elements.find(name):
            scales[table][positions] = scale

    def _operating_point(self, scales: dict[str, Floats]) -> OperatingPoint:
        found = self.elements
        powers = {f"{table}_p_mw": found.file_p_mw[table] * scales[table] for table in TABLES}
        powers |= {f"{table}_q_mvar": found.file_q_mvar[table] * scales[table] for table in TABLES}
        return OperatingPoint(**powers, taps=self._model.initial_taps, point_names=self._model.point_names, out=())


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


def _changes_us(steps: tuple[tuple[str, StepFunction], ...]) -> list[int]:
    return sorted({change for _, function in steps for change in function.changes_us()})
