"""Networks by name and by file: what is filled in, what is repaired, what is refused and with which words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandapower
import pytest
from pydantic import ValidationError

from gridpact.grid.description.grid import GridDescription, GridLimits
from gridpact.grid.engine import run_power_flow
from gridpact.grid.errors import NetworkError, ProfileError
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.building import build
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.network.source import load
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.series.profiles import Profiles


@pytest.fixture
def small_net() -> pandapower.pandapowerNet:
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv, name=f"B{k}") for k, kv in enumerate((110.0, 20.0, 20.0))]
    pandapower.create_ext_grid(net, buses[0])
    pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV")
    pandapower.create_line(net, buses[1], buses[2], 5.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    pandapower.create_load(net, buses[2], 4.0, 1.0, name="Village", scaling=0.5)
    return net


def saved(net: pandapower.pandapowerNet, folder: Path) -> GridDescription:
    pandapower.to_json(net, str(folder / "net.json"))
    return GridDescription(file=str(folder / "net.json"))


def test_a_network_of_the_users_own_is_read_and_its_scaling_folded(
    small_net: pandapower.pandapowerNet, tmp_path: Path
) -> None:
    net = build(saved(small_net, tmp_path)).net
    assert net.load.p_mw.tolist() == [2.0]
    assert net.load.scaling.tolist() == [1.0]


def test_networks_made_from_one_description_are_equal_and_apart() -> None:
    one, other = (load(GridDescription(network="case5")) for _ in range(2))
    assert pandapower.to_json(one) == pandapower.to_json(other)
    one.load["p_mw"] = 0.0
    assert (
        other.load.p_mw.tolist() == load(GridDescription(network="case5")).load.p_mw.tolist() != one.load.p_mw.tolist()
    )


def test_a_file_that_has_been_edited_is_read_anew(small_net: pandapower.pandapowerNet, tmp_path: Path) -> None:
    assert build(saved(small_net, tmp_path)).net.load.p_mw.tolist() == [2.0]
    small_net.load["p_mw"] = 6.0
    assert build(saved(small_net, tmp_path)).net.load.p_mw.tolist() == [3.0]


def test_plant_and_studies_share_a_model_however_many_grids_there_are(
    small_net: pandapower.pandapowerNet, tmp_path: Path
) -> None:
    description = saved(small_net, tmp_path)
    grids = [description.model_copy(update={"load_scaling": 1.0 - 0.01 * k}) for k in range(18)]
    models = [load_model(grid) for grid in grids]
    assert [load_model(grid) for grid in grids] == models


def test_taps_without_a_type_are_taken_as_ratio_and_noted(small_net: pandapower.pandapowerNet, tmp_path: Path) -> None:
    small_net.trafo["tap_changer_type"] = None
    prepared = build(saved(small_net, tmp_path))
    assert prepared.net.trafo.tap_changer_type.tolist() == ["Ratio"]
    assert any("tap_changer_type" in note for note in prepared.notes)


def test_limits_of_the_file_stand_unless_the_scenario_gives_them(
    small_net: pandapower.pandapowerNet, tmp_path: Path
) -> None:
    small_net.line["max_loading_percent"] = 80.0
    description = saved(small_net, tmp_path)
    assert build(description).net.line.max_loading_percent.tolist() == [80.0]
    strict = description.model_copy(update={"limits": description.limits.model_copy(update={"loading_percent": 60.0})})
    assert build(strict).net.line.max_loading_percent.tolist() == [60.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\xff\xfe", "is not text"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a": 1}', "not a"),
        (b"", "is not JSON"),
    ],
)
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "net.json").write_bytes(content)
    with pytest.raises(NetworkError, match=words):
        build(GridDescription(file=str(tmp_path / "net.json")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"nowhere\.json cannot be read: No such file"):
        load_model(GridDescription(file=str(tmp_path / "nowhere.json")))


def test_a_load_without_supply_is_refused(small_net: pandapower.pandapowerNet, tmp_path: Path) -> None:
    pandapower.create_load(small_net, pandapower.create_bus(small_net, 20.0), 1.0, name="Island")
    with pytest.raises(NetworkError, match=r'"Island".* no connection to an external grid'):
        load_model(saved(small_net, tmp_path))


@pytest.mark.parametrize(("bus", "words"), [(99, "bus 99 is not"), ("Bus 99", "near: Bus 9"), ("9 ", None)])
def test_connection_points_are_placed_by_index_or_name(
    worked_example: GridDescription, bus: str | int, words: str | None
) -> None:
    points = (ConnectionPoint("X", bus),)
    if words is None:
        assert build(worked_example, points).net.sgen.bus.iloc[-1] == 9
        return
    with pytest.raises(NetworkError, match=words):
        build(worked_example, points)


def test_two_connection_points_of_one_name_are_refused(worked_example: GridDescription) -> None:
    with pytest.raises(NetworkError, match="names are unique"):
        build(worked_example, (ConnectionPoint("X", 9), ConnectionPoint("X", 8)))


def test_a_baseline_of_a_connection_point_counts_from_the_start(vary: Callable[..., GridDescription]) -> None:
    plants = [GridPlant("g", vary(), (ConnectionPoint("X", 9, "load", baseline_mw=p),)) for p in (0.0, -1.0)]
    first, second = (plant.solve().interface_p_mw for plant in plants)
    assert second - first == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "x.json"}, "exactly one of `network`"),
        ({"network": None}, "exactly one of `network`"),
        ({"network": "cigre_mv_dr"}, "near: cigre_mv_der"),
        ({"zip_percent": {"z": 40, "i": 30, "p": 20}}, "must sum to 100"),
        ({"load_scaling": -1}, "greater than or equal to 0"),
        ({"limits": {"vm_min_pu": 1.1, "vm_max_pu": 1.05}}, "must be below vm_max_pu"),
        ({"taps": {"position": 12}}, "must lie between"),
        ({"profiles": {"wind": {"forecast": 0.2, "actual": {"noon": 1.0}}}}, "must read HH:MM"),
        ({"profiles": {"wind": {"forecast": {"12:00": 1, "11:00": 1}}}}, "must ascend"),
        ({"planning_cases": [{"name": "a"}, {"name": "a"}]}, "must be unique"),
        ({"load_scalling": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_description_is_refused_with_what_would_be_right(
    vary: Callable[..., GridDescription], change: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        vary(**change)


def test_a_profile_of_something_unknown_is_refused(vary: Callable[..., GridDescription]) -> None:
    description = vary(profiles={"WKA 8": {"forecast": 1.0}})
    with pytest.raises(ProfileError, match=r'"WKA 8".*near: WKA 7'):
        Profiles(load_model(description), description)


def test_an_element_s_own_profile_goes_before_its_group_s(vary: Callable[..., GridDescription]) -> None:
    description = vary(profiles={"WKA 7": {"forecast": 0.5}, "wind": {"forecast": 0.1}, "pv": {"forecast": 0.0}})
    state = Profiles(load_model(description), description).forecast(0)
    assert state.sgen_p_mw[8] == 0.75
    assert state.sgen_p_mw[:8].sum() == 0.0


def test_a_stored_network_and_row_give_the_moment_back(vary: Callable[..., GridDescription]) -> None:
    from gridpact.grid.moments.snapshot import network_from

    plant = GridPlant("g", vary(), (ConnectionPoint("A", 9),))
    plant.set_point_power("A", 1.25, 0.5)
    plant.set_tap_target("transformer 0-1", 2, 0)
    row = plant.snapshot(25_000_000)
    net = network_from(plant.network_json(), row)
    assert run_power_flow(net)
    assert net.trafo.tap_pos.tolist() == [2.0, 0.0]
    assert net.res_bus.vm_pu.to_numpy() == pytest.approx(plant.solve().vm_pu, abs=1e-6)
    limits = net.bus[["min_vm_pu", "max_vm_pu"]]
    at_source = net.bus.index.isin(net.ext_grid.bus)
    assert limits[at_source].isna().all(axis=None)
    assert limits[~at_source].notna().all(axis=None)
    with pytest.raises(NetworkError, match=r"lacks load\.0\.p_mw"):
        network_from(plant.network_json(), {"converged": 1})


def test_importing_the_package_does_not_import_pandapower() -> None:
    import subprocess

    code = "import sys, gridpact.grid.studies.studies, gridpact.grid.plant.plant; sys.exit('pandapower' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_gives_up_old_tap_positions_but_not_the_initial_one(
    worked_example: GridDescription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridpact.grid.model.KEPT_ENTRIES", 0)
    monkeypatch.setattr("gridpact.grid.model.FEWEST_SOLVERS", 2)
    model = GridModel(worked_example)
    initial, lower = model.solver((0, 0)), model.solver((1, 0))
    assert model.solver((1, 0)) is lower
    other = model.solver((0, 1))
    assert model.solver((0, 0)) is initial
    assert model.solver((0, 1)) is other
    state = Profiles(model, worked_example).forecast(0).with_taps((1, 0))
    assert model.solver((1, 0)) is not lower
    assert np.array_equal(model.solve(state).vm_pu, lower.solve(state).vm_pu)


@pytest.mark.parametrize("windings", [2, 3])
def test_a_network_without_lines_carries_what_the_limit_of_its_transformer_allows(
    windings: int, tmp_path: Path
) -> None:
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 10.0)[:windings]]
    pandapower.create_ext_grid(net, buses[0])
    if windings == 2:
        pandapower.create_transformer(net, *buses, "25 MVA 110/20 kV")
    else:
        pandapower.create_transformer3w(net, *buses, "63/25/38 MVA 110/20/10 kV")
    pandapower.create_load(net, buses[1], 4.0, 1.0)
    description = saved(net, tmp_path).model_copy(update={"limits": GridLimits(loading_percent=50)})
    model = GridModel(description)
    assert model.ratings.interface_mw == pytest.approx([{2: 12.5, 3: 31.5}[windings]])
    assert model.solve(Profiles(model, description).forecast(0)).converged[0]
