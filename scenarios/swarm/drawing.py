"""Draws the participants of a swarm; every number hangs on seed, name and purpose alone.

So bsp-0007 is the same whether ten or ten thousand take part, whatever their order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist
from typing import TypeVar

from ...agents.market.merit_order import floor_to_step
from ...grid.clock import clock_text
from ...grid.resources.description import Bus, PoolDescription, Response, UnitDescription
from ...protocols.information.quantities import Direction
from ...protocols.messages import kept
from ..description.market import Market
from ..description.participants import AggregatorDescription, BspDescription, OfferDescription
from .description import Crowd, Lognormal, Normal, SwarmDescription, Way

_NORMAL = NormalDist()
T = TypeVar("T")
DIRECTIONS: tuple[Direction, ...] = ("up", "down")
POOL_BUSES = 5  # a pool's resources stand at so many buses at most


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers of one participant, each by its purpose."""

    seed: int
    name: str

    def uniform(self, purpose: str) -> float:
        """A number in (0, 1)."""
        digest = blake2b(f"swarm/{self.seed}/{self.name}/{purpose}".encode(), digest_size=7).digest()
        return (int.from_bytes(digest) + 0.5) / 2**56

    def within(self, purpose: str, low: float, high: float) -> float:
        """A number between two, to 0.1."""
        return round(low + (high - low) * self.uniform(purpose), 1)

    def chosen(self, purpose: str, shares: Mapping[T, float]) -> T:
        """One of several by their shares; those of share 0 are never chosen."""
        left = self.uniform(purpose)
        likely = [(one, share) for one, share in sorted(shares.items(), key=lambda item: str(item[0])) if share > 0]
        for one, share in likely:
            left -= share
            if left < 0:
                return one
        return likely[-1][0]

    def lognormal(self, purpose: str, of: Lognormal) -> float:
        """A size in MW."""
        return min(of.most, of.median * math.exp(of.sigma * _NORMAL.inv_cdf(self.uniform(purpose))))

    def normal(self, purpose: str, of: Normal) -> float:
        """A price in EUR/MWh, to the cent."""
        return round(of.mean + of.deviation * _NORMAL.inv_cdf(self.uniform(purpose)), 2) + 0.0

    def way(self, crowd: Crowd) -> Way:
        """Which way it offers."""
        return self.chosen("way", crowd.ways)


@dataclass(frozen=True)
class Drawing:
    """Who takes part: made from a swarm's description, the market's smallest steps, and each grid's buses."""

    swarm: SwarmDescription
    market: Market
    seed: int
    opens_us: int  # of the day: when the first may apply
    places: Sequence[tuple[str, Sequence[Bus]]]  # grids and their buses

    def bsp(self, index: int) -> tuple[str, BspDescription]:
        """The BSP of an index, from 0: one unit at one bus."""
        draw, crowd = Draw(self.seed, f"bsp-{index + 1:05d}"), self.swarm.bsp
        grid, buses = self.places[index // self.swarm.bsps_per_grid]
        size_mw, way = self._size_mw(draw, crowd), draw.way(crowd)
        unit = UnitDescription(
            id=draw.name.replace("bsp", "unit"),
            bus=buses[int(draw.uniform("bus") * len(buses))],
            kind=draw.chosen("kind", crowd.kinds),
            up_mw=size_mw if way != "down" else 0.0,
            down_mw=size_mw if way != "up" else 0.0,
        )
        drawn = BspDescription(
            kind="bsp",
            grid=grid,
            applies_at=self._applies_at(draw),
            qualify=self.swarm.product,
            units=(kept(unit),),
            response=_response(draw, crowd),
            offers=self._offers(draw, crowd, unit),
        )
        return draw.name, kept(drawn)

    def aggregator(self, index: int) -> tuple[str, AggregatorDescription]:
        """The aggregator of an index, from 0: one pool at a few buses."""
        draw, crowd = Draw(self.seed, f"aggregator-{index + 1:05d}"), self.swarm.aggregator
        grid, buses = self.places[index // self.swarm.aggregators_per_grid]
        size_mw, way, response = self._size_mw(draw, crowd), draw.way(crowd), _response(draw, crowd)
        pool = PoolDescription(
            id=draw.name.replace("aggregator", "pool"),
            dfrs=self.swarm.dfrs,
            buses=self._some_of(buses, draw),
            kinds={kind: share for kind, share in sorted(crowd.kinds.items()) if share > 0},
            up_mw=size_mw if way != "down" else 0.0,
            down_mw=size_mw if way != "up" else 0.0,
            ramp_s=(round(0.3 * response.ramping_s, 1), round(0.8 * response.ramping_s, 1)),
            delay_s=(round(0.1 * response.preparation_s, 1), round(0.8 * response.preparation_s, 1)),
        )
        return draw.name, AggregatorDescription(
            kind="aggregator",
            grid=grid,
            applies_at=self._applies_at(draw),
            qualify=self.swarm.product,
            pool=pool,
            response=response,
            offers=self._offers(draw, crowd, pool),
        )

    def _some_of(self, buses: Sequence[Bus], draw: Draw) -> tuple[Bus, ...]:
        """Neighbours in the grid's list, as a pool is something local; a network that is smaller is used whole."""
        first = int(draw.uniform("bus") * max(1, len(buses) - POOL_BUSES + 1))
        return tuple(buses[first : first + min(POOL_BUSES, self.swarm.dfrs)])

    def _size_mw(self, draw: Draw, crowd: Crowd) -> float:
        drawn = floor_to_step(draw.lognormal("size", crowd.size_mw), self.market.bid_step_mw)
        return max(self.market.min_bid_mw, drawn)

    def _applies_at(self, draw: Draw) -> str:
        after_ms = round(draw.uniform("applies") * self.swarm.apply_within_min * 60_000)
        return clock_text(self.opens_us + after_ms * 1000)

    def _offers(self, draw: Draw, crowd: Crowd, of: UnitDescription | PoolDescription) -> tuple[OfferDescription, ...]:
        prices = {"up": crowd.up_eur_per_mwh, "down": crowd.down_eur_per_mwh}
        sizes = {"up": of.up_mw, "down": of.down_mw}
        most = self.market.price_limit_eur_per_mwh
        return tuple(
            kept(
                OfferDescription(
                    product=self.swarm.product,
                    direction=direction,
                    quantity_mw=sizes[direction],
                    min_quantity_mw=self.market.min_bid_mw,
                    price_eur_per_mwh=max(-most, min(most, draw.normal(f"price/{direction}", prices[direction]))),
                )
            )
            for direction in DIRECTIONS
            if sizes[direction] > 0
        )


def _response(draw: Draw, crowd: Crowd) -> Response:
    response = Response(
        preparation_s=draw.within("preparation", *crowd.preparation_s),
        ramping_s=draw.within("ramping", *crowd.ramping_s),
        deactivation_s=draw.within("deactivation", *crowd.deactivation_s),
    )
    return kept(response)
