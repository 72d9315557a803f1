"""A network as one meets it: gaps in the index, names shared, missing or made of numbers, parts out of service."""

from pathlib import Path

import pandapower
import pytest

from gridpact.scenarios.check.networks import check_networks
from gridpact.scenarios.commands.starting import write_start
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import load_scenario

BUSES = {12: "Hof, Süd", 13: "Hof, Süd", 21: None, 22: "42", 30: "a:b.c", 99: "tot", 100: "Insel"}
LINES = {4: (12, 13, "K1"), 8: (13, 21, None), 9: (21, 22, "K1"), 17: (22, 30, "line 9"), 50: (30, 99, "")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the network, and a scenario that starts from it."""
    folder = tmp_path_factory.mktemp("odd")
    net = pandapower.create_empty_network()
    pandapower.create_bus(net, 110.0, name='UW "Nord"', index=7)
    for index, name in BUSES.items():
        pandapower.create_bus(net, 20.0, name=name, index=index, in_service=index != 99)
    pandapower.create_ext_grid(net, 7, index=5)
    pandapower.create_transformer(net, 7, 12, "25 MVA 110/20 kV", index=3)
    for index, (start, end, name) in LINES.items():
        pandapower.create_line(net, start, end, 2.0, "NA2XS2Y 1x95 RM/25 12/20 kV", index=index, name=name)
    for index, bus, name in ((1, 12, "Markt"), (21, 22, "Markt"), (31, 30, "Hütte: 3"), (99, 100, "Insel")):
        pandapower.create_load(net, bus, p_mw=1.0, index=index, name=name, in_service=index != 99)
    pandapower.create_sgen(net, 30, p_mw=2.5, name="Wind Ost", type="WP", index=6)
    pandapower.to_json(net, str(folder / "odd net.json"))
    write_start(folder / "mine.yaml", file=folder / "odd net.json")
    return folder


def changed(folder: Path, old: str, new: str) -> list[str]:
    """What is told of the scenario with a change in its text."""
    text = (folder / "mine.yaml").read_text("utf-8")
    assert old in text
    (folder / "changed.yaml").write_text(text.replace(old, new, 1), "utf-8")
    return check_networks(load_scenario(folder / "changed.yaml"))[0]["north"]


def test_what_is_written_to_start_from_can_be_used_at_once(folder: Path) -> None:
    assert changed(folder, "seed: 1", "seed: 2")


@pytest.mark.parametrize("bus", ["a:b.c", "'42'", "42", "22"])
def test_a_bus_is_found_by_its_name_even_one_of_digits_and_by_its_index(bus: str, folder: Path) -> None:
    assert changed(folder, "bus: 30", f"bus: {bus}")


BUS, FILE = "bus: 30", 'file: "odd net.json"'
MISTAKES = {
    "shared": (BUS, "bus: 'Hof, Süd'", 'bus name "Hof, Süd" is ambiguous: buses 12, 13; give the index'),
    "near": (BUS, "bus: Hof Süd", 'bus "Hof Süd" is not in the network; near: "Hof, Süd"'),
    "unnamed": (BUS, "bus: None", 'bus "None" is not in the network; there are: UW "Nord", "Hof, Süd", 42, a:b.c'),
    "dead": (BUS, "bus: tot", "at bus 99 has no connection to an external grid; name another bus in the scenario"),
    "series": (
        FILE,
        f"{FILE}\n    metered: [Markt]",
        '"Markt" is the name of several elements; write load 1 or load 21',
    ),
    "decimal": ("seed: 1", "seed: 1,5", "seed: it should be a plain number, but it is '1,5'"),
    "flow": ("up_mw: 0.", "up_mw: 0,1, down_mw: 0.", "unknown key; a decimal is written with a point, not a comma"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_says_what_would_be_right(mistake: str, folder: Path) -> None:
    old, new, told = MISTAKES[mistake]
    with pytest.raises(ScenarioError) as error:
        changed(folder, old, new)
    assert told in str(error.value)


def test_a_load_on_an_island_says_what_to_do_with_it(folder: Path, tmp_path: Path) -> None:
    net = pandapower.from_json(str(folder / "odd net.json"))
    net.load.loc[99, "in_service"] = True
    pandapower.to_json(net, str(tmp_path / "odd net.json"))
    (tmp_path / "mine.yaml").write_text((folder / "mine.yaml").read_text("utf-8"), "utf-8")
    with pytest.raises(ScenarioError, match=r"\(\"Insel\"\) at bus 100 .*; connect it, or set its in_service to False"):
        check_networks(load_scenario(tmp_path / "mine.yaml"))


def test_check_refuses_what_has_no_power_flow_when_the_run_begins_as_a_run_does(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="there is no power flow in the state that the scenario begins with"):
        changed(folder, FILE, f"{FILE}\n    profiles: {{load: {{forecast: 1, actual: 100}}}}")
