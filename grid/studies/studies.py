"""What a DSO can compute: its belief of the grid, from forecasts, readings and what it is told.

    prequalify ── planning cases ─┐
    validate ──── forecast ───────┼─▶ limits ─▶ allowed MW and binding constraint
    curtail ───── readings ───────┘
    assess ────── readings ─────────▶ loadings, voltages, violations

What will really happen is cut out of the description at construction, so that no study can use it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from ..arrays import Complexes, Floats
from ..clock import clock_text
from ..description.grid import GridDescription, TapChanger
from ..last import Last
from ..limits import allowing, headroom
from ..limits.allowing import Activation, Allowed, Scope, Split
from ..limits.cases import Case, Hearing, hearings
from ..limits.constraints import Binding, Constraints, Rating
from ..limits.headroom import Headroom
from ..model import load_model
from ..network.points import ConnectionPoint
from ..powerflow.operating_point import POWERS, OperatingPoint
from ..powerflow.solution import Solution
from ..powerflow.vicinity import Vicinity
from ..readings import Assessment, Readings
from ..series.blocks import Window
from ..series.profiles import outlook_of
from ..voltage import cvr
from ..voltage.cvr import Behaviour, TapBlock
from ..voltage.regulation import set_points, settled
from .assessing import Assessor


class GridStudies:
    """A DSO's studies of one grid; instants are integer microseconds since the epoch, results frozen and rounded."""

    def __init__(
        self,
        grid_id: str,
        description: GridDescription,
        points: Sequence[ConnectionPoint],
        midnight_us: int = 0,
        *,
        window: Window | None = None,
    ) -> None:
        """`midnight_us`: when the clock of the first day reads 00:00:00 · `window`: the time that series must cover.

        Builds and compiles the grid (about 0.3 s after importing pandapower). Raises NetworkError, ProfileError or
        SolverError.
        """
        self.grid_id = grid_id
        self.description = description.forecast_only()
        self.model = load_model(self.description, points)
        self.notes = self.model.notes
        self._outlook = outlook_of(self.model, description, midnight_us, window=window, grid_id=grid_id)
        self._constraints = Constraints(self.model)
        self._assessor = Assessor(self.model, self._constraints, midnight_us)
        self._places: dict[str, tuple[str, int]] = {}
        self._near: Vicinity | None = None  # of what is believed without activations
        self._belief, self._curtailed = Last[OperatingPoint](), Last[tuple[Allowed, ...]]()
        self._solved, self._headroom = Last[Solution](), Last[tuple[Headroom, ...]]()
        self._midnight_us = midnight_us
        taps = description.taps or TapChanger()
        self.behaviour = Behaviour(taps.step_s, description.load_recovery.share, taps.regulator)

    def unknown_points(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names that are not connection points of this grid, in their order."""
        known = set(self.model.point_names)
        return tuple(name for name in names if name not in known)

    def prequalify(
        self, activations: Sequence[Activation], scope: Scope = "all", already: tuple[Activation, ...] = ()
    ) -> tuple[Allowed, ...]:
        """Return what may be qualified in every planning case; see `allowing.limit` for scopes and errors.

        `already`: what is qualified so far; with scope "all" it is on, direction by direction.
        """
        return allowing.limit(self.model, self._planned, activations, scope, fixed=already)

    @cached_property
    def _planned(self) -> tuple[Hearing, ...]:
        """The planning cases, made ready once for all who apply."""
        return hearings(self.model, self._outlook.planning_cases(), "continuous")

    def standing_violation(self, at_us: int) -> Binding | None:
        """Return what is violated worst with nothing activated, as forecast for an instant or in a planning case."""
        named = self._outlook.planning_cases()
        return allowing.check(self.model, [*named, *self._distinct(self._expected(at_us, None))], ())

    def validate(
        self,
        activations: Sequence[Activation],
        at_us: Sequence[int],
        fixed: tuple[Activation, ...] = (),
        *,
        scope: Scope = "prefix",
        split: Split = "merit_order",
        made_us: int | None = None,
    ) -> tuple[Allowed, ...]:
        """Return what of a merit order may be activated at all of the instants, as forecast; see `allowing.limit`.

        `fixed`: what is activated in any event · `made_us`: when it is asked, so with which forecast (None: the last).
        A security margin adds its cases.
        """
        cases = self._distinct([case for at in at_us for case in self._expected(at, made_us)])
        return allowing.limit(self.model, cases, activations, scope, fixed=fixed, split=split)

    def _expected(self, at_us: int, made_us: int | None) -> list[Case]:
        """Return the forecast for an instant, and what a security margin makes of it."""
        time = self._time(at_us)
        margin = self._outlook.margin_cases(at_us, made_us)
        margin_cases = [Case(f"{time}, {name}", self._regulated(case)) for name, case in margin]
        return [Case(time, self.expected(at_us, made_us)), *margin_cases]

    def assess(self, readings: Readings, activated: Sequence[tuple[str, complex]] = ()) -> Assessment:
        """Return the state that readings and activations imply.

        `activated`: (connection point, MW or MVA), the change from its baseline, + up; entries of one point add up.
        """
        return self.assess_all(readings, (activated,))[0]

    def assess_all(
        self, readings: Readings, alternatives: Sequence[Sequence[tuple[str, complex]]]
    ) -> tuple[Assessment, ...]:
        """Return an assessment for each of several lists of activations on top of the same readings, in one batch."""
        state, asked = self.believed(readings), list(alternatives)
        solution = self._solved.of((state, asked), lambda: self._solution(state, asked))
        return self._assessor.assess(solution, readings)

    def _solution(self, state: OperatingPoint, alternatives: Sequence[Sequence[tuple[str, complex]]]) -> Solution:
        change = self._changes(alternatives)
        if state.out:
            state = self.model.energised(state)
            return self.model.solver(state.taps, state.out).solve(state, change)
        if self._near is None or self._near.state is not state:
            self._near = Vicinity(self.model.solver(state.taps), state)
        return self._near.solve(change)

    def _changes(self, alternatives: Sequence[Sequence[tuple[str, complex]]]) -> Complexes:
        """MVA added at every connection point, one row per list; what is named twice adds."""
        rows, position = [], self.model.positions
        for activated in alternatives:
            row: list[complex] = [0.0] * len(position)
            for name, power in activated:
                row[position[name] if name in position else self.model.point(name)] += power
            rows.append(row)
        return np.array(rows, dtype=complex).reshape(len(rows), len(position))

    def headroom(
        self, readings: Readings, activated: Sequence[tuple[str, complex]], units: Sequence[Activation]
    ) -> tuple[Headroom, ...]:
        """Return what each unit alone may add and take away in the state that readings and activations imply."""
        state, time = self.believed(readings), self._time(readings.at_us)
        return self._headroom.of(
            (state, list(activated), list(units)),
            lambda: headroom.headroom(self._hearing(time, state, activated), units),
        )

    def _hearing(self, time: str, state: OperatingPoint, activated: Sequence[tuple[str, complex]]) -> Hearing:
        totals = _totals(activated)
        p_mw, q_mvar = ({name: getattr(s, part) for name, s in totals.items()} for part in ("real", "imag"))
        state = self.model.energised(state.with_changes(p_mw, q_mvar))
        return Hearing(time, state, self.model, self._constraints)

    def curtail(
        self,
        readings: Readings,
        ordered: Sequence[Activation],
        fixed: tuple[Activation, ...] = (),
        *,
        rating: Rating = "continuous",
        spent: Collection[str] = (),
    ) -> tuple[Allowed, ...]:
        """Return how much of each ordered activation may stay on, given readings, in merit order: the last is cut.

        Opposite directions do not relieve each other here either; `fixed` stays on. `rating`: which loading counts,
        but for the branches that are `spent` always the continuous one.
        """
        time, state = self._time(readings.at_us), self.believed(readings)
        asked = state, tuple(ordered), fixed, rating, tuple(spent)
        limit = partial(allowing.limit, fixed=fixed, rating=rating, spent=spent)
        found = self._curtailed.of(asked, lambda: limit(self.model, [(time, state)], ordered, "prefix"))
        return tuple(_in_case(each, time) for each in found)

    def bears(self, violation: Binding) -> bool:
        """Return whether a violation may be borne for the short time: a loading within that rating."""
        percent = self.model.short_time_percent
        if percent is None or violation.kind != "loading_percent":
            return False
        return violation.value <= violation.limit * percent / 100

    def cvr(
        self, at_us: int, taps: tuple[int, ...] | None = None, *, made_us: int | None = None
    ) -> tuple[TapBlock, ...]:
        """Return the tap blocks that the forecast offers; `taps`: where they stand (default: initially)."""
        state = self.expected(at_us, made_us)
        return cvr.options(self.model, state if taps is None else state.with_taps(taps), self.behaviour)

    def expected(self, at_us: int, made_us: int | None = None) -> OperatingPoint:
        """Return the forecast for an instant; where regulators are at work, with the taps where they come to rest."""
        return self._regulated(self._outlook.forecast(at_us, made_us))

    def _regulated(self, state: OperatingPoint) -> OperatingPoint:
        regulator = self.behaviour.regulator
        if regulator is None:
            return state
        return settled(self.model, state, regulator, set_points(self.model, regulator))

    def interface_forecast(
        self, at_us: int, *, made_us: int | None = None
    ) -> tuple[tuple[str, float, float, float], ...]:
        """Return (interface, P MW, Q Mvar, limit MW) as forecast without activations; + = import."""
        solution = self.model.solve(self.expected(at_us, made_us))
        ratings = self.model.ratings
        rows = zip(ratings.interfaces, solution.interface_mva[0], ratings.interface_mw, strict=True)
        return tuple((name, round(float(s.real), 6), round(float(s.imag), 6), round(mw, 6)) for name, s, mw in rows)

    def believed(self, readings: Readings) -> OperatingPoint:
        """Return the state without activations that the DSO believes in: forecast, overridden by what is metered."""
        forecast = self._outlook.forecast(readings.at_us)
        key = forecast, readings.p_mw, readings.taps, readings.out
        return self._belief.of(key, lambda: self._believed(forecast, readings))

    def _believed(self, forecast: OperatingPoint, readings: Readings) -> OperatingPoint:
        out = [self.model.branch(name) for name in readings.out]
        state = forecast.with_taps(readings.taps).with_out(out)
        if not readings.p_mw:
            return state
        arrays = {name: getattr(state, name).copy() for name in POWERS}
        loads: list[tuple[int, float, float]] = []
        for element, p_mw, q_mvar in readings.p_mw:
            table, position = self._place(element)
            if table == "load":
                loads.append((position, p_mw, q_mvar))
            arrays[f"{table}_p_mw"][position], arrays[f"{table}_q_mvar"][position] = p_mw, q_mvar
        self._make_nominal(replace(state, **arrays), arrays, loads)
        return replace(state, **arrays)

    def _place(self, element: str) -> tuple[str, int]:
        if element not in self._places:
            ((table, positions),) = self._outlook.elements.find(element)
            self._places[element] = table, int(positions[0])
        return self._places[element]

    def _make_nominal(
        self, state: OperatingPoint, arrays: dict[str, Floats], loads: list[tuple[int, float, float]]
    ) -> None:
        """Divide metered loads by their voltage dependence, because states hold what they draw at 1 pu."""
        solution = self.model.solve(state) if loads else None
        if solution is None or not solution.converged[0]:
            return
        for position, p_mw, q_mvar in loads:
            factor = solution.load_factor[0, position]
            if not (factor.real and factor.imag):
                continue  # without supply
            arrays["load_p_mw"][position] = p_mw / factor.real
            arrays["load_q_mvar"][position] = q_mvar / factor.imag

    def _time(self, at_us: int) -> str:
        return clock_text(at_us - self._midnight_us)

    @staticmethod
    def _distinct(cases: list[Case]) -> list[Case]:
        """Drop instants whose state is that of an earlier one: profiles step rarely, so most are equal."""
        kept: list[Case] = []
        for case in cases:
            if not any(case.state is other.state for other in kept):
                kept.append(case)
        return kept


def _in_case(allowed: Allowed, case: str) -> Allowed:
    """Return the same as found in a case of this name."""
    if allowed.binding is None or allowed.binding.case == case:
        return allowed
    return replace(allowed, binding=replace(allowed.binding, case=case))


def _totals(activated: Iterable[tuple[str, complex]]) -> dict[str, complex]:
    totals: dict[str, complex] = {}
    for name, power in activated:
        totals[name] = totals.get(name, 0.0) + power
    return totals
