"""`ideal` is a bound with aFRR too: no feasible dispatch that a scheme has made at any tick is cheaper."""

import sys
from pathlib import Path
from typing import Any

import pytest

from gridpact.grid.engine import single_threaded
from gridpact.scenarios.comparison.comparing import Comparison
from gridpact.scenarios.reading.loading import changed_scenario

sys.path.insert(0, str(Path(__file__).parent))
from weighed import cheaper, runs_of

LEFT_OUT = [f"unit-{number:02}" for number in (2, 3, 4, 5, 7, 8, 10)] + [f"plant-{number}" for number in (2, 3, 4)]
REGULATED = """
gridpact: 1
name: short-afrr
extends: afrr-day
time: {start: 2026-03-02T11:00:00+01:00, first_delivery: 2026-03-02T12:30:00+01:00, market_time_units: 1, tail_min: 4}
ticks: {control_s: 10, measurement_s: 10, monitoring_s: 10}
market: {test: {hold_min: 0.5, pause_min: 0.5}}
area: {variation: {begins: "12:30:00"}}
grids:
  north:
    profiles:
      load: {forecast: 0.6, actual: 0.61}
      wind: {forecast: 0.3, actual: 0.33}
      pv: {forecast: 0.3, actual: 0.25}
participants:
  unit-01: {applies_at: "11:00:02"}
  unit-06: {applies_at: "11:00:04"}
  unit-09: {applies_at: "11:00:06"}
  pool-1: {applies_at: "11:00:08"}
  pool-2: null
  pool-3: null
  pool-4: null
  plant-1: {applies_at: "11:00:10"}
  plant-5: {applies_at: "11:00:12"}
  gen-t: {applies_at: "11:00:20"}
"""


@pytest.fixture(scope="module")
def regulated(compared_here: Any, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """A quarter-hour of aFRR and mFRR, whose imbalances are another with every seed."""
    folder = tmp_path_factory.mktemp("regulated")
    (folder / "short.yaml").write_text(REGULATED + "".join(f"  {name}: null\n" for name in LEFT_OUT))
    base = changed_scenario(folder / "short.yaml", {})
    made: Comparison = compared_here(base, ("scenario-1-dso", "ideal"), folder / "out", seeds=(1, 2, 3))
    return made


def test_with_afrr_it_costs_no_more_than_what_violates_nothing(regulated: Comparison) -> None:
    assert set(regulated.runs["status"]) == {"ok"}, regulated.runs["error"].dropna().tolist()
    own = regulated.runs[regulated.runs["scheme"] != "ideal"]
    assert (own["violations"] == 0).all()
    assert (own["bids_eur"].abs() > 0).all()
    assert (own["regret_eur"] >= 0).all(), own[["seed", "total_eur", "regret_eur"]].to_string()


def test_at_no_tick_was_a_feasible_dispatch_of_aFRR_cheaper(regulated: Comparison) -> None:  # noqa: N802
    with single_threaded():
        for what, run in runs_of(regulated):
            found, allowed = cheaper(run)
            assert allowed > 80, what
            assert not found, f"{what}: {found}"
