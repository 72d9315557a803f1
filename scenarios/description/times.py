"""When a scenario happens: periods, gate closure and calls, ticks, and how long messages take."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, field_validator

from ...grid.clock import clock_us
from ...grid.description.part import Part, Positive, Size
from ...protocols.information.quantities import EPOCH
from .security import Silence

YEARS = range(1970, 2200)  # what every reader of a record can count in nanoseconds
SETTLED_AFTER_MIN = 1.5  # a period's settlement begins a minute after its end, and takes some messages


def microseconds(moment: datetime) -> int:
    """An aware datetime as integer microseconds since the Unix epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


class Times(Part):
    """When it starts, what is delivered when; periods are market time units (MTU)."""

    start: AwareDatetime
    first_delivery: AwareDatetime | None = None
    market_time_units: int = Field(default=4, ge=1, le=200)
    market_time_unit_min: Literal[15, 30, 60] = 15
    gate_closure_min: Size = 25.0
    cfp_lead_min: Positive = 20.0
    tail_min: Annotated[Size, Field(le=1440)] = 20.0

    @field_validator("start", "first_delivery", mode="before")
    @classmethod
    def _is_a_date(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError(f"{value!r} is no date with a time zone; write for example 2026-03-02T12:00:00+01:00")
        return value

    @field_validator("start", "first_delivery")
    @classmethod
    def _is_of_our_time(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.year not in YEARS:
            raise ValueError(f"the year {value.year} is out of range: it must lie between {YEARS[0]} and {YEARS[-1]}")
        return value

    @property
    def start_us(self) -> int:
        """When the run starts."""
        return microseconds(self.start)

    @property
    def midnight_us(self) -> int:
        """Local midnight of the first day: what clock times count from."""
        return microseconds(self.start.replace(hour=0, minute=0, second=0, microsecond=0))

    @property
    def period_us(self) -> int:
        """Length of a market time unit."""
        return self.market_time_unit_min * 60_000_000

    @property
    def first_delivery_us(self) -> int:
        """Start of the first period; if not given, the first whole one of its day two hours after the start."""
        if self.first_delivery is not None:
            return microseconds(self.first_delivery)
        since_us = self.start_us + 7_200_000_000 - self.midnight_us
        return self.midnight_us + -(-since_us // self.period_us) * self.period_us

    @cached_property
    def periods(self) -> tuple[tuple[int, int], ...]:
        """(start, end) of every delivery period."""
        first, step = self.first_delivery_us, self.period_us
        return tuple((first + i * step, first + (i + 1) * step) for i in range(self.market_time_units))

    @property
    def end_us(self) -> int:
        """When the run ends: the tail after the last period, in which it is settled."""
        return self.periods[-1][1] + round(self.tail_min * 60e6)

    @property
    def unsettled(self) -> str | None:
        """Why the last period is never settled, in one sentence; None if there is time for it."""
        if self.tail_min >= SETTLED_AFTER_MIN:
            return None
        told = f"the run ends {self.tail_min:g} min after the last period, before that is settled"
        return f"{told}: nobody is paid for it; make tail_min {SETTLED_AFTER_MIN:g} or more"

    def gate_closure_us(self, period_start_us: int) -> int:
        """The latest instant for an offer of a period."""
        return period_start_us - round(self.gate_closure_min * 60e6)

    def cfp_us(self, period_start_us: int) -> int:
        """When the call for the offers of a period goes out."""
        return self.gate_closure_us(period_start_us) - round(self.cfp_lead_min * 60e6)

    def at_clock(self, text: str) -> int:
        """A clock time of the first day, for instance `12:35:00`."""
        return self.midnight_us + clock_us(text)


class Ticks(Part):
    """How often, in seconds, the TSO controls, readings are taken, and the DSO looks at its grid.

    Ticks come at whole multiples of their length since the epoch. `study_s` and `state_s`: how long after it was asked
    a DSO hears the result of a study for the market, and of the state of its grid. `late`: what real time does with
    ticks that it could not begin before the next was due.
    """

    control_s: float = 4.0
    measurement_s: float = 4.0
    monitoring_s: float = 4.0
    study_s: Annotated[Size, Field(le=86400)] = 0.0
    state_s: Annotated[Size, Field(le=86400)] = 0.0
    late: Literal["catch_up", "skip"] = "catch_up"

    @field_validator("control_s", "measurement_s", "monitoring_s")
    @classmethod
    def _sane(cls, value: float) -> float:
        if not 0.1 <= value <= 60:
            raise ValueError(f"a tick of {value:g} s is out of range: it must lie between 0.1 and 60 s")
        return value

    @property
    def lengths_us(self) -> tuple[int, ...]:
        """The lengths of the three series of ticks."""
        return tuple(round(length * 1e6) for length in (self.control_s, self.measurement_s, self.monitoring_s))


class Links(Part):
    """How long a message takes (lognormal, seeded) and the probability that it is lost."""

    delay_median_s: Annotated[Size, Field(le=3600)] = 0.05
    delay_sigma: Annotated[Size, Field(le=5)] = 0.3
    loss: float = Field(default=0.0, ge=0, lt=1)
    silences: tuple[Silence, ...] = ()
