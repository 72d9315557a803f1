"""Every file that a scenario names goes where the scenario goes, and counts where scenarios are told apart."""

from importlib.resources import files
from pathlib import Path

import pytest

from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.hosting.launching import _publish
from gridpact.scenarios.hosting.privacy import digest
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.writer import RunWriter
from gridpact.scenarios.sweep.sweeping import digest_of

PLUGIN = "reactive_support.py"
PUBLIC = ("grid.json", PLUGIN)
NAMES = ("grid.json", "loads.csv", "expected.csv", "steps.csv", PLUGIN)
TEXT = """
gridpact: 1
name: with-files
extends: scenario-1-dso
plugins: [reactive_support]
area: {recorded: {file: steps.csv}}
grids:
  north:
    network: null
    file: grid.json
    metered: [interface]
    profiles: null
    series: {source: loads.csv, forecast: expected.csv, zone: Europe/Berlin}
"""


@pytest.fixture(scope="module")
def network() -> str:
    import pandapower
    from pandapower import networks

    return str(pandapower.to_json(networks.create_cigre_network_mv()))


@pytest.fixture
def scenario(tmp_path: Path, network: str) -> Scenario:
    (tmp_path / "grid.json").write_text(network)
    (tmp_path / PLUGIN).write_text((Path(str(files("gridpact.scenarios"))) / "library" / PLUGIN).read_text())
    (tmp_path / "steps.csv").write_text("at,mw\n12:00:00,-3\n")
    for name in ("loads.csv", "expected.csv"):
        (tmp_path / name).write_text("time,load\n2026-03-02T00:00,1\n2026-03-02T23:45,1\n")
    (tmp_path / "s.yaml").write_text(TEXT)
    return load_scenario(tmp_path / "s.yaml")


def test_a_scenario_knows_every_file_that_it_names(scenario: Scenario) -> None:
    assert tuple(file.source.name for file in scenario.files()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_change_in_any_file_makes_another_scenario(name: str, scenario: Scenario, tmp_path: Path) -> None:
    """What the future holds is private to some hosts, so the public scenario does not hang on it."""
    before = digest(scenario), digest_of(scenario)
    (tmp_path / name).write_text((tmp_path / name).read_text() + "\n")
    again = load_scenario(tmp_path / "s.yaml")
    assert digest_of(again) != before[1]
    assert (digest(again) != before[0]) is (name in PUBLIC)


def test_a_run_directory_holds_them_all_and_a_public_folder_what_everybody_may_know(
    scenario: Scenario, tmp_path: Path
) -> None:
    public = load_scenario(_publish(scenario, tmp_path / "public"))
    assert [one.source.read_bytes() for one in public.files()] == [(tmp_path / name).read_bytes() for name in PUBLIC]
    assert digest(public) == digest(scenario)
    with RunWriter(scenario, tmp_path / "run") as writer:
        recorded = load_scenario(writer.folder / "scenario.yaml")
        assert [one.source.read_bytes() for one in recorded.files()] == [
            (tmp_path / name).read_bytes() for name in NAMES
        ]
        assert all(one.source.is_relative_to(writer.folder) for one in recorded.files())
