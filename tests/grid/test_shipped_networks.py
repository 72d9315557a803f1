"""The networks that ship with pandapower, and SimBench's where it is installed: they work, and say what was filled in.

All names are tried in `make soak`; here those that are quick, one of each kind.
"""

from __future__ import annotations

import inspect
import json
import random
from pathlib import Path

import numpy as np
import pandapower
import pandapower.networks
import pytest
from numba.core.event import install_recorder

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import quiet, run_power_flow
from gridpact.grid.errors import NetworkError, ProfileError
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.building import build
from gridpact.grid.network.shipped import NAMES, SHORT, shipped
from gridpact.grid.network.source import load
from gridpact.grid.series.blocks import Window
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.voltage.cvr import options

QUICK = (
    "case14", "cigre_hv", "create_kerber_landnetz_kabel_1", "create_synthetic_voltage_control_lv_network",
    "example_multivoltage", "example_simple", "iceland", "ieee_european_lv_asymmetric", "simple_mv_open_ring_net",
)  # fmt: skip
CODE = "1-MV-rural--0-sw"
DAY_US = 86_400_000_000


def agrees_with_pandapower(model: GridModel, description: GridDescription) -> None:
    """Voltages, loadings and interface powers of the network as it stands, ≤ 1e-7 pu and of rating."""
    solution = model.solve(Profiles(model, description).actual(0))
    assert solution.converged[0]
    net = load(description)
    assert run_power_flow(net)
    run_power_flow(net, warm=True, tolerance_mva=1e-12)
    supplied = np.isfinite(solution.vm_pu[0])
    assert np.abs(solution.vm_pu[0] - net.res_bus.vm_pu)[supplied].max() <= 1e-7
    theirs = np.nan_to_num(np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent]))
    ours = solution.loading_percent[0, : len(theirs)]
    rated = np.concatenate([net.line.max_i_ka < 9999, np.ones(len(net.trafo), dtype=bool)])
    assert (np.abs(ours - theirs)[rated] / np.maximum(100.0, theirs[rated])).max(initial=0.0) <= 1e-7
    assert solution.interface_mva[0].sum().real == pytest.approx(net.res_ext_grid.p_mw.sum(), rel=1e-7, abs=1e-5)


@pytest.mark.parametrize("name", QUICK)
def test_a_shipped_network_works_and_agrees_with_pandapower(name: str) -> None:
    description = GridDescription(network=name)
    agrees_with_pandapower(load_model(description), description)


def test_every_network_that_pandapower_makes_without_arguments_has_its_name_here() -> None:
    ours = {function for function, _ in SHORT.values()} | set(NAMES) - set(SHORT)
    theirs = {
        name
        for name, maker in vars(pandapower.networks).items()
        if getattr(maker, "__module__", "").startswith("pandapower.networks") and inspect.isfunction(maker)
    }
    assert ours <= theirs
    left = {name for name in theirs - ours if name.startswith(("case", "create_", "kb_", "mv_", "lv_"))}
    assert left == {"create_dickert_lv_feeders"}


def test_a_network_with_drawn_cables_is_the_same_at_every_call_and_leaves_the_generator_alone() -> None:
    random.seed(5)
    before = random.getstate()
    first, second = (shipped("create_kerber_vorstadtnetz_kabel_2") for _ in range(2))
    assert first.line.equals(second.line)
    assert random.getstate() == before


def test_what_pandapower_computes_while_it_makes_a_network_is_not_compiled(caplog: pytest.LogCaptureFixture) -> None:
    with install_recorder("numba:compile") as compiled:
        assert bool(shipped("oberrhein").converged)
    assert (compiled.buffer, caplog.records) == ([], [])


def test_a_network_without_solution_has_none_rather_than_a_wrong_one() -> None:
    description = GridDescription(network="case11_iwamoto")
    model = load_model(description)
    assert not model.solve(Profiles(model, description).actual(0)).converged[0]
    assert model.fallback_reason is not None


def test_what_was_filled_in_is_said() -> None:
    notes = load_model(GridDescription.model_validate({"network": "cigre_mv", "taps": {"position": -1}})).notes
    assert "2 transformers have the scenario's tap changers: -9 … 9 × 1.5 % on the hv side, position -1" in notes
    assert "15 of 15 line had no max_loading_percent: 100.0 assumed" in notes


def test_lines_without_a_rating_get_the_scenario_s_or_are_said_to_be_unlimited() -> None:
    free = GridDescription(network="case33bw")
    assert any("no current rating max_i_ka: they are not limited" in note for note in load_model(free).notes)
    rated = GridDescription.model_validate({"network": "case33bw", "limits": {"line_max_i_ka": 0.2}})
    model = load_model(rated)
    assert any("0.2 kA assumed" in note for note in model.notes)
    assert model.solve(Profiles(model, rated).actual(0)).loading_percent[0].max() > 50


