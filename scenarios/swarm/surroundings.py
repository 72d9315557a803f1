"""What a swarm stands in and is called for: grids, DSOs, the TSO's needs, a reserve, an area that is large enough.

The area grows with the need, so that the same share of it moves the frequency as far whatever the swarm's size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...agents.market.merit_order import floor_to_step
from ...grid.area.description import Disturbance, FcrDescription
from ...grid.clock import clock_text
from ...grid.description.grid import GridDescription
from ...grid.errors import GridError
from ...grid.resources.description import Bus, Response, UnitDescription
from ...protocols.information.quantities import TRANSMISSION, US_PER_S, Direction
from ..description.market import Market, Need
from ..description.participants import BspDescription, OfferDescription, Provider
from .description import GridTemplate, SwarmDescription

if TYPE_CHECKING:
    from ..description.times import Times

LOAD_PER_NEED = 100.0  # the area's load is so many times the larger need
RESERVE = "reserve"
Needed = Mapping[Direction, float]


def grids(swarm: SwarmDescription) -> dict[str, GridTemplate]:
    """Grids by name, made from the templates in turn."""
    return {f"grid-{index + 1:03d}": swarm.grids[index % len(swarm.grids)] for index in range(swarm.grid_count)}


def plain_grid(template: GridTemplate) -> GridDescription:
    """A template as the grid that it describes."""
    return GridDescription(**{name: getattr(template, name) for name in GridDescription.model_fields})


def standing(template: GridTemplate) -> Sequence[Bus]:
    """The buses that participants stand at; the network is read where its buses are not listed here."""
    from ..description.buses import BUILT_IN, SOURCES

    if template.buses:
        return template.buses
    if template.network in BUILT_IN:
        return [bus for bus, _ in BUILT_IN[template.network] if bus not in SOURCES[template.network]]
    from ...grid.network.standing import standing_buses

    try:
        return standing_buses(plain_grid(template))
    except GridError as error:
        raise ValueError(str(error)) from None


def needed_mw(swarm: SwarmDescription, market: Market, providers: Iterable[Provider]) -> Needed:
    """What the TSO needs of what is offered, per direction; directions that nobody offers are left out."""
    offered: dict[Direction, float] = {}
    for provider in providers:
        for offer in provider.offers:
            offered[offer.direction] = offered.get(offer.direction, 0.0) + offer.quantity_mw
    shares = {direction: swarm.need_share * offered[direction] for direction in sorted(offered)}
    found = {direction: floor_to_step(mw, market.bid_step_mw) for direction, mw in shares.items()}
    return {direction: max(market.min_bid_mw, mw) for direction, mw in found.items()}


def needs(swarm: SwarmDescription, needed: Needed) -> tuple[Need, ...]:
    """The needs of every period."""
    return tuple(Need(product=swarm.product, direction=way, quantity_mw=mw) for way, mw in needed.items())


def reserve(swarm: SwarmDescription, market: Market, needed: Needed, applies_at: str) -> BspDescription | None:
    """A large generator on the transmission grid, dearer than nearly everybody: it replaces what DSOs cut."""
    sizes = {way: floor_to_step(swarm.reserve_share * mw, market.bid_step_mw) for way, mw in needed.items()}
    offered = {way: mw for way, mw in sizes.items() if mw >= market.min_bid_mw}
    if not offered:
        return None
    prices: Mapping[Direction, float] = {"up": _dear(swarm, 1), "down": _dear(swarm, -1)}
    most = market.price_limit_eur_per_mwh
    return BspDescription(
        kind="bsp",
        grid=TRANSMISSION,
        applies_at=applies_at,
        qualify=swarm.product,
        units=(UnitDescription(id="unit-reserve", up_mw=offered.get("up", 0.0), down_mw=offered.get("down", 0.0)),),
        response=Response(preparation_s=10.0, ramping_s=60.0, deactivation_s=30.0),
        offers=tuple(
            OfferDescription(
                product=swarm.product,
                direction=way,
                quantity_mw=mw,
                min_quantity_mw=market.min_bid_mw,
                price_eur_per_mwh=max(-most, min(most, prices[way])),
            )
            for way, mw in offered.items()
        ),
    )


def _dear(swarm: SwarmDescription, sign: int) -> float:
    """Three standard deviations beyond the mean, on the side that is worse for the TSO."""
    price = swarm.bsp.up_eur_per_mwh if sign > 0 else swarm.bsp.down_eur_per_mwh
    return round(price.mean + sign * 3 * price.deviation, 2)


def area(swarm: SwarmDescription, needed: Needed, time: Times, first_us: int) -> dict[str, object]:
    """The area's load, containment reserve and disturbances, by the names of its description.

    Load self-regulation is 1 %/Hz, the droop ten times that, the containment reserve 2 % of the load: the small
    area of the other built-in scenarios, in proportion.
    """
    load_mw = round(LOAD_PER_NEED * max(needed.values()), 3)
    return {
        "load_mw": load_mw,
        "self_regulation_mw_per_hz": round(0.01 * load_mw, 3),
        "fcr": FcrDescription(droop_mw_per_hz=round(0.1 * load_mw, 3), limit_mw=round(0.02 * load_mw, 3)),
        "disturbances": tuple(_disturbances(swarm, needed, time, first_us)),
    }


def _disturbances(swarm: SwarmDescription, needed: Needed, time: Times, first_us: int) -> Iterator[Disturbance]:
    """A loss two minutes into every other period, a surplus in those between; balanced again after the last."""
    lost = round(swarm.disturbance_share * needed.get("up", 0.0), 3)
    gained = round(swarm.disturbance_share * needed.get("down", 0.0), 3)
    level = 0.0
    for index in range(time.market_time_units + 1):
        at_us = first_us + index * time.period_us + (120 if index < time.market_time_units else 15) * US_PER_S
        name, wanted = ("a loss", -lost) if index % 2 == 0 else ("a surplus", gained)
        if index == time.market_time_units:
            name, wanted = "balanced again", 0.0
        if wanted != level:
            yield Disturbance(at=clock_text(at_us - time.midnight_us), mw=round(wanted - level, 3), name=name)
        level = wanted
