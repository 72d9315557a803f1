"""What a scenario is: the parts of its YAML file as frozen models, with the times that follow from them.

    time + ticks + links     when, how often, how late messages are
    coordination             who checks what: blind | scenario-1 | scenario-1-dso | scenario-2
    market + area + grids    what is needed, and the physics it happens in
    participants             who takes part, with units, pools and offers (`participants.py`)

A single model checks itself here; what must fit together across parts is in `consistency.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, Field, PrivateAttr, field_validator, model_validator

from ..grid.area import AreaDescription
from ..grid.clock import clock_us
from ..grid.description import GridDescription
from ..protocols.information.quantities import EPOCH, Direction, Product
from .consistency import check_together
from .participants import (
    AggregatorDescription,
    BspDescription,
    DsoDescription,
    Part,
    Participant,
    Positive,
    Provider,
    Size,
    TsoDescription,
)

Scheme = Literal["blind", "scenario-1", "scenario-1-dso", "scenario-2"]


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
    tail_min: Size = 20.0

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
        """Start of the first period; if not given, the first whole one two hours after the start."""
        if self.first_delivery is not None:
            return microseconds(self.first_delivery)
        return -(-(self.start_us + 7_200_000_000) // self.period_us) * self.period_us

    @cached_property
    def periods(self) -> tuple[tuple[int, int], ...]:
        """(start, end) of every delivery period."""
        first, step = self.first_delivery_us, self.period_us
        return tuple((first + i * step, first + (i + 1) * step) for i in range(self.market_time_units))

    @property
    def end_us(self) -> int:
        """When the run ends: the tail after the last period, in which it is settled."""
        return self.periods[-1][1] + round(self.tail_min * 60e6)

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
    """How often, in seconds, the TSO controls, readings are taken, and the DSO looks at its grid."""

    control_s: float = 4.0
    measurement_s: float = 4.0
    monitoring_s: float = 4.0

    @field_validator("*")
    @classmethod
    def _sane(cls, value: float) -> float:
        if not 0.1 <= value <= 60:
            raise ValueError(f"a tick of {value:g} s is out of range: it must lie between 0.1 and 60 s")
        return value


class Links(Part):
    """How long a message takes (lognormal, seeded) and the probability that it is lost."""

    delay_median_s: Size = 0.05
    delay_sigma: Size = 0.3
    loss: float = Field(default=0.0, ge=0, lt=1)


class Coordination(Part):
    """Who checks what, and what happens when a DSO stays silent."""

    scheme: Scheme = "scenario-1-dso"
    real_time_limits: bool = True
    silent_dso: Literal["exclude", "use_prequalified_limits", "accept"] = "exclude"
    applicant_order: Literal["first_come", "joint"] = "first_come"
    forecast: Literal["with_offer", "after_mol"] = "with_offer"


class Need(Part):
    """What the TSO calls for in every period."""

    product: Product = "mFRR"
    direction: Direction
    quantity_mw: Positive


class TestRules(Part):
    """The prequalification test: hold full power this long, within tolerance, with enough samples."""

    __test__ = False

    hold_min: Positive = 2.0
    tolerance_percent: float = Field(default=5.0, ge=0, le=100)
    completeness_percent: float = Field(default=95.0, ge=0, le=100)
    sample_s: Positive = 10.0


class ActivationRules(Part):
    """When mFRR is ordered: averaged demand beyond the trigger; scheduled orders go out this long before."""

    trigger_mw: Size = 0.5
    averaging_s: Positive = 60.0
    schedule_lead_min: Size = 7.5


class Market(Part):
    """The TSO's needs and the rules of bids, tests and activation."""

    needs: tuple[Need, ...] = (Need(direction="up", quantity_mw=12.0),)
    min_bid_mw: Positive = 0.1
    bid_step_mw: Positive = 0.01
    price_limit_eur_per_mwh: float = Field(default=15_000.0, gt=0, le=15_000)
    test: TestRules = TestRules()
    activation: ActivationRules = ActivationRules()


class Scenario(Part):
    """Everything a run follows from; together with the seed it determines the record to the byte."""

    gridpact: Literal[1] = 1
    gridpact_version: str | None = None
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    title: str = ""
    seed: int = Field(default=1, ge=0, lt=2**63)
    time: Times
    ticks: Ticks = Ticks()
    links: Links = Links()
    coordination: Coordination = Coordination()
    market: Market = Market()
    area: AreaDescription = AreaDescription()
    grids: dict[str, GridDescription]
    participants: dict[str, Participant]
    plugins: tuple[str, ...] = ()
    _folders: tuple[Path, ...] = PrivateAttr(default=())

    @field_validator("plugins")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
                raise ValueError(f'"{name}" cannot name a Python module: write my_module, without path and .py')
            if value.count(name) > 1:
                raise ValueError(f'the plugin "{name}" is named twice')
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_together(self)
        return self

    @property
    def scheme(self) -> Scheme:
        """The coordination scheme."""
        return self.coordination.scheme

    @property
    def has_dso(self) -> bool:
        """Whether DSOs take part at all."""
        return self.scheme != "blind"

    @property
    def tso(self) -> str:
        """The TSO's name."""
        return next(name for name, who in self.participants.items() if isinstance(who, TsoDescription))

    @property
    def dsos(self) -> Mapping[str, DsoDescription]:
        """The DSOs that take part, by name (none in `blind`)."""
        named = {name: who for name, who in self.participants.items() if isinstance(who, DsoDescription)}
        return named if self.has_dso else {}

    @property
    def providers(self) -> Mapping[str, Provider]:
        """BSPs and aggregators by name, in the order of the file."""
        kinds = (BspDescription, AggregatorDescription)
        return {name: who for name, who in self.participants.items() if isinstance(who, kinds)}

    def dso_of(self, grid: str) -> str | None:
        """The name of a grid's DSO, or None."""
        return next((name for name, dso in self.dsos.items() if dso.grid == grid), None)

    def applies_at_us(self, name: str) -> int:
        """When a provider applies for qualification; the start if it does not say."""
        clock = self.providers[name].applies_at
        return self.time.start_us if clock is None else self.time.at_clock(clock)

    @property
    def folder(self) -> Path | None:
        """Where its relative files are meant from; None for a scenario that was not loaded from a file."""
        return self._folders[0] if self._folders else None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where its plugins are looked for: where its own file stands, then the files that it extends."""
        return self._folders

    def located_grid(self, name: str) -> GridDescription:
        """A grid's description with `file` as a path from where the scenario's own file stands."""
        grid = self.grids[name]
        if grid.file is None or self.folder is None:
            return grid
        return grid.model_copy(update={"file": str(self.folder / grid.file)})

    def placed_in(self, *folders: Path) -> Scenario:
        """The same scenario, whose relative files are meant from the first folder; the place is never recorded.

        Plugins are also looked for in the others: those of the files that it extends.
        """
        copy = self.model_copy()
        copy._folders = folders
        return copy