def old_format(net: pandapower.pandapowerNet) -> str:
    """A network as pandapower 2 wrote it: old column names, no types of tap changers."""
    with quiet():
        content = json.loads(pandapower.to_json(net))
    content["_object"]["version"], content["_object"]["format_version"] = "2.2.2", "2.2.0"
    load = json.loads(content["_object"]["load"]["_object"])
    renamed = {"const_z_p_percent": "const_z_percent", "const_i_p_percent": "const_i_percent"}
    kept = [k for k, name in enumerate(load["columns"]) if not name.endswith("_q_percent")]
    load["columns"] = [renamed.get(load["columns"][k], load["columns"][k]) for k in kept]
    load["data"] = [[row[k] for k in kept] for row in load["data"]]
    content["_object"]["load"]["_object"] = json.dumps(load)
    trafo = json.loads(content["_object"]["trafo"]["_object"])
    kept = [
        k for k, name in enumerate(trafo["columns"]) if not name.startswith(("tap_changer", "tap_dependency", "id_ch"))
    ]
    trafo["columns"] = [trafo["columns"][k] for k in kept]
    trafo["data"] = [[row[k] for k in kept] for row in trafo["data"]]
    content["_object"]["trafo"]["_object"] = json.dumps(trafo)
    return json.dumps(content)


def test_an_old_file_is_converted_with_its_taps_and_load_shares(tmp_path: Path) -> None:
    net = load(GridDescription(network="mv_oberrhein"))
    net.load["const_z_p_percent"] = 30.0
    net.trafo["tap_pos"] = 2
    (tmp_path / "old.json").write_text(old_format(net))
    prepared = build(GridDescription(file=str(tmp_path / "old.json"))).net
    assert prepared.load.const_z_p_percent.tolist() == [30.0] * len(net.load)
    assert prepared.trafo.tap_changer_type.tolist() == ["Ratio", "Ratio"]
    assert prepared.trafo.tap_pos.tolist() == [2.0, 2.0]


def test_without_the_package_a_simbench_code_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "simbench", None)
    with pytest.raises(NetworkError, match=r"pip install gridpact\[simbench\]"):
        build(GridDescription(simbench=CODE))


def test_simbench_s_taps_act_and_its_values_are_known() -> None:
    pytest.importorskip("simbench")
    description = GridDescription(simbench=CODE)
    model = load_model(description)
    assert any("2 transformers had tap data without tap_changer_type" in note for note in model.notes)
    agrees_with_pandapower(model, description)
    solution = model.solve(Profiles(model, description).actual(0))
    voltages = solution.vm_pu[0, model.ratings.buses]
    assert (voltages.min(), voltages.max()) == (pytest.approx(1.003, abs=1e-3), pytest.approx(1.045, abs=1e-3))
    assert solution.loading_percent[0, : len(model.net.line)].max() == pytest.approx(54.5, abs=0.1)
    assert solution.loading_percent[0, len(model.net.line) :].max() == pytest.approx(18.8, abs=0.1)
    lower = model.solve(Profiles(model, description).actual(0).with_taps((1, 1)))
    assert (solution.vm_pu - lower.vm_pu)[0, model.ratings.buses].min() > 0.01
    assert options(model, Profiles(model, description).actual(0)) == ()


def test_simbench_s_profiles_are_cut_to_the_scenario_s_day() -> None:
    simbench = pytest.importorskip("simbench")
    description = GridDescription(simbench=CODE, series={"source": "simbench"})
    model = load_model(description)
    midnight_us = 1_780_264_800_000_000
    profiles = Profiles(model, description, midnight_us, window=Window(midnight_us, 0, DAY_US))
    with quiet():
        net = load(description)
        values = simbench.get_absolute_values(net, profiles_instead_of_study_cases=True)
    row = net.profiles["load"].time.tolist().index("01.06.2016 12:00")
    state = profiles.actual(midnight_us + DAY_US // 2)
    assert state.load_p_mw == pytest.approx(values["load", "p_mw"].loc[row].to_numpy())
    assert state.load_q_mvar == pytest.approx(values["load", "q_mvar"].loc[row].to_numpy())
    assert state.sgen_p_mw == pytest.approx(values["sgen", "p_mw"].loc[row].to_numpy())


def test_a_wrong_simbench_code_is_refused_with_those_near() -> None:
    pytest.importorskip("simbench")
    with pytest.raises(NetworkError, match=r"is no SimBench code; near: 1-MV-rural--0-sw"):
        build(GridDescription(simbench="1-MV-rural-0-sw"))


def test_a_network_without_simbench_profiles_has_none_to_give() -> None:
    description = GridDescription.model_validate({"network": "cigre_mv", "series": "simbench"})
    with pytest.raises(ProfileError, match="the network has no SimBench profiles"):
        Profiles(load_model(description), description)
