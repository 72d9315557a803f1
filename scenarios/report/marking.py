"""Who stands where in a grid: the units of BSPs, and the parts of aggregators' pools (DFRs), as marks of its diagram.

the diagram's connection points (by name) + the scenario ─▶ a mark each: bus, participant, what stands there
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..description.participants import AggregatorDescription, BspDescription
from ..description.schema import Scenario

if TYPE_CHECKING:
    from ...grid.moments.one_line import OneLine

SIGNS = {"bsp": "▲", "aggregator": "◆"}


class Mark(NamedTuple):
    """A participant at a bus (its position in the diagram): its kind, its name, and what of it stands there."""

    bus: int
    kind: str
    name: str
    text: str


def marks(scenario: Scenario, picture: OneLine) -> tuple[Mark, ...]:
    """The participants in a grid's diagram, by bus and in the order of the file."""
    standing = {point.name: point.bus for point in picture.points}
    everybody = (
        Mark(standing[point], provider.kind, name, text)
        for name, provider in scenario.connected.items()
        for point, text in _told(scenario, name, provider)
        if point in standing
    )
    return tuple(sorted(everybody, key=lambda mark: mark.bus))


def _told(scenario: Scenario, name: str, provider: BspDescription | AggregatorDescription) -> Iterator[tuple[str, str]]:
    """(connection point, what stands there) of a participant."""
    who = f"{name}, operated by {scenario.operated[name]}" if name in scenario.operated else name
    if isinstance(provider, AggregatorDescription):
        yield from _parts(scenario.seed, who, provider)
        return
    for unit in provider.units:
        yield unit.id, f"{who}: {unit.id}, a {unit.kind}, {_mw(unit.up_mw, unit.down_mw)}"


def _parts(seed: int, who: str, provider: AggregatorDescription) -> Iterator[tuple[str, str]]:
    """How many of a pool's resources stand at each of its buses, and how many MW they have."""
    from ...grid.resources.fleet import draw

    pool = provider.pool
    fleet = draw(pool, seed)
    count, up_mw, down_mw = (
        np.bincount(fleet.bus, weight, len(pool.buses)) for weight in (None, fleet.up_mw, fleet.down_mw)
    )
    for at, bus in enumerate(pool.buses):
        text = f"{who}: {count[at]:.0f} of the {pool.dfrs} resources (DFRs) of {pool.id}"
        yield pool.site(bus), f"{text}, {_mw(float(up_mw[at]), float(down_mw[at]))}"


def _mw(up_mw: float, down_mw: float) -> str:
    ways = ((up_mw, "up"), (down_mw, "down"))
    return " and ".join(f"{mw:.3g} MW {way}" for mw, way in ways if mw > 0)
