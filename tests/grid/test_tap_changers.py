"""Tap changers whose positions a table tells, and those that a controller of the network's own moves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandapower
import pandapower.control
import pandas as pd
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import quiet
from gridpact.grid.errors import NetworkError
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.moments.one_line import one_line
from gridpact.grid.plant.plant import GridPlant

Net = Any


def small() -> Net:
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 20.0)]
    pandapower.create_ext_grid(net, buses[0])
    pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV", tap_pos=-3)
    pandapower.create_line(net, buses[1], buses[2], 5.0, "NA2XS2Y 1x240 RM/25 12/20 kV")
    pandapower.create_load(net, buses[2], 8.0, 2.0)
    return net


def tabulated(ratios: dict[int, float]) -> Net:
    net, count = small(), len(ratios)
    impedances = {f"vk{r}{side}_percent": [np.nan] * count for r in ("", "r") for side in ("_hv", "_mv", "_lv")}
    table = {"id_characteristic": [0] * count, "step": list(ratios), "voltage_ratio": list(ratios.values())}
    table |= {"angle_deg": [0.0] * count, "vk_percent": [12.0] * count, "vkr_percent": [0.41] * count, **impedances}
    net["trafo_characteristic_table"] = pd.DataFrame(table)
    net.trafo["tap_changer_type"], net.trafo["tap_dependency_table"] = "Tabular", True
    net.trafo["id_characteristic_table"] = 0
    return net


def modelled(net: Net, folder: Path, **more: Any) -> GridModel:
    with quiet():
        pandapower.to_json(net, str(folder / "net.json"))
    return load_model(GridDescription.model_validate({"file": str(folder / "net.json"), **more}))


def test_a_table_of_taps_is_stepped_as_far_as_it_tells(tmp_path: Path) -> None:
    net = tabulated({-5: 0.94, -4: 0.95, -3: 0.97, -2: 0.98, 0: 1.0, 1: 1.01})
    model = modelled(net, tmp_path)
    assert (model.tap_ranges, model.tap_senses) == (((-5, -2),), (-1,))
    assert not [note for note in model.notes if "taken as Ratio" in note]
    plant = GridPlant("g", GridDescription.model_validate({"file": str(tmp_path / "net.json")}), ())
    for tap in (-5, -2):
        with quiet():
            net.trafo["tap_pos"] = tap
            pandapower.runpp(net)
        solved = model.solver((tap,)).solve(plant.untouched.actual(0))
        assert solved.vm_pu[0] == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-7)


def test_a_table_that_falls_has_the_other_sense(tmp_path: Path) -> None:
    assert modelled(tabulated({-4: 1.03, -3: 1.02, -2: 1.01}), tmp_path).tap_senses == (1,)


def test_a_present_position_that_the_table_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"taps of transformer 0 hang on a table .* lacks position -3"):
        modelled(tabulated({0: 1.0, 1: 1.01}), tmp_path)


@pytest.fixture
def regulated() -> Net:
    net = small()
    pandapower.control.DiscreteTapControl(net, 0, vm_lower_pu=1.01, vm_upper_pu=1.03, side="lv")
    net.trafo["tap_pos"] = 0
    return net


def test_what_a_controller_moves_nobody_else_steps(regulated: Net, tmp_path: Path) -> None:
    model = modelled(regulated, tmp_path)
    assert model.tap_ranges == ((0, 0),)
    assert [note for note in model.notes if "moved by the network's own controllers" in note]
    with pytest.raises(NetworkError, match="controllers of the network move the taps of transformer 0: leave out"):
        modelled(regulated, tmp_path, taps={"min": -2, "max": 2})


def test_an_exported_network_and_a_diagram_show_what_the_controller_did(regulated: Net, tmp_path: Path) -> None:
    with quiet():
        pandapower.to_json(regulated, str(tmp_path / "net.json"))
    plant = GridPlant("g", GridDescription.model_validate({"file": str(tmp_path / "net.json")}), ())
    vm_pu = plant.solve().solution.vm_pu[0]
    assert 1.01 <= vm_pu[1] <= 1.03
    row = plant.snapshot(0)
    exported = plant.export(row)
    with quiet():
        pandapower.runpp(exported)
    assert exported.trafo.tap_pos[0] != 0
    assert exported.res_bus.vm_pu.to_numpy() == pytest.approx(vm_pu, abs=1e-8)
    drawn = one_line(plant.network_json(), [row, row])
    assert drawn.vm_pu == pytest.approx(np.array([vm_pu, vm_pu]), abs=1e-8)
