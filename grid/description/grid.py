"""What a scenario says about a distribution grid: source, limits, taps, loads, planning cases, profiles.

Pure validation; pandapower is not imported here, so that checking a scenario stays quick. Quantities of loads and
generators are given as scales of what the network's file says, because that is how benchmark grids are used.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..clock import clock_us
from ..errors import near_names
from ..network.shipped import NAMES
from .part import Part
from .uncertainty import ForecastError, LoadRecovery, Regulator, SecurityMargin, Series

NetworkName = Annotated[str, Field(json_schema_extra={"enum": sorted(NAMES)})]
Scale = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
DEFAULT_LIMITS = {"loading_percent": 100.0, "vm_min_pu": 0.95, "vm_max_pu": 1.05}
GROUPS = ("load", "wind", "pv", "storage")
BEAT_S = 5.0  # how often regulators look, and loads recover


class TapChanger(Part):
    """Tap changers given to every transformer of the network (`side: hv`: a higher position lowers the voltage)."""

    side: Literal["hv", "lv"] = "hv"
    min: int = Field(default=-9, ge=-50, le=0)
    max: int = Field(default=9, ge=0, le=50)
    step_percent: float = Field(default=1.5, gt=0, le=10)
    position: int = 0
    seconds_per_step: float = Field(default=10.0, gt=0, le=3600)
    regulator: Regulator | None = None

    @property
    def step_s(self) -> float:
        """How long one step takes from its order: the drive, and before it a regulator's delay."""
        return self.seconds_per_step + (0.0 if self.regulator is None else self.regulator.delay_s + BEAT_S)

    @model_validator(mode="after")
    def _position_within_range(self) -> Self:
        if not self.min <= self.position <= self.max:
            raise ValueError(f"taps.position {self.position} must lie between min {self.min} and max {self.max}")
        step = self.step_percent / 100
        if self.regulator is not None and not step <= self.regulator.dead_band_pu < 2 * step:
            rule = f"dead_band_pu must be at least one tap step, {step:g}, or it hunts, and less than two"
            raise ValueError(f"taps.regulator.{rule}, got {self.regulator.dead_band_pu:g}")
        return self


class ZipPercent(Part):
    """Shares of constant impedance, current and power of every load, for P and Q alike, in percent."""

    z: float = Field(default=0.0, ge=0, le=100)
    i: float = Field(default=0.0, ge=0, le=100)
    p: float = Field(default=0.0, ge=0, le=100)

    @model_validator(mode="after")
    def _sums_to_hundred(self) -> Self:
        if abs(self.z + self.i + self.p - 100) > 1e-9:
            raise ValueError(f"zip_percent must sum to 100, got z {self.z} + i {self.i} + p {self.p}")
        return self


class GridLimits(Part):
    """What the grid may bear: a value given here overrides the network's file, which overrides DEFAULT_LIMITS.

    `line_max_i_ka`: the rating of lines that have none of their own; without it they are not limited.
    `short_time_percent`: what of the loading limit may be borne for `short_time_minutes`, for instance 120 for 15.
    """

    loading_percent: float | None = Field(default=None, gt=0, le=500)
    vm_min_pu: float | None = Field(default=None, gt=0.3, lt=1.5)
    vm_max_pu: float | None = Field(default=None, gt=0.3, lt=1.5)
    line_max_i_ka: float | None = Field(default=None, gt=0, le=100)
    short_time_percent: float | None = Field(default=None, ge=100, le=500)
    short_time_minutes: float = Field(default=15.0, gt=0, le=1440)
    margin: float = Field(default=0.0002, ge=0, le=0.1)

    @model_validator(mode="after")
    def _band_is_open(self) -> Self:
        if self.vm_min_pu is not None and self.vm_max_pu is not None and self.vm_min_pu >= self.vm_max_pu:
            raise ValueError(f"limits.vm_min_pu {self.vm_min_pu} must be below vm_max_pu {self.vm_max_pu}")
        return self


class Protection(Part):
    """Overcurrent protection of lines and transformers, definite time, in percent of the rated current.

    Above the threshold for `after_s` without falling to `reset_percent` (not given: the threshold) an element trips;
    it comes back after `reclose_after_s`, or not at all.
    """

    threshold_percent: float = Field(default=120.0, gt=0, le=1000)
    after_s: float = Field(default=60.0, ge=0, le=86_400)
    reset_percent: float | None = Field(default=None, gt=0, le=1000)
    reclose_after_s: float | None = Field(default=None, gt=0, le=86_400)

    @model_validator(mode="after")
    def _resets_below(self) -> Self:
        if self.reset_percent is not None and self.reset_percent > self.threshold_percent:
            text = f"protection.reset_percent {self.reset_percent:g} must not be above threshold_percent"
            raise ValueError(f"{text} {self.threshold_percent:g}")
        return self

    @property
    def reset_level_percent(self) -> float:
        """At or below this the time begins anew."""
        return self.threshold_percent if self.reset_percent is None else self.reset_percent


