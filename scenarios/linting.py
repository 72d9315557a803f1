"""What is allowed in a scenario and yet is hardly meant: told by `gridpact check`, each in one sentence.

    hints              from the description alone: ticks longer than ramps, needs that nobody can cover
    hints_of_grids     once the grids are built: one already in violation, offers above what would be qualified

What cannot be run at all is an error, and not told here: a bus without supply, an offer above what its unit can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from . import plants
from .schema import Scenario

if TYPE_CHECKING:
    from ..grid.resources.description import PoolDescription, UnitDescription
    from ..grid.studies.studies import GridStudies

Path = tuple[str | int, ...]
LEAST_MW = 1e-3


class Hint(NamedTuple):
    """What is odd, and the path in the scenario where it stands."""

    path: Path
    text: str

    def told(self, places: Mapping[Path, str]) -> str:
        """With file and line, where they are known."""
        ways = (self.path[:length] for length in range(len(self.path), 0, -1))
        place = next((f"{places[way]}: " for way in ways if way in places), "")
        return f"warning: {place}{'.'.join(map(str, self.path))}: {self.text}"


def hints(scenario: Scenario) -> Iterator[Hint]:
    """What the description alone shows."""
    yield from _ramps(scenario)
    yield from _needs(scenario)


def _ramps(scenario: Scenario) -> Iterator[Hint]:
    ticks = scenario.ticks
    longest_s = max(ticks.control_s, ticks.measurement_s, ticks.monitoring_s)
    for name, provider in scenario.connected.items():
        ramp_s = provider.response.ramping_s
        if provider.fcr is None and ramp_s < longest_s:
            text = f"{name} ramps in {ramp_s:g} s, less than a tick of {longest_s:g} s: its ramp is never seen"
            yield Hint(("participants", name, "response", "ramping_s"), f"{text}; shorten the ticks")


def _needs(scenario: Scenario) -> Iterator[Hint]:
    for index, need in enumerate(scenario.market.needs):
        offered = sum(
            offer.quantity_mw
            for provider in scenario.connected.values()
            for offer in provider.offers
            if (offer.product, offer.direction) == (need.product, need.direction)
        )
        if offered < need.quantity_mw and scenario.swarm is None:
            text = f"the TSO needs {need.quantity_mw:g} MW of {need.product} {need.direction}, but {offered:g} MW"
            yield Hint(("market", "needs", index, "quantity_mw"), f"{text} are offered in all")


def hints_of_grids(scenario: Scenario, studies: Mapping[str, GridStudies]) -> Iterator[Hint]:
    """What the DSOs' own studies show before anything happens."""
    made = plants.resources(scenario)
    for grid, own in studies.items():
        found = own.standing_violation(scenario.time.first_delivery_us)
        if found is not None:
            value = f"{found.element}: {found.kind} {found.value:g}, limit {found.limit:g}, in {found.case}"
            text = f"this grid is in violation before anything is activated ({value})"
            yield Hint(("grids", grid), f"{text}; what worsens it is refused")
        yield from _above_qualified(scenario, grid, own, made)


def _above_qualified(scenario: Scenario, grid: str, own: GridStudies, made: plants.Resources) -> Iterator[Hint]:
    """Offers for which the DSO would not qualify as much, as its scheme judges: each alone, or all together."""
    if not scenario.has_dso:
        return
    from ..grid.limits.allowing import Activation

    asked = {}
    for name, provider in scenario.connected.items():
        units: tuple[UnitDescription | PoolDescription, ...] = provider.resources
        for resource, unit in zip(made.by_provider[name], units, strict=True):
            for way, mw in (("up", unit.up_mw), ("down", -unit.down_mw)):
                if provider.grid == grid and mw:
                    asked[resource.id, way] = Activation(resource.id, plants.shares(resource), mw)
    allowed = own.prequalify(tuple(asked.values()), "single" if scenario.scheme == "scenario-1-dso" else "all")
    most = {key: (abs(one.p_mw), one.binding) for key, one in zip(asked, allowed, strict=True)}
    for name, provider in scenario.connected.items():
        for index, offer in enumerate(provider.offers):
            qualified, binding = most.get((offer.resource or provider.resources[0].id, offer.direction), (None, None))
            if qualified is not None and offer.quantity_mw > qualified + LEAST_MW:
                where = f" ({binding.element}, {binding.case})" if binding is not None else ""
                text = f"{name} offers {offer.quantity_mw:g} MW {offer.direction}, but would be qualified for about"
                yield Hint(("participants", name, "offers", index), f"{text} {qualified:.2f} MW{where}")
