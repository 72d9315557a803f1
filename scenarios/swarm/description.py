"""What a scenario says about its swarm: how many, and what their sizes, prices and dynamics are drawn from."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from ...grid.description.grid import GridDescription
from ...grid.description.part import Part, Positive, Size
from ...grid.resources.description import Bus, Kind
from ...protocols.information.quantities import Product

MOST = 100_000
Way = Literal["up", "down", "both"]
Count = Annotated[int, Field(ge=0, le=MOST)]
Share = Annotated[float, Field(ge=0, le=1)]


def _ascending(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"[{value[0]:g}, {value[1]:g}] is no range: the smaller number comes first")
    return value


Range = Annotated[tuple[Size, Size], AfterValidator(_ascending)]


class Lognormal(Part):
    """Sizes: a few large ones and many small ones, cut off at `most`."""

    median: Positive
    sigma: Size = 0.5
    most: Positive = 100.0


class Normal(Part):
    """Prices in EUR/MWh; for down, + is what the participant pays the TSO."""

    mean: float
    deviation: Size = 0.0


class Crowd(Part):
    """One kind of participant: what it has, which way it offers, at what price, how fast it is."""

    size_mw: Lognormal = Lognormal(median=0.3, most=2)
    ways: dict[Way, Share] = Field(default={"up": 0.5, "down": 0.3, "both": 0.2})
    kinds: dict[Kind, Share] = Field(default={"generator": 0.6, "load": 0.2, "storage": 0.2})
    up_eur_per_mwh: Normal = Normal(mean=80, deviation=15)
    down_eur_per_mwh: Normal = Normal(mean=10, deviation=10)
    preparation_s: Range = (5, 15)
    ramping_s: Range = (20, 60)
    deactivation_s: Range = (10, 30)

    @field_validator("ways", "kinds")
    @classmethod
    def _whole(cls, value: dict[str, float]) -> dict[str, float]:
        if not math.isclose(math.fsum(value.values()), 1.0, abs_tol=1e-6):
            raise ValueError(f"the shares sum to {math.fsum(value.values()):g}, but they must sum to 1")
        return value


class GridTemplate(GridDescription):
    """A grid to be built again and again; `buses` are those that participants stand at.

    Without `buses` these are all buses of a shipped or SimBench network that have supply, but those of its sources.
    """

    buses: tuple[Bus, ...] = ()

    @model_validator(mode="after")
    def _knows_its_buses(self) -> Self:
        if not self.buses and self.file is not None:
            raise ValueError(f"buses is empty: for the network file {self.file}, name those that participants stand at")
        return self


class SwarmDescription(Part):
    """How many of whom, spread over how many grids, and what the TSO needs of what they offer.

    `dfrs` counts the resources of each aggregator. Grids are made from the templates in turn, as many as it takes.
    `need_share` is what the TSO calls for, of all that is offered in a direction; `disturbance_share` is the part of
    that need which then occurs; `reserve_share` the size, of that need, of a dear generator on the transmission grid.
    """

    bsps: Count = 20
    aggregators: Count = 4
    dfrs: int = Field(default=25, ge=1, le=MOST)
    bsps_per_grid: int = Field(default=50, ge=1, le=MOST)
    aggregators_per_grid: int = Field(default=10, ge=1, le=MOST)
    grids: tuple[GridTemplate, ...] = (GridTemplate(network="cigre_mv_der"),)
    product: Product = "mFRR"
    bsp: Crowd = Crowd()
    aggregator: Crowd = Crowd(
        size_mw=Lognormal(median=0.5, most=2), kinds={"storage": 0.5, "load": 0.5}, ways={"both": 1.0}
    )
    need_share: Share = 0.5
    disturbance_share: Share = 0.7
    reserve_share: Share = 1.0
    apply_within_min: Positive = 5.0

    @field_validator("grids")
    @classmethod
    def _some(cls, value: tuple[GridTemplate, ...]) -> tuple[GridTemplate, ...]:
        if not value:
            raise ValueError("grids is empty, but a swarm needs at least 1 grid to stand in")
        return value

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.bsps + self.aggregators == 0:
            raise ValueError("bsps and aggregators are both 0, so there is nobody to offer anything")
        return self

    @property
    def grid_count(self) -> int:
        """How many grids it takes."""
        needed = (-(-self.bsps // self.bsps_per_grid), -(-self.aggregators // self.aggregators_per_grid))
        return max(1, *needed)