class PlanningCase(Part):
    """One state that prequalification must survive: scales of what the file says; absent = as the file stands."""

    name: str = Field(min_length=1)
    load: Scale | None = None
    wind: Scale | None = None
    pv: Scale | None = None
    storage: Scale | None = None


class Profile(Part):
    """Scale of the file's value over the day: a constant or a step function keyed by clock time."""

    forecast: Scale | dict[str, Scale]
    actual: Scale | dict[str, Scale] | None = None

    @field_validator("forecast", "actual", mode="after")
    @classmethod
    def _clock_times(cls, value: float | dict[str, float] | None) -> float | dict[str, float] | None:
        if isinstance(value, dict):
            if not value:
                raise ValueError('a step function needs at least one entry, for instance {"12:35:00": 1.0}')
            _checked_clocks(value)
        return value


class GridDescription(Part):
    """A distribution grid as its scenario describes it; files are paths as the process can open them."""

    network: NetworkName | None = None
    file: str | None = None
    simbench: str | None = None
    load_scaling: Scale = 1.0
    storage_scaling: Scale = 1.0
    source_vm_pu: float | None = Field(default=None, gt=0.5, lt=1.5)
    taps: TapChanger | None = None
    zip_percent: ZipPercent | None = None
    limits: GridLimits = GridLimits()
    protection: Protection | None = Protection()
    planning_cases: tuple[PlanningCase, ...] = ()
    profiles: dict[str, Profile] = Field(default={})
    series: Series | None = None
    forecast_error: ForecastError | None = None
    security_margin: SecurityMargin | None = None
    load_recovery: LoadRecovery = LoadRecovery()
    metered: tuple[str, ...] = ("interface",)

    @field_validator("network")
    @classmethod
    def _shipped(cls, value: str | None) -> str | None:
        if value is not None and value not in NAMES:
            raise ValueError(f'"{value}" is no network that ships with pandapower{near_names(value, NAMES)}')
        return value

    @field_validator("series", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """`series: synthetic-day` is short for `series: {source: synthetic-day}`."""
        return {"source": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _trips_beyond_its_limit(self) -> Self:
        limit = self.limits.loading_percent or DEFAULT_LIMITS["loading_percent"]
        if self.protection is not None and self.protection.threshold_percent < limit:
            text = f"protection.threshold_percent {self.protection.threshold_percent:g} is below the limit"
            raise ValueError(f"{text} of {limit:g} %: what is allowed must not trip")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("network", "file", "simbench") if getattr(self, name) is not None]
        if len(given) != 1:
            rule = "a grid needs exactly one of `network` (a built-in name), `file` (JSON) and `simbench` (a code)"
            raise ValueError(f"{rule}, got {' and '.join(given) or 'none'}")
        if self.security_margin is not None and self.forecast_error is None:
            raise ValueError("security_margin is a quantile of the forecast error, so it needs `forecast_error`")
        return self

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [case.name for case in self.planning_cases]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"planning case names must be unique, given twice: {', '.join(twice)}")
        return self

    def forecast_only(self) -> GridDescription:
        """Return the same grid without what will really happen: all that a DSO may know.

        The seed goes too, because forecast and seed together give the truth away.
        """
        profiles = {name: Profile(forecast=profile.forecast) for name, profile in self.profiles.items()}
        error = self.forecast_error and self.forecast_error.model_copy(update={"seed": None})
        return self.model_copy(update={"profiles": profiles, "series": None, "forecast_error": error})

    def structure(self) -> GridDescription:
        """Return the same grid without anything that changes over time: what a compiled model depends on."""
        kept = ("network", "file", "simbench", "load_scaling", "storage_scaling", "source_vm_pu", "taps", "zip_percent")
        return GridDescription(**{name: getattr(self, name) for name in (*kept, "limits")}, protection=None)


def _checked_clocks(steps: dict[str, float]) -> None:
    instants = [clock_us(text) for text in steps]
    if instants != sorted(set(instants)):
        raise ValueError(f"clock times must ascend without repetition, got {', '.join(steps)}")
