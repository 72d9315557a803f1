"""What is hardly meant in a scenario, seen once its grids are built: one already in violation, offers above the limits.

It stands by itself, because a scenario is mostly checked without its grids, and then nobody waits for their libraries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...grid.limits.allowing import Activation
from ..description.schema import Scenario
from ..operation import plants
from .oddities import Hint

if TYPE_CHECKING:
    from ...grid.resources.description import PoolDescription, UnitDescription
    from ...grid.studies.studies import GridStudies

LEAST_MW = 1e-3


def hints_of_grids(scenario: Scenario, studies: Mapping[str, GridStudies]) -> Iterator[Hint]:
    """What the DSOs' own studies show before anything happens."""
    made = plants.resources(scenario)
    for grid, own in studies.items():
        found = own.standing_violation(scenario.time.first_delivery_us)
        if found is not None:
            value = f"{found.element}: {found.kind} {found.value:g}, limit {found.limit:g}, in {found.case}"
            text = f"this grid is in violation before anything is activated ({value})"
            yield Hint(
                ("grids", grid), f"{text}; what worsens it is refused; load_scaling, taps or limits would mend it"
            )
        yield from _above_qualified(scenario, grid, own, made)


def _above_qualified(scenario: Scenario, grid: str, own: GridStudies, made: plants.Resources) -> Iterator[Hint]:
    """Offers for which the DSO would not qualify as much, as its scheme judges: each alone, or all together."""
    if not scenario.has_dso:
        return
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
