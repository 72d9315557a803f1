"""`make bench` works: every suite yields rows that can be read, and the page of the docs says what each row is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
PAGE = BENCH.parents[1] / "docs" / "performance.md"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick slice of those suites that take seconds."""
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    suites = [part for name in ("messages", "world", "start") for part in ("--suite", name)]
    command = [sys.executable, str(BENCH / "run.py"), str(out), "--quick", *suites]
    command += ["--page", str(out.with_suffix(".md"))]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    return out


def test_a_quick_bench_gives_rows_with_plausible_figures(measured: Path) -> None:
    rows = json.loads(measured.read_text("utf-8"))["rows"]
    assert {row["suite"] for row in rows} == {"messages", "world", "start"}
    for row in rows:
        assert 0 < row["low_ms"] <= row["median_ms"] <= row["high_ms"]


def test_a_message_of_ours_takes_no_more_than_ten_of_the_yardsticks(measured: Path) -> None:
    rows = json.loads(measured.read_text("utf-8"))["rows"]
    ratios = [row["ratio"] for row in rows if row["suite"] == "messages" and row["ratio"] is not None]
    assert ratios
    assert min(ratios) > 0.1


def test_the_page_tells_of_every_suite_what_its_rows_are(measured: Path) -> None:
    made, kept = measured.with_suffix(".md").read_text("utf-8"), PAGE.read_text("utf-8")
    for heading in ("## Messages", "## Mango's simulated world", "## Start"):
        assert heading in made
        assert heading in kept


def test_the_page_says_how_fast_the_machine_was_by_the_yardstick_of_its_table() -> None:
    text = PAGE.read_text("utf-8")
    said = re.search(r"A `runpp` of CIGRE MV took (\d+) ms in this run", text)
    row = next(line.split("|") for line in text.splitlines() if line.startswith("| cigre_mv_der | one state |"))
    assert said is not None
    assert float(said[1]) == round(float(row[6]))
