"""A swarm stands in any network that ships with pandapower, or one sentence says why not."""

from __future__ import annotations

import pytest

from gridpact.grid.network.shipped import NAMES
from gridpact.grid.network.standing import standing_buses
from gridpact.scenarios.description.buses import BUILT_IN, SOURCES
from gridpact.scenarios.description.participants import AggregatorDescription, BspDescription
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.swarm.surroundings import standing

QUICK = ("case14", "cigre_hv", "example_simple", "mv_oberrhein")


def swarm_in(network: str) -> Scenario:
    small = {"bsps": "6", "aggregators": "1", "dfrs": "3", "swarm.bsps_per_grid": "3"}
    return load_scenario("swarm", {"swarm.grids": f"[{{network: {network}}}]", **small})


def stands_where_there_is_supply(network: str) -> None:
    scenario = swarm_in(network)
    assert scenario.swarm is not None
    buses = set(standing(scenario.swarm.grids[0]))
    people = scenario.providers.values()
    used = {unit.bus for who in people if isinstance(who, BspDescription) for unit in who.units} - {None}
    used |= {bus for who in people if isinstance(who, AggregatorDescription) for bus in who.pool.buses}
    assert used <= buses
    assert used


@pytest.mark.parametrize("network", QUICK)
def test_a_swarm_stands_in_a_shipped_network(network: str) -> None:
    stands_where_there_is_supply(network)


@pytest.mark.soak
@pytest.mark.parametrize("network", NAMES)
def test_a_swarm_stands_in_every_shipped_network(network: str) -> None:
    stands_where_there_is_supply(network)


@pytest.mark.parametrize("network", ["cigre_mv", "case33bw"])
def test_the_buses_listed_for_a_network_are_those_that_have_supply(network: str) -> None:
    listed = [bus for bus, _ in BUILT_IN[network] if bus not in SOURCES[network]]
    assert list(standing_buses(swarm_in(network).grids["grid-001"])) == listed


def test_a_network_that_there_is_not_is_refused_in_one_sentence() -> None:
    with pytest.raises(ScenarioError, match="casse14") as told:
        swarm_in("casse14")
    assert "\n" not in str(told.value)


def test_a_simbench_network_that_there_is_not_is_refused_in_one_sentence() -> None:
    with pytest.raises(ScenarioError, match="SimBench") as told:
        load_scenario("swarm", {"swarm.grids": "[{simbench: 1-XX-none}]", "bsps": "2", "aggregators": "0"})
    assert "\n" not in str(told.value)
