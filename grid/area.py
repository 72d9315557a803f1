"""The control area as a plant: one frequency, its inertia, self-regulation and frequency containment reserve (FCR).

    disturbances + measured deviations of interfaces and units ──▶ ΔP ──▶ d(Δf)/dt = f0 / (T_a · P_L) · (ΔP - k_L · Δf)
              ▲                                                                 │
              └── FCR: droop, cap, first-order lag, greatest rate ◀─────────────┘

This is the one-machine swing equation of load-frequency control (P. Kundur, Power System Stability and Control, 11.1;
T_a = 2H on the load's base). MW are surpluses: + raises the frequency. The area is integrated in fixed sub-steps that
start at whole multiples of 50 ms since the epoch, so ticks of 1, 2 or 4 s give the same result; between two calls the
deviation is taken to run in a straight line, while disturbances are steps at their own time.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo

from .clock import clock_us
from .errors import GridError

SECOND_US = 1_000_000
STEP_US = 50_000
STEP_S = STEP_US / SECOND_US


class AreaError(GridError):
    """The area was asked for something without meaning: a time in its past, or a deviation that is no number."""


def _size(value: float, info: ValidationInfo) -> float:
    if value < 0:
        raise ValueError(f"{info.field_name} is {value:g}, but it is a size: 0 or more")
    return value


def _positive(value: float, info: ValidationInfo) -> float:
    if value <= 0:
        raise ValueError(f"{info.field_name} is {value:g}, but it must be above 0")
    return value


def _clock(text: str) -> str:
    clock_us(text)
    return text


Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Size = Annotated[Number, AfterValidator(_size)]
Positive = Annotated[Number, AfterValidator(_positive)]


class Disturbance(BaseModel):
    """A lasting step of the area's balance at a clock time of the first day; + is a surplus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Annotated[str, AfterValidator(_clock)]
    mw: Number
    name: str = "disturbance"


class FcrDescription(BaseModel):
    """The area's containment reserve: full after 30 s unless said otherwise; no jump at the edge of the dead band."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    droop_mw_per_hz: Size = 100.0
    limit_mw: Size = 20.0
    lag_s: Size = 2.0
    dead_band_mhz: Size = 0.0
    full_activation_s: Size = 30.0

    @property
    def rate_mw_per_s(self) -> float:
        """The greatest rate: the whole reserve within `full_activation_s`."""
        return self.limit_mw / self.full_activation_s if self.full_activation_s > 0 else math.inf


class AreaDescription(BaseModel):
    """What a scenario says about its control area; `inertia_s` is T_a = 2H, on the load as base."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nominal_hz: Positive = 50.0
    load_mw: Positive = 1000.0
    inertia_s: Positive = 10.0
    self_regulation_mw_per_hz: Size = 10.0
    fcr: FcrDescription = FcrDescription()
    frequency_bias_mw_per_hz: Size | None = None
    disturbances: tuple[Disturbance, ...] = ()

    @property
    def bias_mw_per_hz(self) -> float:
        """K of ACE = K · Δf: as given, else droop + self-regulation."""
        if self.frequency_bias_mw_per_hz is not None:
            return self.frequency_bias_mw_per_hz
        return self.fcr.droop_mw_per_hz + self.self_regulation_mw_per_hz


class AreaReading(NamedTuple):
    """What is measured of the area; ACE < 0 means short: activate up."""

    at_us: int
    frequency_hz: float
    ace_mw: float
    fcr_mw: float
    disturbance_mw: float


