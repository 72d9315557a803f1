"""A network whose values no power flow can be computed with is refused: which element, which column, what is right."""

import sys
from pathlib import Path
from typing import Any

import pandapower
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import quiet
from gridpact.grid.errors import NetworkError
from gridpact.grid.model import load_model
from gridpact.scenarios.cli import main
from gridpact.scenarios.commands.starting import write_start

NAN = float("nan")
BROKEN = {  # table, column, row, value: what it must be
    ("bus", "vn_kv", 2, 0.0): "positive",
    ("bus", "vn_kv", 2, NAN): "positive",
    ("bus", "max_vm_pu", 1, -1.0): "positive or empty",
    ("ext_grid", "vm_pu", 0, 0.0): "positive",
    ("gen", "vm_pu", 0, NAN): "positive",
    ("line", "length_km", 1, 0.0): "positive",
    ("line", "length_km", 1, -2.0): "positive",
    ("line", "r_ohm_per_km", 0, NAN): "not negative",
    ("line", "max_i_ka", 0, -0.1): "not negative or empty",
    ("line", "max_loading_percent", 0, 0.0): "positive or empty",
    ("line", "to_bus", 1, 77): "the index of a bus of the network",
    ("load", "bus", 0, 77): "the index of a bus of the network",
    ("trafo", "sn_mva", 0, 0.0): "positive",
    ("trafo", "vk_percent", 0, 0.0): "positive",
    ("trafo", "vkr_percent", 0, -0.1): "not negative",
    ("trafo", "tap_pos", 0, 1.5): "a whole number or empty",
}


def network() -> Any:
    net: Any = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 20.0, 20.0)]
    pandapower.create_ext_grid(net, buses[0])
    pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV", max_loading_percent=100.0)
    for start, end in ((1, 2), (2, 3)):
        cable = "NA2XS2Y 1x185 RM/25 12/20 kV"
        pandapower.create_line(net, buses[start], buses[end], 4.0, cable, max_loading_percent=100.0)
    pandapower.create_load(net, 3, 2.0, 0.5)
    pandapower.create_gen(net, 2, 1.0, vm_pu=1.0)
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 0.9, 1.1
    return net


def described(net: Any, folder: Path, **limits: float) -> GridDescription:
    with quiet():
        pandapower.to_json(net, str(folder / "net.json"))
    return GridDescription.model_validate({"file": str(folder / "net.json"), "limits": limits})


@pytest.mark.parametrize(("place", "right"), BROKEN.items(), ids=lambda each: "-".join(map(str, each)))
def test_a_broken_value_is_said_with_its_element(place: Any, right: str, tmp_path: Path) -> None:
    table, column, row, value = place
    net = network()
    net[table] = net[table].astype({column: object}) if column == "tap_pos" else net[table]
    net[table].loc[row, column] = value
    with pytest.raises(NetworkError) as refused:
        load_model(described(net, tmp_path))
    assert str(refused.value) == f"{column} of {table} {row} in the network is {value}; it must be {right}"


@pytest.mark.parametrize(("column", "value"), [("length_km", 0.0), ("max_i_ka", -0.1), ("r_ohm_per_km", NAN)])
def test_out_of_service_it_may_be_anything(column: str, value: float, tmp_path: Path) -> None:
    net = network()
    spare = pandapower.create_line(net, 1, 3, 4.0, "NA2XS2Y 1x185 RM/25 12/20 kV", max_loading_percent=100.0)
    net.line.loc[spare, [column, "in_service"]] = [value, False]
    assert load_model(described(net, tmp_path)).initial_taps == (0,)


def test_a_line_without_any_impedance_is_refused(tmp_path: Path) -> None:
    net = network()
    net.line.loc[1, ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0
    with pytest.raises(NetworkError, match=r"x_ohm_per_km of line 1 .* must be more than 0 where r_ohm_per_km is 0"):
        load_model(described(net, tmp_path))


def test_a_lowest_voltage_above_the_highest_is_refused_wherever_each_is_said(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"allowed at bus 0, 1\.2 pu, must not be above the highest, 1\.1 pu"):
        load_model(described(network(), tmp_path, vm_min_pu=1.2))


def test_the_command_says_it_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network()
    described(net, tmp_path)
    write_start(tmp_path / "mine.yaml", file=tmp_path / "net.json")
    net.line.loc[[0, 1], "length_km"] = 0.0
    described(net, tmp_path)
    monkeypatch.setattr(sys, "argv", ["gridpact", "check", str(tmp_path / "mine.yaml"), "--networks"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith("gridpact: ")
    assert "length_km of line 0 (and of 1 more) in the network is 0.0; it must be positive" in told
    assert told.count("\n") == 1
