"""What is expected of a grid: planning cases, and forecasts by when they are made. It holds nothing of the truth.

forecast(at, made) ─▶ lead = at − made ─▶ vintage ─▶ the state of its row        margins ─▶ the same, worse both ways
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ..arrays import Floats
from ..description.grid import GROUPS, GridDescription, PlanningCase
from ..model import GridModel
from ..network.building import TABLES
from ..network.elements import Elements
from ..powerflow.operating_point import OperatingPoint
from .forecasting import MARGIN_CASES, Vintages, margins

_KEPT = 1024
Named = tuple[str, OperatingPoint]


class Outlook:
    """The expectations of one grid; instants are integer microseconds since the epoch."""

    def __init__(
        self, model: GridModel, description: GridDescription, elements: Elements, known: Vintages, *, midnight_us: int
    ) -> None:
        """`description` is cut to what may be known; `known` holds the forecasts."""
        self.elements = elements
        self._model, self._description = model, description.forecast_only()
        self._vintages, self._midnight_us = known, midnight_us
        self._states: dict[tuple[int, int, str], OperatingPoint] = {}

    def forecast(self, at_us: int, made_us: int | None = None) -> OperatingPoint:
        """Return the state expected at an instant, without activations, as known at `made_us` (None: at the instant).

        A forecast made after its instant is the last one that was made before.
        """
        vintage, row = self._place(at_us, made_us)
        key = (vintage, row, "")
        if key not in self._states:
            course = self._vintages.courses[vintage]
            self._keep(key, course.operating_point(row, self._model.initial_taps, self._model.point_names))
        return self._states[key]

    def margin_cases(self, at_us: int, made_us: int | None = None) -> tuple[Named, ...]:
        """Return the states that a security margin adds to a forecast; none if the scenario keeps no margin."""
        margin, error = self._description.security_margin, self._description.forecast_error
        if margin is None or error is None or error.scale == 0:
            return ()
        vintage, row = self._place(at_us, made_us)
        keys = [(vintage, row, name) for name in MARGIN_CASES]
        if any(key not in self._states for key in keys):
            z, powers = NormalDist().inv_cdf(margin.quantile), self._vintages.courses[vintage].powers(row)
            for key, shifted in zip(keys, margins(powers, error, vintage, z, self.elements), strict=True):
                self._keep(key, self._state(shifted))
        return tuple((key[2], self._states[key]) for key in keys)

    def planning_cases(self) -> tuple[Named, ...]:
        """Return every planning case by name; without any, the grid as its description stands."""
        cases = self._description.planning_cases or (PlanningCase(name="as described"),)
        return tuple((case.name, self._planned(case)) for case in cases)

    def _place(self, at_us: int, made_us: int | None) -> tuple[int, int]:
        """Return which vintage is known, and its row."""
        vintage = self._vintages.made_before(0 if made_us is None else max(0, at_us - made_us))
        return vintage, self._vintages.courses[vintage].row_at(at_us - self._midnight_us)

    def _keep(self, key: tuple[int, int, str], state: OperatingPoint) -> None:
        """States are kept, because equal ones are told by identity; the oldest go."""
        while len(self._states) >= _KEPT:
            del self._states[next(iter(self._states))]
        self._states[key] = state

    def _planned(self, case: PlanningCase) -> OperatingPoint:
        scales = standing(self.elements, self._description)
        for group in GROUPS:
            scale = getattr(case, group)
            if scale is not None:
                for table, positions in self.elements.find(group):
                    scales[table][positions] = scale
        powers = {f"{table}_p_mw": self.elements.file_p_mw[table] * scales[table] for table in TABLES}
        powers |= {f"{table}_q_mvar": self.elements.file_q_mvar[table] * scales[table] for table in TABLES}
        return self._state(powers)

    def _state(self, powers: dict[str, Floats]) -> OperatingPoint:
        return OperatingPoint(**powers, taps=self._model.initial_taps, point_names=self._model.point_names, out=())


def standing(elements: Elements, description: GridDescription) -> dict[str, Floats]:
    """Return the scale of every element without any profile: load_scaling, storage_scaling."""
    scales = {"load": description.load_scaling, "sgen": 1.0, "storage": description.storage_scaling}
    return {table: np.full(len(elements.names[table]), scale) for table, scale in scales.items()}
