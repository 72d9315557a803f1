"""What a scenario says about units and pools, checked sentence by sentence as it is read.

Quantities are sizes, so none is negative: `up_mw` and `down_mw` are the largest changes from the baseline in either
direction (up = more injection or less load). Only a baseline carries a sign: + injects, - draws.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, Strict, ValidationInfo, field_validator, model_validator

from ..description.part import Number, Part, Size

Kind = Literal["generator", "load", "storage"]
Bus = Annotated[int, Strict()] | Annotated[str, Strict()]


class Response(Part):
    """How long a unit takes: to get ready, to ramp over its whole range, and to come back."""

    preparation_s: Size = 30.0
    ramping_s: Size = 240.0
    deactivation_s: Size = 120.0
    reaction_s: Size = 0.0

    @property
    def full_activation_s(self) -> float:
        """Seconds from the order to full delivery: reaction + preparation + ramping (FAT)."""
        return self.reaction_s + self.preparation_s + self.ramping_s


class UnitDescription(Part):
    """One unit at one bus; `bus: null` is connected to the transmission grid."""

    id: str = Field(min_length=1)
    bus: Bus | None = None
    kind: Kind = "generator"
    baseline_mw: Number = 0.0
    up_mw: Size = 0.0
    down_mw: Size = 0.0
    q_per_p: Annotated[Number, Field(ge=-100, le=100)] = 0.0

    @model_validator(mode="after")
    def _moves(self) -> UnitDescription:
        if self.up_mw + self.down_mw <= 0:
            raise ValueError(f"unit {self.id}: up_mw and down_mw are both 0, so it could never offer anything")
        return self


class PoolDescription(Part):
    """A pool of small resources (DFRs) given by its totals; the single ones are drawn from the scenario's seed."""

    id: str = Field(min_length=1)
    dfrs: Annotated[int, Strict()] = 40
    buses: tuple[Bus, ...]
    kinds: dict[Kind, Size] = Field(default={"storage": 0.5, "load": 0.5})
    up_mw: Size = 0.0
    down_mw: Size = 0.0
    storage_hours: Size = 2.0
    ramp_s: tuple[Size, Size] = (20.0, 120.0)
    delay_s: tuple[Size, Size] = (1.0, 15.0)
    baseline_mw: Number = 0.0

    def site(self, bus: object) -> str:
        """The name of the pool's connection point at one of its buses."""
        return f"{self.id}@{bus}"

    @field_validator("dfrs")
    @classmethod
    def _peopled(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"dfrs is {value}, but a pool has at least 1 resource")
        return value

    @field_validator("buses")
    @classmethod
    def _connected(cls, value: tuple[Bus, ...]) -> tuple[Bus, ...]:
        if not value:
            raise ValueError("buses is empty, but a pool is connected to at least 1 bus")
        if len(set(value)) != len(value):
            raise ValueError(f"buses names one bus twice: {', '.join(map(str, value))}")
        return value

    @field_validator("kinds")
    @classmethod
    def _whole(cls, value: dict[Kind, float]) -> dict[Kind, float]:
        if not math.isclose(math.fsum(value.values()), 1.0, abs_tol=1e-6):
            raise ValueError(f"the fractions of kinds sum to {math.fsum(value.values()):g}, but they must sum to 1")
        return value

    @field_validator("ramp_s", "delay_s")
    @classmethod
    def _ordered(cls, value: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError(f"{info.field_name} is [{value[0]:g}, {value[1]:g}], but the smaller number comes first")
        return value

    @model_validator(mode="after")
    def _moves(self) -> PoolDescription:
        if self.up_mw + self.down_mw <= 0:
            raise ValueError(f"pool {self.id}: up_mw and down_mw are both 0, so it could never offer anything")
        if self.storage_hours <= 0 < self.kinds.get("storage", 0.0):
            raise ValueError(f"pool {self.id}: storage_hours is 0, but its storages need room for energy")
        return self
