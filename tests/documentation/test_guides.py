"""The guides are true: every page with commands is followed by a test, or its commands are at least what they were."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from gridpact.scenarios.cli import app
from gridpact.scenarios.loading import load_scenario

sys.path.insert(0, str(Path(__file__).parent))
from page_reader import DOCS, blocks, commands

FOLLOWED = {"comparing.md", "first-run.md", "own-scenario.md", "new-strategy.md", "python-api.md", "new-protocol.md"}
ELSEWHERE = {  # too long for here
    "many-hosts.md": "tests/hosts",
    "swarms-and-sweeps.md": "tests/swarm, tests/sweep",
    "conformance.md": "tests/conformance",
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


def told() -> list[tuple[str, str]]:
    """(page, command) of every console block."""
    pages = sorted(path.name for path in DOCS.glob("*.md"))
    shown = [(page, block) for page in pages for block in blocks(page) if block.language == "console"]
    return [(page, command) for page, block in shown for command, _ in commands(block.text)]


def test_every_page_with_commands_is_followed_or_tested_elsewhere() -> None:
    assert {page for page, _ in told()} <= FOLLOWED | set(ELSEWHERE)


@pytest.mark.parametrize(("page", "command"), told())
def test_every_command_has_the_options_that_are_shown(page: str, command: str) -> None:
    for part in re.sub(r"\s#.*| > \S+", "", command).split(" && "):
        words = part.replace("'", "").split()
        if words[0] == "gridpact":
            root: Any = typer.main.get_command(app)
            name, own, rest = root.resolve_command(click.Context(root), words[1:])
            own.make_context(name, list(rest))  # UsageError for an option that there is not
        else:
            assert words[0] in ("mosquitto", "python"), f"{page}: {part}"
