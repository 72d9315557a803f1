"""The guides are true: every page with commands is followed by a test, or its commands are at least what they were."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridpact.scenarios.reading.loading import load_scenario

sys.path.insert(0, str(Path(__file__).parent))
from page_reader import DOCS, blocks

FOLLOWED = {"comparing.md", "first-run.md", "own-scenario.md", "new-strategy.md", "python-api.md", "new-protocol.md"}
RUN = ("console", "python")
ELSEWHERE = {  # word for word too, beside what else runs there
    "many-hosts.md": "hosts/test_three_hosts.py",
    "conformance.md": "conformance/test_own.py",
    "swarms-and-sweeps.md": "swarm/test_swarm.py",  # the swarm; the sweep is followed below
}


@pytest.mark.parametrize("page", ["comparing.md", "first-run.md", "own-scenario.md"])
def test_a_guide_does_what_it_says(page: str, follow: Callable[[str], Any]) -> None:
    reader = follow(page)
    assert reader.printed


def test_the_fragments_about_series_and_forecasts_are_valid(tmp_path: Path) -> None:
    whole, forecast = (block.text for block in blocks("networks-and-series.md") if block.language == "yaml")
    (tmp_path / "loads.csv").write_text("time,load\n00:00:00,0.8\n12:00:00,0.9\n", "utf-8")
    head = "gridpact: 1\nname: fragment\nextends: scenario-1-dso\n"
    (tmp_path / "fragment.yaml").write_text(head + whole + forecast, "utf-8")
    grid = load_scenario(tmp_path / "fragment.yaml").grids["north"]
    assert grid.forecast_error is not None
    assert grid.series is not None


def test_the_sweep_of_the_page_runs_and_is_what_its_snippet_reads(follow: Callable[..., Any]) -> None:
    reader = follow("swarms-and-sweeps.md", "## Many runs")
    assert sorted(reader.names["table"]["status"]) == ["ok"] * 4


@pytest.mark.parametrize(("page", "where"), ELSEWHERE.items())
def test_what_is_run_elsewhere_is_taken_from_the_page(page: str, where: str) -> None:
    text = (DOCS.parent / "tests" / where).read_text("utf-8")
    assert f'"{page}"' in text
    assert "console(" in text


def test_every_page_with_commands_or_python_is_followed_or_run_elsewhere() -> None:
    shown = {path.name for path in DOCS.glob("*.md") for one in blocks(path.name) if one.language in RUN}
    assert shown == FOLLOWED | set(ELSEWHERE)
