"""The page about strategies is true: its four strategies run, and the games it shows change what is offered."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_reader import DOCS

from gridpact.agents.strategies import Controller, Sample
from gridpact.agents.strategies.frequency import controlled
from gridpact.scenarios.extension import plugins
from gridpact.scenarios.extension.strategies import selected
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import load_run
from gridpact.scenarios.report.tables import sheets

sys.path.insert(0, str(DOCS))
import games


def test_the_page_does_what_it_says(follow: Callable[[str], Any]) -> None:
    folder = follow("new-strategy.md").folder
    run = load_run(folder / "runs" / "mine")
    prices = run.offers.set_index("participant")["price_eur_per_mwh"]
    assert (run.folder / "plugins" / "my_strategies.py").exists()
    assert prices["bsp-a"].max() == 60.0
    rivals = run.kpis["rivals"]
    assert rivals["unfounded_mw"] == pytest.approx(sum(row["unfounded_mw"] for row in rivals["qualification"]))
    assert rivals["excluded_mw"] > rivals["check_excluded_mw"]
    (sheet,) = [sheet for sheet in sheets(run) if sheet.title.startswith("Rivals")]
    assert ("bsp-b", "unit-b", "up", "2.5", "0.81", "2.231", "1.421") in sheet.rows
    closes_the_gap(load_scenario(folder / "mine.yaml"))


def closes_the_gap(scenario: Any) -> None:
    """The page's controller brings an area that is 5 MW short to an error of zero."""
    controller = selected(scenario, plugins.extensions(scenario))[scenario.tso, "strategy"]
    state, short_mw = Controller(), 5.0
    for cycle in range(400):
        state = controlled(
            controller, state, Sample(state.demand_mw - short_mw, cycle * 4_000_000, 9.0, 9.0, 4_000_000)
        )
    assert type(controller).__name__ == "Integral"
    assert state.demand_mw == pytest.approx(short_mw, abs=0.01)


@pytest.mark.parametrize("made", [games.games, games.policies])
def test_the_games_have_the_numbers_of_the_page(made: Callable[[Path], list[str]], tmp_path: Path) -> None:
    page = (DOCS / "new-strategy.md").read_text("utf-8")
    assert "\n".join(made(tmp_path)) in page
