"""A sweep runs every point once, goes on where it stopped, and tells of what failed without stopping for it."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from workers import Here

import gridpact
from gridpact.scenarios.cli import main
from gridpact.scenarios.errors import RecordError, ScenarioError
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.sweep.processes import Processes
from gridpact.scenarios.sweep.sweeping import Progress, Request, perform_all
from gridpact.scenarios.sweep.table import COST
from gridpact.scenarios.sweep.tasks import perform, task_text

SMALL = """
extends: blind
name: small
time: {first_delivery: 2026-03-02T12:00:00+01:00, market_time_units: 1, tail_min: 1}
ticks: {control_s: 30, measurement_s: 30, monitoring_s: 30}
short_names: {called_min: time.cfp_lead_min}
"""
# 50 min before the gate closes is too early for a delivery at 12:00: the tests would not be over by then
LATE, EARLY = "2026-03-02T12:30:00+01:00", "2026-03-02T12:00:00+01:00"
OPTIONS = ["--set", f"time.first_delivery={LATE},{EARLY}", "--set", "called_min=20,50", "--seeds", "4"]
SETTINGS = {"time.first_delivery": [LATE, EARLY], "called_min": [20, 50]}


@dataclass(frozen=True)
class Swept:
    """A sweep that was done once; its folder is not to be changed."""

    scenario: Path
    folder: Path
    table: pd.DataFrame


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """2 × 2 settings × 1 seed on two workers; one of the combinations cannot be run."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "small.yaml").write_text(SMALL)
    table = gridpact.sweep(folder / "small.yaml", SETTINGS, seeds=[4], workers=2, out=folder / "sweep", keep=True)
    return Swept(folder / "small.yaml", folder / "sweep", table)


@pytest.fixture
def copied(swept: Swept, tmp_path: Path) -> Path:
    """A copy of the sweep's folder that a test may change."""
    return Path(shutil.copytree(swept.folder, tmp_path / "sweep", ignore=shutil.ignore_patterns("runs")))


def results(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (folder / "results").iterdir()}


def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gridpact", "sweep", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_every_point_is_a_row_in_order_with_its_settings(swept: Swept) -> None:
    table = swept.table
    assert table[["time.first_delivery", "called_min", "seed"]].to_numpy().tolist() == [
        [LATE, 20, 4],
        [LATE, 50, 4],
        [EARLY, 20, 4],
        [EARLY, 50, 4],
    ]


def test_a_run_that_fails_is_a_row_with_its_error_and_the_others_go_on(swept: Swept) -> None:
    assert swept.table["status"].tolist() == ["ok", "ok", "ok", "failed"]
    failed = swept.table.iloc[3]
    assert "would not be over before the first call for offers" in failed["error"]
    assert pd.isna(failed["frequency.nadir_mhz"])
    assert swept.table["error"][:3].isna().all()


def test_a_row_holds_the_kpis_of_its_run(swept: Swept) -> None:
    for _, row in swept.table[:3].iterrows():
        run = gridpact.load_run(swept.folder / "runs" / row["run"])
        assert (run.scenario.time.cfp_lead_min, run.scenario.seed) == (row["called_min"], 4)
        assert row["frequency.nadir_mhz"] == run.kpis["frequency"]["nadir_mhz"]
        assert row["cost.balancing_energy_eur"] == float(run.kpis["cost"]["balancing_energy_eur"])
        assert row["kpi_1_information_exchange.messages"] == run.kpis["kpi_1_information_exchange"]["messages"]
        assert row["wall_s"] > 0
        assert row["peak_mb"] > 50


def test_the_table_is_there_as_parquet_and_csv_and_can_be_loaded_again(swept: Swept) -> None:
    pd.testing.assert_frame_equal(gridpact.load_sweep(swept.folder), swept.table)
    pd.testing.assert_frame_equal(pd.read_parquet(swept.folder / "sweep.parquet"), swept.table)
    csv = pd.read_csv(swept.folder / "sweep.csv")
    assert csv["run"].tolist() == swept.table["run"].tolist()
    assert csv["frequency.nadir_mhz"][0] == swept.table["frequency.nadir_mhz"][0]


