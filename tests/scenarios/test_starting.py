"""A newcomer's first steps: a scenario to start from, and what `check` has to say about it."""

import inspect
import itertools
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gridpact.scenarios.audit import audit
from gridpact.scenarios.check.oddities import hints
from gridpact.scenarios.cli import app
from gridpact.scenarios.commands.starting import write_start
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.reading.shelf import known_scenarios

COMMANDS = sorted(typer.main.get_command(app).commands)


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_a_new_scenario_passes_its_check_without_a_warning_and_runs(tmp_path: Path) -> None:
    path = tmp_path / "my first.yaml"
    assert "gridpact check" in said("new", str(path))
    assert "warning" not in said("check", str(path), "--networks")
    done = run(load_scenario(path, {"ticks.control_s": "8", "ticks.measurement_s": "8"}), out=tmp_path / "run")
    assert audit(done).passed
    assert len(done.activations) > 0
    assert len([line for line in path.read_text().splitlines() if "#" in line]) > 15


@pytest.mark.parametrize("network", ["case33bw", "create_kerber_dorfnetz"])
def test_a_new_scenario_on_another_network_has_its_sizes_and_buses(network: str, tmp_path: Path) -> None:
    path = write_start(tmp_path / "mine.yaml", network=network)
    assert "warning" not in said("check", str(path), "--networks")


def test_a_new_scenario_on_loads_of_single_phases_activates_what_it_offers(tmp_path: Path) -> None:
    import pandapower

    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, vn_kv=0.4, name=f"b{number}") for number in range(4)]
    pandapower.create_ext_grid(net, buses[0])
    for one, other in itertools.pairwise(buses):
        pandapower.create_line(net, one, other, length_km=0.05, std_type="NAYY 4x150 SE")
        pandapower.create_asymmetric_load(net, other, p_a_mw=0.004, p_b_mw=0.002, q_c_mvar=0.001)
    pandapower.to_json(net, str(tmp_path / "net.json"))
    path = write_start(tmp_path / "mine.yaml", file=tmp_path / "net.json")
    assert "3 asymmetric_load are taken as balanced" in said("check", str(path), "--networks")
    done = run(
        load_scenario(path, {f"ticks.{each}_s": "8" for each in ("control", "measurement")}), out=tmp_path / "run"
    )
    assert audit(done).passed
    delivering = done.telemetry[done.telemetry["at"] < done.activations["end"].min()]
    assert delivering["frequency_hz"].iloc[-1] == pytest.approx(50.0, abs=0.03)
    assert done.activations["power_mw"].between(0.0005, 0.02).all()
    assert len(done.activations) >= 3


def test_a_new_scenario_on_a_network_of_ones_own(tmp_path: Path) -> None:
    import pandapower
    from pandapower import networks

    pandapower.to_json(networks.simple_four_bus_system(), str(tmp_path / "net.json"))
    path = write_start(tmp_path / "mine.yaml", file=tmp_path / "net.json")
    assert 'file: "net.json"' in path.read_text()
    assert "fine" in said("check", str(path), "--networks")


def test_a_new_scenario_on_loads_that_draw_nothing_is_refused_with_the_reason(tmp_path: Path) -> None:
    import pandapower
    from pandapower import networks

    net = networks.simple_four_bus_system()
    net.load["scaling"] = 0.0
    pandapower.to_json(net, str(tmp_path / "net.json"))
    with pytest.raises(ScenarioError, match="this network has no loads"):
        write_start(tmp_path / "mine.yaml", file=tmp_path / "net.json")


def test_nothing_is_overwritten_and_nonsense_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    with pytest.raises(ScenarioError, match="there is a file already"):
        write_start(tmp_path / "mine.yaml")
    with pytest.raises(ScenarioError, match='--network case33: "case33" is no network'):
        write_start(tmp_path / "other.yaml", network="case33")
    with pytest.raises(ScenarioError, match="cannot be read"):
        write_start(tmp_path / "other.yaml", file=tmp_path / "no.json")
    with pytest.raises(ScenarioError, match="use one of the two"):
        write_start(tmp_path / "other.yaml", file=tmp_path / "no.json", network="case33bw")


def test_a_tick_longer_than_a_ramp_and_a_need_that_nobody_covers_are_warned_of() -> None:
    changes = {"participants.bsp-a.response.ramping_s": "2", "market.needs.0.quantity_mw": "90"}
    scenario = load_scenario("scenario-1-dso", changes)
    told = [hint.told(scenario.places) for hint in hints(scenario)]
    assert told[0].startswith("warning: --set participants.bsp-a.response.ramping_s=2: participants.bsp-a.response")
    assert "bsp-a ramps in 2 s, less than a tick of 4 s" in told[0]
    assert "the TSO needs 90 MW of mFRR up, but 28.5 MW are offered in all" in told[1]


