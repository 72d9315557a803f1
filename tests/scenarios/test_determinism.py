"""The same scenario and seed give the same bytes anywhere; a lossy run is a run too, and its audit understands it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

Recorded = Callable[[str], Run]
Settings = dict[str, str]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_neither_hash_seed_nor_working_folder_changes_a_byte(
    short: Recorded, short_settings: Settings, tmp_path: Path
) -> None:
    """Another process, that hashes otherwise than that of the other tests, in another folder, by the command."""
    code = "import sys; from gridpact.scenarios.cli import main; sys.argv[0] = 'gridpact'; main()"
    options = [part for key, value in short_settings.items() for part in ("--set", f"{key}={value}")]
    command = [sys.executable, "-c", code, "run", "scenario-2", "--quiet", "--out", "run", *options]
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": seed})
    runs = [bytes_of(folder) for folder in (tmp_path / "run", short("scenario-2").folder)]
    for content in runs:
        del content["timing.json"]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("name", "seed"), [("scenario-1-dso", 2), ("scenario-2", 3)])
def test_a_run_in_which_messages_are_lost_passes_its_audit(
    name: str, seed: int, short_settings: Settings, tmp_path: Path
) -> None:
    scenario = load_scenario(name, {**short_settings, "links.loss": "0.03", "seed": str(seed)})
    recorded = run(scenario, out=tmp_path / "run")
    told = recorded.kpis["kpi_1_information_exchange"]["information"]
    assert sum(figures["sent"] - figures["delivered"] for figures in told.values()) > 0
    assert audit(recorded).findings == ()
