"""The physical side of a scenario: resources, grid plants and the area are the truth, studies each DSO's belief.

    Scenario ─▶ units, pools ─▶ connection points ─▶ grid plants, area ─▶ Physics
                                                  └▶ GridStudies ───────▶ Laboratory

A DSO's studies are made from the description without what will really happen; only the plants know that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...grid.area.area import Area
from ...grid.area.description import AreaDescription
from ...grid.errors import NetworkError
from ...grid.network.points import ConnectionPoint
from ...grid.resources.pool import Pool
from ...grid.resources.resource import Resource
from ...grid.resources.unit import Unit
from ...protocols.information.quantities import TRANSMISSION
from ..description.participants import AggregatorDescription
from ..description.schema import Scenario
from ..extension import plugins, strategies
from ..reading.blame import grid_blamed

if TYPE_CHECKING:
    from ...agents.runtime.plants.physics import Physics
    from ...agents.runtime.studies.laboratory import Laboratory
    from ...grid.plant.plant import GridPlant
    from ...grid.series.blocks import Window


@dataclass(frozen=True)
class Resources:
    """Every provider's physical resources, in the order of the file."""

    by_provider: Mapping[str, tuple[Resource, ...]]


def resources(scenario: Scenario) -> Resources:
    """Make every unit and pool; pools are drawn from the scenario's seed."""
    start_us, chosen = scenario.time.start_us, strategies.selected(scenario, plugins.extensions(scenario))
    made: dict[str, tuple[Resource, ...]] = {}
    for name, provider in scenario.connected.items():
        if isinstance(provider, AggregatorDescription):
            made[name] = (Pool(provider.pool, scenario.seed, start_us, chosen[name, "dispatch"]),)
        else:
            made[name] = tuple(Unit(unit, provider.response, start_us) for unit in provider.units)
    return Resources(made)


def shares(resource: Resource) -> tuple[tuple[str, float], ...]:
    """A resource's connection points with their shares of an activation."""
    if isinstance(resource, Pool):
        return resource.site_shares()
    return tuple((site.name, 1.0) for site in resource.sites())


def connection_points(scenario: Scenario, made: Resources) -> dict[str, tuple[ConnectionPoint, ...]]:
    """Where market parties are connected to each grid of the scenario."""
    found: dict[str, list[ConnectionPoint]] = {grid: [] for grid in sorted(scenario.grids)}
    for name, own in made.by_provider.items():
        sites = (site for resource in own for site in resource.sites())
        points = [ConnectionPoint(one.name, one.bus, one.kind, one.baseline_mw) for one in sites if one.bus is not None]
        found.setdefault(scenario.connected[name].grid, []).extend(points)
    return {grid: tuple(points) for grid, points in found.items()}


def physics(scenario: Scenario, made: Resources) -> Physics:
    """The true world."""
    from ...agents.runtime.plants.physics import Holding, LocalControl, Physics
    from ...grid.plant.plant import GridPlant

    midnight_us, span, plants = scenario.time.midnight_us, window(scenario), {}
    points = connection_points(scenario, made)
    for grid in sorted(scenario.grids):
        with grid_blamed(scenario, grid):
            plants[grid] = GridPlant(grid, scenario.located_grid(grid), points[grid], midnight_us, window=span)
            refuse_lost(plants[grid], scenario.time.start_us)
    holdings = {
        resource.id: Holding(
            scenario.operated.get(name, name),
            resource,
            None if scenario.connected[name].grid == TRANSMISSION else scenario.connected[name].grid,
            LocalControl(*control) if (control := _local_control(scenario, name, resource)) else None,
        )
        for name, own in made.by_provider.items()
        for resource in own
    }
    operators = {name: dso.grid for name, dso in scenario.dsos.items()}
    return Physics(area(scenario), plants, operators, holdings, scenario.time.start_us)


def refuse_lost(plant: GridPlant, start_us: int) -> None:
    """A grid that is lost before anybody has done anything is a mistake in its description. Raises NetworkError."""
    state = plant.untouched.actual(start_us)
    if not plant.model.solve(state).converged[0]:
        drawn = f"loads of {state.load_p_mw.sum():.6g} MW, generation of {state.sgen_p_mw.sum():.6g} MW"
        raise NetworkError(f"there is no power flow in the state that the scenario begins with ({drawn})")


def area(scenario: Scenario) -> Area:
    """The control area and its neighbours; its K counts the reserve that the TSO calls for, bought or not."""
    fcr, times = scenario.market.fcr, scenario.time
    contracted = 1000 * fcr.need_mw / fcr.full_deviation_mhz if fcr else 0.0
    given = scenario.located_area()
    return Area(given, times.start_us, times.midnight_us, seed=scenario.seed, contracted_mw_per_hz=contracted)


def nothing(start_us: int) -> Physics:
    """The physical world as a host has it on which no plant runs."""
    from ...agents.runtime.plants.physics import Physics

    return Physics(Area(AreaDescription(), start_us, start_us), {}, {}, {}, start_us)


def _local_control(scenario: Scenario, name: str, resource: Resource) -> tuple[float, float] | None:
    """Full deviation and dead band in Hz of a resource that is offered as containment reserve, else None."""
    offer, rules = scenario.connected[name].fcr, scenario.market.fcr
    if offer is None or rules is None or (offer.resource or resource.id) != resource.id:
        return None
    return rules.full_deviation_mhz / 1000, offer.dead_band_mhz / 1000


def laboratory(scenario: Scenario, made: Resources) -> Laboratory:
    """Each DSO's model of its own grid."""
    from ...agents.runtime.studies.laboratory import Laboratory
    from ...grid.studies.studies import GridStudies

    midnight_us, span, studies = scenario.time.midnight_us, window(scenario), {}
    points = connection_points(scenario, made)
    for grid in sorted(dso.grid for dso in scenario.dsos.values()):
        with grid_blamed(scenario, grid):
            studies[grid] = GridStudies(grid, scenario.located_grid(grid), points[grid], midnight_us, window=span)
    return Laboratory(studies)


def window(scenario: Scenario) -> Window:
    """The time that series of load and generation must cover."""
    from ...grid.series.blocks import Window

    times = scenario.time
    return Window(times.midnight_us, times.start_us - times.midnight_us, times.end_us - times.midnight_us)