def test_the_same_command_does_nothing_again_and_says_what_failed(
    swept: Swept, copied: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = results(copied)
    code, out, err = told(capsys, monkeypatch, swept.scenario, *OPTIONS, "--out", copied)
    assert (code, err) == (1, "")
    assert f"4 runs, 1 failed: {copied / 'sweep.parquet'}" in out
    assert "failed 1 times: --set time" in out
    assert results(copied) == before


def test_an_interrupted_sweep_keeps_what_is_done_and_goes_on_from_there(swept: Swept, copied: Path) -> None:
    first = swept.table["run"][0]
    (copied / "results" / f"{first}.json").unlink()
    (copied / "results" / f"{swept.table['run'][1]}.json").write_text('{"kpis": {')
    before = results(copied)
    seen: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress)
        if progress.last is not None:
            raise KeyboardInterrupt

    axes = {path: tuple(json.dumps(value) for value in values) for path, values in SETTINGS.items()} | {"seed": ("4",)}
    request = Request(load_scenario(swept.scenario), axes, copied)
    crew = Processes(1)
    with pytest.raises(KeyboardInterrupt):
        perform_all(request, crew, interrupt)
    assert crew.running == 0
    assert [(each.points, each.done, each.failed) for each in seen] == [(4, 2, 1), (4, 3, 1)]
    assert len(gridpact.load_sweep(copied)) == len(pd.read_csv(copied / "sweep.csv")) == 3
    done = results(copied)
    table = perform_all(request, Here(), seen.append)
    assert [(each.points, each.done, each.failed) for each in seen[2:]] == [(4, 3, 1), (4, 4, 1)]
    pd.testing.assert_frame_equal(table.drop(columns=[*COST]), swept.table.drop(columns=[*COST]))
    after = results(copied)
    assert {name for name in after if after[name] != done.get(name)} == {f"{swept.table['run'][1]}.json"}
    assert {name for name in after if after[name] == before.get(name)} == {
        f"{run}.json" for run in swept.table["run"][2:]
    }


def test_a_worker_that_dies_costs_its_own_point_only(swept: Swept) -> None:
    base = load_scenario(swept.scenario)
    refused = task_text(base, {"links.loss": "2"}, None)
    with Processes(1) as crew:
        found = dict(crew.results({"deadly": "this is no JSON", "next": refused}))
    assert json.loads(found["deadly"])["error"] == "the worker process ended with code 1 before the run was over"
    assert "--set links.loss=2" in json.loads(found["next"])["error"]


def test_a_worker_of_another_version_is_told_apart(swept: Swept) -> None:
    task = json.loads(task_text(load_scenario(swept.scenario), {}, None)) | {"version": "0.0.1"}
    assert "but the sweep was begun with 0.0.1" in json.loads(perform(json.dumps(task)))["error"]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--set", "called_min=20,ten"], "--set called_min=ten: time.cfp_lead_min: it should be a plain number"),
        (["--set", "links.los=0"], 'did you mean "loss"'),
        (["--seeds", "5..1"], "--seeds 5..1"),
        (["--workers", "0"], "--workers 0: a sweep needs at least 1"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "use one of the two"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_runs(
    arguments: list[str],
    wanted: str,
    swept: Swept,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = told(capsys, monkeypatch, swept.scenario, *arguments, "--out", tmp_path / "none")
    assert (code, out) == (2, "")
    assert err.startswith("gridpact: ")
    assert wanted in err
    assert err.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_a_folder_that_holds_something_else_is_left_alone(swept: Swept, copied: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("mine")
    with pytest.raises(RecordError, match="holds other files than a sweep"):
        gridpact.sweep(swept.scenario, out=tmp_path / "thesis", workers=1)
    before = results(copied)
    with pytest.raises(RecordError, match="a sweep of another scenario or version"):
        gridpact.sweep("scenario-1", out=copied, workers=1)
    assert results(copied) == before
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [(None, "this is no sweep"), ("{", "damaged"), ("{}", "gridpact-sweep"), ("[]", "gridpact-sweep")],
)
def test_what_is_no_sweep_cannot_be_loaded(plan: str | None, wanted: str, tmp_path: Path) -> None:
    if plan is not None:
        (tmp_path / "sweep.json").write_text(plan)
    with pytest.raises(RecordError, match=wanted):
        gridpact.load_sweep(tmp_path)


def test_a_cluster_of_two_workers_gives_the_same_rows(
    swept: Swept, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        settings = {"time.first_delivery": [LATE, EARLY], "called_min": [50]}
        table = gridpact.sweep(
            swept.scenario, settings, seeds=[4], scheduler=cluster.scheduler_address, out=tmp_path / "sweep"
        )
    same = swept.table[swept.table["called_min"] == 50].reset_index(drop=True)
    pd.testing.assert_frame_equal(table.drop(columns=[*COST]), same.drop(columns=[*COST]), check_dtype=False)


def test_a_scheduler_that_is_none_is_told() -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with pytest.raises(ScenarioError, match="--scheduler nonsense://x: no Dask scheduler answers there"):
        gridpact.sweep("blind", scheduler="nonsense://x")
