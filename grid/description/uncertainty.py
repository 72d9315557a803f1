"""What a scenario says about series of load and generation, how wrong forecasts are, and what margin a DSO keeps.

series          what really happens, from a file, SimBench, or a synthetic day
forecast_error  forecast = truth + seeded error: by lead time, correlated, with bias, all scaled by one factor
security_margin a quantile of that error, which a DSO's validation adds in the worst direction
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from .part import Part

SYNTHETIC, SIMBENCH = "synthetic-day", "simbench"
SUFFIXES = (".csv", ".parquet")
Percent = Annotated[float, Field(ge=0, le=200)]
Share = Annotated[float, Field(ge=0, le=1)]
LeadShares = Annotated[dict[float, Share], Field(min_length=1)]


class Series(Part):
    """Values over time: `synthetic-day`, `simbench`, or a CSV or Parquet file relative to the scenario's folder.

    `forecast`: another file with what was expected · `zone`: the time zone of times without an offset · `season`,
    `seed`: of the synthetic day; without a seed it is the scenario's.
    """

    source: str
    forecast: str | None = None
    zone: str | None = None
    season: Literal["winter", "spring", "summer"] = "spring"
    seed: int | None = Field(default=None, ge=0, lt=2**63)

    @field_validator("source", "forecast")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is None or value in (SYNTHETIC, SIMBENCH) or PurePath(value).suffix.lower() in SUFFIXES:
            return value
        raise ValueError(f'"{value}" is no series: name {SYNTHETIC}, {SIMBENCH}, or a file ending in .csv or .parquet')

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f'"{value}" is no time zone, for instance Europe/Berlin') from None

    @property
    def named_files(self) -> dict[str, str]:
        """The files it reads, by the field that names them."""
        sources = {"source": self.source, "forecast": self.forecast}
        return {field: name for field, name in sources.items() if name is not None and is_file(name)}


def is_file(source: str) -> bool:
    """Return whether a source is a file and not a name."""
    return source not in (SYNTHETIC, SIMBENCH)


def located_series(series: Series, place: Callable[[str], str], seed: int) -> Series:
    """Return a series with its files put in their place, and a seed if it has none."""
    located = {field: place(name) for field, name in series.named_files.items()}
    return series.model_copy(update=located | ({"seed": seed} if series.seed is None else {}))


class GroupError(Part):
    """Standard deviation and bias of a forecast at the longest lead, in percent of the value or of what is installed.

    A positive bias forecasts too much.
    """

    sigma_percent: Percent = 0.0
    bias_percent: float = Field(default=0.0, ge=-100, le=100)
    of: Literal["value", "installed"] = "value"


class ForecastError(Part):
    """How forecasts miss what happens.

    `scale` multiplies every error, also that of forecasts given as profiles (0: perfect) · `lead_share`: minutes
    before the instant → share of sigma and bias that is left · `correlation` between the elements of a group ·
    `persistence` from one quarter-hour to the next · `schedule_lead_min`: when the area's schedule is made ·
    `seed`: without one it is the scenario's.
    """

    scale: float = Field(default=1.0, ge=0, le=2)
    load: GroupError = GroupError(sigma_percent=5.0)
    wind: GroupError = GroupError(sigma_percent=12.0, of="installed")
    pv: GroupError = GroupError(sigma_percent=15.0)
    storage: GroupError = GroupError()
    lead_share: LeadShares = Field(default={0.0: 0.2, 15.0: 0.35, 60.0: 0.5, 240.0: 0.75, 1440.0: 1.0})
    correlation: Share = 0.6
    persistence: float = Field(default=0.9, ge=0, lt=1)
    schedule_lead_min: float = Field(default=60.0, ge=0, le=10080)
    seed: int | None = Field(default=None, ge=0, lt=2**63)

    @field_validator("lead_share")
    @classmethod
    def _grows(cls, value: dict[float, float]) -> dict[float, float]:
        leads, shares = list(value), list(value.values())
        if leads != sorted(set(leads)) or leads[0] < 0:
            raise ValueError(f"the leads of lead_share, in minutes, must ascend from 0 or more, got {_listed(leads)}")
        if shares != sorted(shares):
            raise ValueError(f"the shares of lead_share must not fall with the lead, got {_listed(shares)}")
        return value

    def of_group(self, group: str) -> GroupError:
        """Return the error of a group; of anything but load, wind, pv and storage there is none."""
        found = getattr(self, group) if group in ("load", "wind", "pv", "storage") else GroupError()
        assert isinstance(found, GroupError)
        return found


class SecurityMargin(Part):
    """What a validation adds to the forecast: this one-sided quantile of the forecast error, in the worst direction."""

    quantile: float = Field(default=0.95, gt=0.5, lt=1)


class LoadRecovery(Part):
    """How loads make up for what a tap step took: `share` of it comes back, with the time constant `time_s`."""

    share: Share = 0.4
    time_s: float = Field(default=900.0, gt=0, le=86400)


class Regulator(Part):
    """A transformer's automatic voltage control: holds its lower bus at `vm_set_pu`, steps when off for `delay_s`.

    `dead_band_pu` is the whole width of the band; set-points may be ordered between `vm_low_pu` and `vm_high_pu`.
    """

    vm_set_pu: float = Field(gt=0.8, lt=1.2)
    dead_band_pu: float = Field(default=0.02, gt=0, le=0.1)
    delay_s: float = Field(default=30.0, ge=0, le=3600)
    vm_low_pu: float = Field(default=0.95, gt=0.8, lt=1.2)
    vm_high_pu: float = Field(default=1.05, gt=0.8, lt=1.2)

    def reaches(self, vm_pu: float) -> bool:
        """Return whether a set-point may be ordered."""
        return self.vm_low_pu <= vm_pu <= self.vm_high_pu

    @model_validator(mode="after")
    def _within(self) -> Self:
        if not self.vm_low_pu <= self.vm_set_pu <= self.vm_high_pu:
            text = f"vm_set_pu {self.vm_set_pu} must lie between vm_low_pu {self.vm_low_pu} and"
            raise ValueError(f"{text} vm_high_pu {self.vm_high_pu}")
        return self


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
