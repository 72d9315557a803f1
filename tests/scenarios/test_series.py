"""Series and forecast errors in a scenario: files beside it, kept in the record, and a run that audits."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.check.networks import check_networks
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

TEXT = """
gridpact: 1
name: with-series
extends: scenario-1-dso
time: {first_delivery: 2026-03-02T12:30:00+01:00, market_time_units: 1, tail_min: 2}
ticks: {control_s: 10, measurement_s: 10, monitoring_s: 10}
grids:
  north:
    series: {source: loads.csv, zone: Europe/Berlin}
    forecast_error: {load: {sigma_percent: 8}}
    security_margin: {quantile: 0.9}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("series"))


def written(folder: Path) -> Path:
    """A scenario and its file of loads."""
    rows = [f"2026-03-02T{quarter // 4:02d}:{quarter % 4 * 15:02d},{0.7 + quarter / 1000}" for quarter in range(96)]
    (folder / "loads.csv").write_text("\n".join(["time,load", *rows]))
    (folder / "s.yaml").write_text(TEXT)
    return folder


@pytest.fixture(scope="module")
def done(folder: Path) -> Run:
    return run(load_scenario(folder / "s.yaml"), out=folder / "run")


def test_a_run_with_series_keeps_their_file_and_passes_its_audit(done: Run, folder: Path) -> None:
    kept = done.folder / "networks" / "north.source.csv"
    assert kept.read_bytes() == (folder / "loads.csv").read_bytes()
    assert audit(done).passed
    again = run(load_scenario(done.folder / "scenario.yaml"), out=folder / "again")
    assert (again.folder / "messages.jsonl").read_bytes() == (done.folder / "messages.jsonl").read_bytes()


def test_the_truth_is_that_of_the_file_and_the_validation_kept_its_margin(done: Run) -> None:
    net = done.network("12:31:00")
    assert 0.7 < net.load.p_mw.sum() / done.network("10:05:00").load.p_mw.sum() < 1.05
    cases = {
        verdict["binding"]["case"]
        for row in done.message_rows
        for verdict in row["content"].get("verdicts", ())
        if row["stage"] == "offering" and verdict.get("binding")
    }
    assert any("low load, high infeed" in case for case in cases)


def test_a_missing_series_is_told_with_its_line_and_a_bad_one_when_networks_are_checked(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "loads.csv").write_text("time,lod\n00:00,1")
    with pytest.raises(ScenarioError, match=r'column lod: "lod" is neither a group nor an element'):
        check_networks(load_scenario(folder / "s.yaml"))
    (folder / "loads.csv").unlink()
    with pytest.raises(ScenarioError, match=r"s\.yaml:9: grids\.north\.series: source: there is no file .*loads\.csv"):
        load_scenario(folder / "s.yaml")


def test_checking_networks_says_what_was_filled_in(folder: Path) -> None:
    notes = check_networks(load_scenario(folder / "s.yaml"))[0]["north"]
    assert any("the scenario's tap changers" in note for note in notes)


BUILDING = {
    "metered: [sun]": r's\.yaml:6: grids\.north\.metered: "sun" is neither a group nor an element',
    "profiles: {sun: {forecast: 1}}": r's\.yaml:6: grids\.north\.profiles: "sun" is neither a group nor an element',
    "series: odd.csv": r's\.yaml:6: grids\.north\.series: .*odd\.csv:2: "noon" is no time',
}


@pytest.mark.parametrize("said", BUILDING)
def test_a_mistake_found_when_a_grid_is_built_is_told_with_file_line_and_key(said: str, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("time,load\nnoon,1\n")
    lines = ["gridpact: 1", "name: s", "title: t", "extends: scenario-1-dso", "grids: {north: {", f"{said}}}}}"]
    (tmp_path / "s.yaml").write_text("\n".join(lines))
    with pytest.raises(ScenarioError, match=BUILDING[said]):
        check_networks(load_scenario(tmp_path / "s.yaml"))
