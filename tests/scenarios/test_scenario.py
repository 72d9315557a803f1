"""A scenario says everything a run follows from; the built-in ones differ in their coordination only."""

from pathlib import Path

import pytest

from gridpact.scenarios.description.buses import BUILT_IN
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import builtin_names, changed_scenario, load_scenario, scenario_yaml
from gridpact.scenarios.summary.tables import _violated


@pytest.mark.parametrize("name", builtin_names())
def test_a_resolved_scenario_loads_as_the_same_scenario(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    (tmp_path / "resolved.yaml").write_text(scenario_yaml(scenario))
    again = load_scenario(tmp_path / "resolved.yaml")
    assert again.model_dump() == scenario.model_dump()
    assert scenario_yaml(again) == scenario_yaml(scenario)


def test_the_built_in_scenarios_differ_in_their_coordination_only() -> None:
    plain = [load_scenario(name) for name in ("blind", "scenario-1", "scenario-1-dso", "scenario-2")]
    loaded = [scenario.model_dump(exclude={"name", "title", "coordination"}) for scenario in plain]
    assert all(other == loaded[0] for other in loaded)
    assert [scenario.scheme for scenario in plain] == [scenario.name for scenario in plain]


def test_the_base_is_not_listed() -> None:
    assert "worked-example" not in builtin_names()


def test_almost_everything_has_a_default(tmp_path: Path) -> None:
    text = """
name: small
time: {start: 2026-03-02T10:00:00+01:00}
grids: {mv: {network: cigre_mv}}
participants:
  tso: {kind: tso}
  dso: {kind: dso, grid: mv}
  bsp: {kind: bsp, grid: mv, units: [{id: u, bus: Bus 3, up_mw: 1}]}
"""
    (tmp_path / "small.yaml").write_text(text)
    scenario = load_scenario(tmp_path / "small.yaml")
    assert scenario.time.first_delivery_us - scenario.time.start_us == 7_200_000_000
    assert len(scenario.time.periods) == 4
    assert scenario.dso_of("mv") == "dso"


def test_an_empty_mapping_clears_what_the_base_says(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: blind\ngrids: {north: {profiles: {}, metered: [interface]}}")
    grid = load_scenario(tmp_path / "mine.yaml").grids["north"]
    assert grid.profiles == {}
    assert grid.load_scaling == 0.8


def test_extending_merges_mappings_replaces_lists_and_removes_by_null(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "extends: blind\nlinks: {loss: 0.1}\nmarket: {needs: [{direction: up, quantity_mw: 1}]}"
    )
    (tmp_path / "b.yaml").write_text("extends: a.yaml\nlinks: {delay_sigma: 0.0}\nparticipants: {agg-1: null}")
    scenario = load_scenario(tmp_path / "b.yaml")
    assert (scenario.links.loss, scenario.links.delay_sigma, scenario.links.delay_median_s) == (0.1, 0.0, 0.05)
    assert [need.quantity_mw for need in scenario.market.needs] == [1.0]
    assert "agg-1" not in scenario.participants
    assert "bsp-a" in scenario.participants


def test_settings_take_yaml_values_by_path() -> None:
    settings = {"market.needs.0.quantity_mw": "7.5", "links": "{loss: 0.2}", "participants.agg-1": "null"}
    scenario = load_scenario("blind", settings)
    assert scenario.market.needs[0].quantity_mw == 7.5
    assert scenario.links.loss == 0.2
    assert "agg-1" not in scenario.participants


def test_a_loaded_scenario_can_be_changed_too() -> None:
    changed = changed_scenario(load_scenario("blind"), {"coordination.scheme": "scenario-1", "seed": 3})
    assert isinstance(changed, Scenario)
    assert (changed.scheme, changed.seed) == ("scenario-1", 3)
    with pytest.raises(ScenarioError, match="unknown key"):
        changed_scenario(changed, {"sed": 3})


def test_in_blind_there_is_no_dso() -> None:
    blind = load_scenario("blind")
    assert blind.dsos == {}
    assert blind.dso_of("north") is None
    assert list(load_scenario("scenario-1").dsos) == ["dso-north"]


def test_periods_and_deadlines_follow_from_the_first_delivery() -> None:
    time = load_scenario("blind").time
    first = time.periods[0][0]
    assert first - time.gate_closure_us(first) == 25 * 60_000_000
    assert time.gate_closure_us(first) - time.cfp_us(first) == 20 * 60_000_000
    assert time.at_clock("12:00") == first
    assert time.end_us - time.periods[-1][1] == 20 * 60_000_000


def test_a_network_file_is_meant_from_the_scenarios_folder(tmp_path: Path) -> None:
    import pandapower
    from pandapower import networks

    pandapower.to_json(networks.case33bw(), str(tmp_path / "mine.json"))
    units = "participants: {bsp-a: {units: [{id: a, bus: 40, up_mw: 3}]}}"
    text = f"grids: {{north: {{network: null, taps: null, file: mine.json}}}}\n{units}"
    (tmp_path / "mine.yaml").write_text(f"extends: blind\n{text}")
    with pytest.raises(ScenarioError, match="bus 40 is not in the network"):
        load_scenario(tmp_path / "mine.yaml")
    (tmp_path / "mine.yaml").write_text(f"extends: blind\n{text.replace('40', '30')}")
    located = load_scenario(tmp_path / "mine.yaml").located_grid("north")
    assert located.file == str(tmp_path / "mine.json")


def test_the_buses_of_built_in_networks_are_those_of_pandapower() -> None:
    from gridpact.grid.description.grid import GridDescription
    from gridpact.grid.network.source import load

    for name, buses in BUILT_IN.items():
        net = load(GridDescription.model_validate({"network": name}))
        assert buses == tuple((int(index), str(bus)) for index, bus in net.bus["name"].items())


def test_a_yaml_that_refers_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: &a [*a]\n")
    with pytest.raises(ScenarioError, match="refers to itself"):
        load_scenario(tmp_path / "x.yaml")


def test_a_resource_that_is_not_clear_must_be_named(tmp_path: Path) -> None:
    units = "[{id: a, bus: 9, up_mw: 2.5}, {id: b, bus: 9, up_mw: 2.5}]"
    (tmp_path / "x.yaml").write_text(f"extends: blind\nparticipants: {{bsp-a: {{units: {units}}}}}")
    with pytest.raises(ScenarioError, match="name one of: a, b"):
        load_scenario(tmp_path / "x.yaml")


def test_a_grid_that_has_no_power_flow_from_the_start_is_one_sentence() -> None:
    scenario = load_scenario("blind", {"grids.north.load_scaling": 60})
    with pytest.raises(ScenarioError, match=r"load_scaling: there is no power flow in the state .* \(loads of 2\d+"):
        plants.physics(scenario, plants.resources(scenario))


def test_a_grid_without_power_flow_is_in_violation_and_the_summary_says_so() -> None:
    values = {"minutes": 3.0, "percent_seconds": 0.0, "worst_loading_percent": 0.0}
    lost = values | {"lowest_vm_pu": None, "highest_vm_pu": None}
    assert _violated(lost) == "3.0 min, 0 %·s, worst loading 0.0 %, no power flow at all"
