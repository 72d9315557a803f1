"""`ideal` is a bound, with aFRR as with mFRR: no feasible dispatch that a scheme has made at any tick is cheaper."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from gridpact.grid.dispatch.cheapest import Prices
from gridpact.grid.engine import single_threaded
from gridpact.scenarios.comparison.comparing import Comparison
from gridpact.scenarios.comparison.foresight import Foreseen, Foresight
from gridpact.scenarios.loading import changed_scenario
from gridpact.scenarios.record.run import Run, load_run

PRICES = Prices(500.0, 80.0)
SLACK_EUR_PER_H = 0.05
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


def runs_of(made: Comparison) -> Iterator[tuple[str, Run]]:
    for row in made.runs[made.runs["scheme"] != "ideal"].to_dict("records"):
        yield (
            f"{row['scheme']}, error {row['error_scale']}, seed {row['seed']}",
            load_run(made.request.out / "runs" / row["run"]),
        )


def delivered(seen: Foreseen, tick: pd.Series) -> list[float]:
    """What each supply has really given, as its participant's meter shows it."""
    found = []
    for name, supply in zip(seen.owners, seen.dispatcher.supplies, strict=True):
        column = f"{name}.activated_mw"
        mw = float(tick[column]) if column in tick and pd.notna(tick[column]) else 0.0
        found.append(min(supply.most_mw, max(0.0, supply.sign * mw)))
    return found


def cheaper(run: Run) -> tuple[list[str], int]:
    """The ticks at which what was done was allowed and cheaper than `ideal`; and how many it was allowed at."""
    foresight, ticks = Foresight(run.scenario, PRICES), run.telemetry.set_index("at")
    found, allowed = [], 0
    for at_us in foresight.ticks():
        at, seen = pd.Timestamp(at_us, unit="us", tz="UTC"), foresight.at(at_us)
        own, fits = seen.dispatcher.weighed(delivered(seen, ticks.loc[at]), seen.need_mw)
        allowed += fits
        if fits and own.eur_per_h < seen.dispatch.eur_per_h - SLACK_EUR_PER_H:
            found.append(f"{at}: {own.eur_per_h:.3f} instead of {seen.dispatch.eur_per_h:.3f} EUR/h")
    return found, allowed


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


def test_at_no_tick_was_a_feasible_dispatch_of_mfrr_cheaper(congested: Comparison, roomy: Comparison) -> None:
    with single_threaded():
        for what, run in (*runs_of(roomy), *runs_of(congested)):
            found, allowed = cheaper(run)
            assert allowed > 0, what
            assert not found, f"{what}: {found}"
