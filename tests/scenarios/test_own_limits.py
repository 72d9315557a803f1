"""Overload counts from each line's own limit, which a network may state, and not from what holds elsewhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from once import recorded_once

from gridpact.scenarios.operation.running import run as run_scenario
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.report import charts

OWN_PERCENT = 80.0
TEXT = """
gridpact: 1
name: own-limits
extends: scenario-1-dso
grids: {north: {network: null, file: grid.json, limits: {loading_percent: null}}}
"""


@pytest.fixture(scope="module")
def limited(shared: Path, short_settings: dict[str, str]) -> Run:
    """The wind rises; lines may be loaded with 80 % and transformers, of which the file says nothing, with 100 %."""

    def make(out: Path) -> Run:
        import pandapower
        from pandapower import networks

        net = networks.create_cigre_network_mv(with_der="all")
        net.line["max_loading_percent"] = OWN_PERCENT
        folder = out.with_name("own-limits-source")
        folder.mkdir()
        (folder / "grid.json").write_text(str(pandapower.to_json(net)))
        (folder / "own.yaml").write_text(TEXT)
        return run_scenario(load_scenario(folder / "own.yaml", short_settings), out=out)

    return recorded_once(shared / "own-limits", make)


def test_overload_is_counted_from_the_limit_that_the_network_states(limited: Run) -> None:
    kpis = limited.kpis
    overloaded = kpis["real_time_limits"]["overload_percent_seconds"]["north"]
    assert list(overloaded) == ["line 3-8"]
    assert kpis["violations"]["north"]["percent_seconds"] == pytest.approx(overloaded["line 3-8"], abs=0.01)
    assert 0 < kpis["violations"]["north"]["minutes"] < 2
    assert kpis["violations"]["north"]["worst_loading_percent"] < 100


def test_so_is_what_limits_have_avoided(limited: Run) -> None:
    telemetry = limited.telemetry
    seconds = {
        name: 10 * (telemetry[f"north.{name}_loading_percent"] - OWN_PERCENT).clip(lower=0).sum()
        for name in ("worst", "shadow")
    }
    avoided = limited.kpis["kpi_3_participation_of_dso"]["violations_avoided"]["north"]
    assert avoided["percent_seconds"] == pytest.approx(seconds["shadow"] - seconds["worst"], abs=0.01)
    assert avoided["percent_seconds"] > 0


@pytest.mark.parametrize("name", ["own", "hundred"])
def test_the_plot_s_dashed_line_is_the_limit_of_the_line_that_is_shown(
    name: str, limited: Run, short: Callable[[str], Run]
) -> None:
    run, percent = (limited, OWN_PERCENT) if name == "own" else (short("scenario-1-dso"), 100.0)
    figure = charts.grid(run.telemetry, "north", run.scenario.grids["north"].limits)
    (limit,) = [trace for trace in figure.data if trace.name == "its limit"]
    assert limit.line.dash == "dash"
    violated = run.telemetry["north.violations"].to_numpy() > 0
    assert set(np.asarray(limit.y)[violated]) == {percent}
    assert [shape.yref for shape in figure.layout.shapes] == ["y2", "y2"]
