"""What a scenario says about its control area and its neighbours, checked sentence by sentence as it is read.

    area ─┬─ size, inertia, self-regulation, FCR, bias
          ├─ disturbances (steps and ramps), variation (quarter-hours, noise), recorded (a CSV file)
          └─ neighbours, each with the same, tie lines and a load-frequency control of its own

MW are surpluses: + raises the frequency.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ..description.part import ClockTime, Number, Part, Positive, Size

OWN = "own"


class Disturbance(Part):
    """A lasting change of the balance at a clock time of the first day: a step, or a ramp `over_s`; + is a surplus."""

    at: ClockTime
    mw: Number
    over_s: Size = 0.0
    name: str = "disturbance"


class Variation(Part):
    """Seeded imbalances: a level a quarter-hour (reached `over_s`), and autoregressive noise, both by their deviation.

    `begins` is a clock time of the first day; without it they begin with the run.
    """

    quarter_hour_mw: Size = 0.0
    over_s: Annotated[Size, Field(le=900)] = 0.0
    noise_mw: Size = 0.0
    noise_time_s: Positive = 60.0
    begins: ClockTime | None = None


class Recorded(Part):
    """A user's CSV file with the columns `at` (clock time) and `mw`; between its rows steps or straight lines."""

    file: str
    between: Literal["steps", "lines"] = "steps"


class FcrDescription(Part):
    """A containment reserve: full after 30 s unless said otherwise; no jump at the edge of the dead band."""

    droop_mw_per_hz: Size = 100.0
    limit_mw: Size = 20.0
    lag_s: Size = 2.0
    dead_band_mhz: Size = 0.0
    full_activation_s: Size = 30.0

    @property
    def rate_mw_per_s(self) -> float:
        """The greatest rate: the whole reserve within `full_activation_s`."""
        return self.limit_mw / self.full_activation_s if self.full_activation_s > 0 else math.inf


class BalanceDescription(Part):
    """One area's balance; `inertia_s` is T_a = 2H, on the load as base."""

    load_mw: Positive = 1000.0
    inertia_s: Positive = 10.0
    self_regulation_mw_per_hz: Size = 10.0
    fcr: FcrDescription = FcrDescription()
    frequency_bias_mw_per_hz: Size | None = None
    disturbances: tuple[Disturbance, ...] = ()
    variation: Variation = Variation()

    @property
    def bias_mw_per_hz(self) -> float:
        """K of ACE = ΔP_tie + K · Δf: as given, else droop + self-regulation."""
        if self.frequency_bias_mw_per_hz is not None:
            return self.frequency_bias_mw_per_hz
        return self.fcr.droop_mw_per_hz + self.self_regulation_mw_per_hz


class SecondaryDescription(Part):
    """A neighbour's own load-frequency control: proportional-integral on its area control error."""

    beta: Size = 0.2
    integration_s: Positive = 100.0
    limit_mw: Size = 100.0
    full_activation_s: Positive = 300.0
    cycle_s: Annotated[Positive, Field(ge=0.1, le=60)] = 4.0


class NeighbourDescription(BalanceDescription):
    """A further area; `ties` says to whom (`own` or another neighbour) its lines pull, in MW per radian."""

    ties: dict[str, Positive]
    secondary: SecondaryDescription = SecondaryDescription()

    @field_validator("ties")
    @classmethod
    def _tied(cls, value: dict[str, float]) -> dict[str, float]:
        if not value:
            raise ValueError(f"ties is empty, but a neighbour has at least 1 tie line, for instance {{{OWN}: 300}}")
        return value


class AreaDescription(BalanceDescription):
    """The TSO's own area, and the neighbours that it is joined to."""

    nominal_hz: Positive = 50.0
    recorded: Recorded | None = None
    neighbours: dict[str, NeighbourDescription] = Field(default={})

    @field_validator("neighbours")
    @classmethod
    def _joined(cls, value: dict[str, NeighbourDescription]) -> dict[str, NeighbourDescription]:
        names = {OWN, *value}
        if OWN in value:
            raise ValueError(f'a neighbour cannot be called "{OWN}", which is the area of the TSO')
        for name, neighbour in value.items():
            for other in neighbour.ties:
                if other not in names - {name}:
                    right = ", ".join(sorted(names - {name}))
                    raise ValueError(f'{name} is tied to "{other}", but the areas that it can be tied to are: {right}')
        cut_off = sorted(set(value) - _reached(value))
        if cut_off:
            raise ValueError(f"{', '.join(cut_off)}: no chain of ties leads from here to {OWN}")
        return value


def _reached(neighbours: dict[str, NeighbourDescription]) -> set[str]:
    """The areas that a chain of ties leads to from the own one."""
    reached: set[str] = {OWN}
    for _ in neighbours:
        for name, neighbour in neighbours.items():
            if name in reached:
                reached |= set(neighbour.ties)
            elif reached & set(neighbour.ties):
                reached.add(name)
    return reached