class Area:
    """The control area's physics, at rest at nominal frequency when it starts."""

    def __init__(self, description: AreaDescription, start_us: int, midnight_us: int) -> None:
        """`midnight_us`: the instant at which the clock of the scenario's first day reads 00:00:00."""
        self.description = description
        self._deviation_us, self._deviation_mw = start_us, 0.0
        self._step = start_us // STEP_US
        self._offset_hz = self._lagged_mw = self._fcr_mw = 0.0
        self._steps = sorted((midnight_us + clock_us(step.at), step.mw) for step in description.disturbances)
        self._coming, self._in_force_mw = [begin_us for begin_us, _ in self._steps], 0.0
        self._prepare()

    def _prepare(self) -> None:
        """The constants of one sub-step: exact for power that is constant within it."""
        area, fcr = self.description, self.description.fcr
        per_s = area.nominal_hz / (area.inertia_s * area.load_mw)  # Hz/s per MW
        k_l = area.self_regulation_mw_per_hz
        self._keep = math.exp(-per_s * k_l * STEP_S)
        self._push_hz_per_mw = -math.expm1(-per_s * k_l * STEP_S) / k_l if k_l > 0 else per_s * STEP_S
        self._lag_keep = math.exp(-STEP_S / fcr.lag_s) if fcr.lag_s > 0 else 0.0
        self._most_mw = fcr.rate_mw_per_s * STEP_S
        self._dead_band_hz = fcr.dead_band_mhz / 1000

    def disturbance_mw(self, at_us: int) -> float:
        """The sum of the disturbances that have begun by `at_us`."""
        return math.fsum(mw for begin_us, mw in self._steps if begin_us <= at_us)

    def advance(self, to_us: int, deviation_mw: float) -> AreaReading:
        """Let time pass until `to_us`, when interfaces and units together deviate by `deviation_mw` (+ = surplus).

        Since the last call (0 MW at the start) it has run in a straight line to its new value. Raises AreaError when
        `to_us` lies before the time reached or the deviation is no finite number.
        """
        if to_us < self._deviation_us:
            raise AreaError(f"area: asked for {to_us} µs, but {self._deviation_us} µs has been reached already")
        if not math.isfinite(deviation_mw):
            raise AreaError(f"area: the deviation is {deviation_mw} MW, but it must be a finite number")
        before_us, before_mw = self._deviation_us, self._deviation_mw
        per_us = (deviation_mw - before_mw) / max(to_us - before_us, 1)
        while (self._step + 1) * STEP_US <= to_us:
            middle_us = self._step * STEP_US + STEP_US // 2
            outer_mw = before_mw + max(middle_us - before_us, 0) * per_us
            self._integrate(outer_mw + self._stepped_mw(self._step * STEP_US))
            self._step += 1
        self._deviation_us, self._deviation_mw = to_us, deviation_mw
        return self.reading()

    def _stepped_mw(self, at_us: int) -> float:
        """The disturbances in force at `at_us`, summed anew only when the next one begins."""
        while self._coming and self._coming[0] <= at_us:
            self._coming.pop(0)
            self._in_force_mw = self.disturbance_mw(at_us)
        return self._in_force_mw

    def _integrate(self, outer_mw: float) -> None:
        """One sub-step: FCR answers the mean frequency of the step (Heun), each lag by its exact exponential."""
        start_hz, lagged, fcr = self._offset_hz, self._lagged_mw, self._fcr_mw
        guess_hz = start_hz * self._keep + (outer_mw + fcr) * self._push_hz_per_mw
        self._lagged_mw, self._fcr_mw = self._respond(lagged, fcr, (start_hz + guess_hz) / 2)
        mean_fcr = (fcr + self._fcr_mw) / 2
        self._offset_hz = start_hz * self._keep + (outer_mw + mean_fcr) * self._push_hz_per_mw

    def _respond(self, lagged_mw: float, fcr_mw: float, offset_hz: float) -> tuple[float, float]:
        """Cap the droop, lag it, then limit its rate: in this order."""
        beyond_hz = max(abs(offset_hz) - self._dead_band_hz, 0.0)
        wanted = min(self.description.fcr.droop_mw_per_hz * beyond_hz, self.description.fcr.limit_mw)
        wanted = -wanted if offset_hz > 0 else wanted
        lagged_mw = wanted + (lagged_mw - wanted) * self._lag_keep
        change = lagged_mw - fcr_mw
        return lagged_mw, fcr_mw + min(max(change, -self._most_mw), self._most_mw)

    def reading(self) -> AreaReading:
        """What is measured at the time reached: to 1 µHz and 1 W."""
        frequency_hz = round(self.description.nominal_hz + self._offset_hz, 6)
        ace_mw = round(self.description.bias_mw_per_hz * self._offset_hz, 6)
        disturbance_mw = round(self.disturbance_mw(self._deviation_us), 6)
        return AreaReading(self._deviation_us, frequency_hz, ace_mw, round(self._fcr_mw, 6), disturbance_mw)
