"""The same scenario and seed give the same bytes anywhere; a lossy run is a run too, and its audit understands it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.running import run

SHORT = {"time.first_delivery": "2026-03-02T12:30:00+01:00", "time.market_time_units": "1"}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_neither_hash_seed_nor_working_folder_changes_a_byte(tmp_path: Path) -> None:
    code = "import sys; from gridpact.scenarios.cli import main; sys.argv[0] = 'gridpact'; main()"
    options = [part for key, value in SHORT.items() for part in ("--set", f"{key}={value}")]
    runs = []
    for seed in ("1", "2"):
        folder = tmp_path / f"in-{seed}"
        folder.mkdir()
        command = [sys.executable, "-c", code, "run", "scenario-2", "--quiet", "--out", f"run-{seed}", *options]
        subprocess.run(command, check=True, cwd=folder, env={**os.environ, "PYTHONHASHSEED": seed})
        runs.append(bytes_of(folder / f"run-{seed}"))
    for content in runs:
        del content["timing.json"]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("name", "seed"), [("scenario-1-dso", 2), ("scenario-2", 3)])
def test_a_run_in_which_messages_are_lost_passes_its_audit(name: str, seed: int, tmp_path: Path) -> None:
    scenario = load_scenario(name, {**SHORT, "links.loss": "0.03", "seed": str(seed)})
    recorded = run(scenario, out=tmp_path / "run")
    told = recorded.kpis["kpi_1_information_exchange"]["information"]
    assert sum(figures["sent"] - figures["delivered"] for figures in told.values()) > 0
    assert audit(recorded).findings == ()
