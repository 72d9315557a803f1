"""What a scheme has done at every tick of its run, weighed as `ideal` weighs what it could do."""

from collections.abc import Iterator

import pandas as pd

from gridpact.grid.dispatch.cheapest import Prices
from gridpact.scenarios.comparison.comparing import Comparison
from gridpact.scenarios.comparison.foresight import Foreseen, Foresight
from gridpact.scenarios.record.run import Run, load_run

PRICES = Prices(500.0, 80.0)
SLACK_EUR_PER_H = 0.05


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
