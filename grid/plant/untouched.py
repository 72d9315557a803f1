"""A grid as nobody has touched it: no activation, and the taps initial, or where their own regulators leave them."""

from __future__ import annotations

from ..description.uncertainty import Regulator
from ..model import GridModel
from ..powerflow.operating_point import OperatingPoint
from ..series.profiles import Profiles
from ..voltage.regulation import set_points, settled
from .state import Gauge, PlantState


class Untouched:
    """The truth and the schedule that what is activated is measured against."""

    def __init__(
        self, model: GridModel, profiles: Profiles, gauge: Gauge, regulator: Regulator | None, schedule_lead_us: int
    ) -> None:
        """`schedule_lead_us`: how long before its delivery a schedule is made, from the forecast of then."""
        self._model, self._profiles, self._gauge = model, profiles, gauge
        self._regulator, self._schedule_lead_us = regulator, schedule_lead_us
        self._scheduled: tuple[int, OperatingPoint, float] | None = None  # the last instant asked for, and its import
        self._actual: tuple[OperatingPoint, OperatingPoint] | None = None

    def of(self, state: OperatingPoint) -> OperatingPoint:
        """Return a state with the taps as nobody has touched them: initially, or where regulators leave them."""
        state = state.with_taps(self._model.initial_taps)
        if self._regulator is None:
            return state
        return settled(self._model, state, self._regulator, set_points(self._model, self._regulator))

    def actual(self, at_us: int) -> OperatingPoint:
        """Return what truly is at an instant when nobody activates anything; the same object as long as it is so."""
        actual = self._profiles.actual(at_us)
        if self._actual is None or self._actual[0] is not actual:
            self._actual = actual, self.of(actual)
        return self._actual[1]

    def scheduled_interface_p_mw(self, at_us: int) -> float:
        """Return the import in MW that the forecast promised when the schedule of an instant was made."""
        known = self._scheduled
        if known is None or known[0] != at_us:
            state = self._profiles.forecast(at_us, at_us - self._schedule_lead_us)
            if known is None or known[1] is not state:
                known = at_us, state, PlantState(self._gauge, self._model.solve(self.of(state))).interface_p_mw
            self._scheduled = known = at_us, *known[1:]
        return known[2]