MISTAKES = {
    "a trigger above every need": (
        {"market.activation.trigger_mw": "50"},
        "mFRR is ordered when 50 MW are missing, but the TSO calls for 12 MW at most: nothing will be activated",
    ),
    "a disturbance after the end": (
        {"area.disturbances.0.at": "15:00:00"},
        "at 15:00:00 is outside the run: it never happens",
    ),
    "a disturbance before anybody delivers": (
        {"area.disturbances.0.at": "11:00:00"},
        "at 11:00:00 comes before the first delivery: only FCR can answer it until then",
    ),
    "more disturbance than reserve": (
        {"area.disturbances.0.mw": "-90"},
        "the disturbances come to -90 MW, but FCR and all needs to 32 MW: the frequency will not come back",
    ),
    "an end before anybody is paid": (
        {"time.tail_min": "1"},
        "the run ends 1 min after the last period, before that is settled: nobody is paid for it; make tail_min 1.5",
    ),
    "nothing offered": ({"participants.bsp-a.offers": "[]"}, "bsp-a offers nothing: it is tested, and no more"),
    "too slow for the product": (
        {"participants.gen-t.response.ramping_s": "900"},
        "gen-t is fully active after 960 s, but mFRR must be after 750 s: its application is refused",
    ),
    "too slow for the product, operated by the DSO": (
        {
            "coordination": {"scheme": "scenario-2", "operator": "dso"},
            "participants.bsp-a.response.ramping_s": "721",
        },
        "bsp-a is fully active after 751 s, but mFRR must be after 750 s: what it gives by then is qualified",
    ),
    "a profile that goes on after the end": (
        {"time.market_time_units": "1", "time.tail_min": "5"},
        "the step at 12:35:00 comes after the end of the run, and is never seen",
    ),
    "MW for a scale": (
        {"grids.north.profiles.wind.actual": "40"},
        "wind.actual: a profile is a scale, so this is 40 times what the network has; MW are given in a series",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_hardly_meant_is_warned_of_in_one_sentence(mistake: str) -> None:
    changes, sentence = MISTAKES[mistake]
    scenario = load_scenario("scenario-1-dso", {"time.start": "2026-03-02T09:30:00+01:00", **changes})
    told = [hint.told(scenario.places) for hint in hints(scenario)]
    assert [line for line in told if sentence in line and line.startswith("warning: ")], told


def test_a_scenario_as_shipped_has_nothing_to_warn_of() -> None:
    shipped = ("blind", "scenario-1", "scenario-1-dso", "scenario-2", "frequency-trip", "afrr-day", "swarm")
    for name in (*shipped, "conformance", "conformance-dso"):
        assert list(hints(load_scenario(name))) == []


def test_a_grid_in_violation_and_offers_above_what_would_be_qualified_are_warned_of_with_their_lines() -> None:
    text = said("check", "scenario-1", "--networks", "--set", "grids.north.load_scaling=1.2")
    assert "grids.north: this grid is in violation before anything is activated (transformer 0-1" in text
    assert "worked-example.yaml:" in text
    assert "bsp-c offers 2.5 MW up, but would be qualified for about 0.00 MW (line 3-8, windy)" in text
    assert "4 warnings" in text


def test_a_unit_at_a_dead_bus_is_an_error(tmp_path: Path) -> None:
    import pandapower
    from pandapower import networks

    net = networks.simple_four_bus_system()
    bus = pandapower.create_bus(net, vn_kv=0.4, name="island")
    pandapower.to_json(net, str(tmp_path / "net.json"))
    path = write_start(tmp_path / "mine.yaml", file=tmp_path / "net.json")
    path.write_text(path.read_text().replace("bus: 2", f"bus: {bus}").replace("bus: 3", f"bus: {bus}"))
    done = CliRunner().invoke(app, ["check", str(path), "--networks"])
    assert f"bus {bus} has no connection to an external grid" in str(done.exception)


SHOWN_OTHERWISE = ("sweep", "compare", "verify", "list", "schema")  # bars, a line each; what is there at once


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - set(SHOWN_OTHERWISE)))
def test_what_may_take_longer_than_a_second_says_so(command: str) -> None:
    callback = typer.main.get_command(app).commands[command].callback  # type: ignore[attr-defined]
    assert "with working(" in inspect.getsource(inspect.unwrap(callback))


def test_shells_can_complete_commands() -> None:
    assert "--install-completion" in said("--help")


def test_shells_complete_scenarios_by_name_and_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenes.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert known_scenarios("sce") == ["scenario-1", "scenario-1-dso", "scenario-2", "scenes.yaml"]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "list"])
def test_every_command_shows_an_example_of_itself(command: str) -> None:
    assert f"gridpact {command}" in said(command, "--help")
