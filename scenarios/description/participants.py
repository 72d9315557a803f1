"""Who takes part, as a scenario says it: one TSO, a DSO per grid, BSPs with units, aggregators with a pool.

participants: {tso: {kind: tso}, dso-north: {kind: dso, grid: north}, bsp-a: {kind: bsp, grid: north, …}}
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from ...grid.description.part import ClockTime, Part, Positive, Size
from ...grid.resources.description import PoolDescription, Response, UnitDescription
from ...protocols.information.quantities import TRANSMISSION, Direction, Product
from .chosen import Chosen, Strategy


class OfferDescription(Part):
    """What a participant offers in every market time unit; `resource` may be left out if it has only one.

    Prices are EUR/MWh: for up the TSO pays it, for down the participant pays it to the TSO (negative: reversed).
    """

    product: Product = "mFRR"
    direction: Direction
    quantity_mw: Positive
    price_eur_per_mwh: float
    min_quantity_mw: Size = 0.1
    divisible: bool = True
    resource: str | None = None


class FcrOffer(Part):
    """What a participant offers as containment reserve in every period of it, in both directions alike.

    The price is EUR for each MW and hour. `dead_band_mhz`: what its local control does not answer.
    """

    quantity_mw: Positive
    price_eur_per_mw_h: float
    min_quantity_mw: Size = 0.1
    dead_band_mhz: float = Field(default=0.0, ge=0, le=10)
    resource: str | None = None


class DemandResponse(Part):
    """Scenario II: how the DSO offers conservation voltage reduction (CVR).

    `assumed_cvr_factor` is the (ΔP/P)/(ΔV/V) it believes in before the first test; a failed test corrects it.
    `directions`: up by lower voltage, down by higher; `down_price_eur_per_mwh` is what the DSO pays for energy down.
    """

    assumed_cvr_factor: Positive = 1.0
    price_eur_per_mwh: float = 50.0
    max_steps: int = Field(default=2, ge=1, le=20)
    directions: tuple[Direction, ...] = Field(default=("up",), min_length=1, max_length=2)
    down_price_eur_per_mwh: float = 0.0


class TsoDescription(Part):
    """The transmission system operator; a scenario has exactly one. Its `strategy` is the controller of aFRR."""

    kind: Literal["tso"]
    strategy: Strategy = Chosen(name="pi")


class DsoDescription(Part):
    """The distribution system operator of one grid; `demand_response` is used in scenario II only.

    Its `strategy` is the policy by which it limits others.
    """

    kind: Literal["dso"]
    grid: str
    demand_response: DemandResponse = DemandResponse()
    strategy: Strategy = Chosen(name="as-agreed")


class _Provider(Part):
    """What BSPs and aggregators have in common: when they apply, how fast they are, what they offer.

    Their `strategy` is how they bid.
    """

    grid: str
    applies_at: ClockTime | None = None
    qualify: Product = "mFRR"
    response: Response = Response()
    offers: tuple[OfferDescription, ...] = ()
    fcr: FcrOffer | None = None
    strategy: Strategy = Chosen(name="truthful")

    @property
    def on_transmission(self) -> bool:
        """Whether it is connected to the transmission grid."""
        return self.grid == TRANSMISSION


class BspDescription(_Provider):
    """A balancing service provider with single units."""

    kind: Literal["bsp"]
    units: tuple[UnitDescription, ...]

    @field_validator("units")
    @classmethod
    def _has_units(cls, value: tuple[UnitDescription, ...]) -> tuple[UnitDescription, ...]:
        if not value:
            raise ValueError("units is empty, but a bsp has at least 1 unit")
        return value

    @property
    def resources(self) -> tuple[UnitDescription, ...]:
        """What it can offer from."""
        return self.units


class AggregatorDescription(_Provider):
    """A balancing service provider that offers a pool; `dispatch` is how it shares an order out over it."""

    kind: Literal["aggregator"]
    pool: PoolDescription
    dispatch: Strategy = Chosen(name="by-scheme")

    @property
    def resources(self) -> tuple[PoolDescription, ...]:
        """What it can offer from."""
        return (self.pool,)


Provider = BspDescription | AggregatorDescription
Participant = Annotated[
    TsoDescription | DsoDescription | BspDescription | AggregatorDescription, Field(discriminator="kind")
]
