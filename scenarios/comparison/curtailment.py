"""What limits cost participants: offers that were cut, and revenue against the same demand in plain merit order.

    planned offers, by price ─▶ what the demand of each tick would have taken ─▶ revenue − revenue of what was ordered

The demand of a tick is what the TSO did order of mFRR, in all; a participant that got more than its turn has gained
(its loss is negative). aFRR is left out: set-points move with the error that they make. Whoever has several offers
fills them in that order; a DSO that operates units has the blocks of its taps among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...agents.calendar import period_id
from ..description.schema import Scenario
from ..kpis.quality import ticks_s
from ..record.instants import times_us
from ..record.run import Run

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
LEAST_MW = 1e-6


class Planned(NamedTuple):
    """Who would offer how much, all the time or by tick, at which price (EUR/MWh)."""

    name: str
    quantity_mw: float | Floats
    price: float


def curtailed(run: Run, during: pd.DataFrame) -> dict[str, Any]:
    """Offers cut by DSOs, MWh of them, and lost revenue, in all and by participant; `during`: telemetry of delivery."""
    cut = _cut(run)
    lost = _lost_eur(run, during)
    names = sorted({*cut, *lost})
    told = {
        name: {
            "offers": cut.get(name, (0, 0.0))[0],
            "mwh": cut.get(name, (0, 0.0))[1],
            "lost_eur": lost.get(name, 0.0),
        }
        for name in names
    }
    sums = {key: sum(own[key] for own in told.values()) for key in ("offers", "mwh")}
    lost_eur = sum(max(0.0, own["lost_eur"]) for own in told.values())
    return {**sums, "lost_revenue_eur": lost_eur, "by_participant": told}


def _cut(run: Run) -> dict[str, tuple[int, float]]:
    """By participant: how many offers were allowed less than offered, and by how many MWh."""
    frame = run.merit_order
    missing = (frame["offered_mw"] - frame["allowed_mw"]).fillna(0.0)
    hours = run.scenario.time.period_us / 3.6e9
    found: dict[str, tuple[int, float]] = {}
    for name, own in missing[missing > LEAST_MW].groupby(frame["participant"], sort=True):
        found[str(name)] = len(own), float(own.sum()) * hours
    return found


def _lost_eur(run: Run, during: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    hours = (ticks_s(during) / 3600).to_numpy()
    for sign, direction in ((1.0, "up"), (-1.0, "down")):
        planned = [*_planned(run.scenario, direction), *_blocks(run, during, direction)]
        offers = sorted(planned, key=lambda offer: (sign * offer.price, offer.name))
        left = {offer.name: _ordered(during, offer.name, sign) for offer in offers}
        last = {offer.name: number for number, offer in enumerate(offers)}
        demand, before = sum(left.values(), np.zeros(len(during))), np.zeros(len(during))
        for number, (name, quantity_mw, price) in enumerate(offers):
            turn = np.clip(demand - before, 0.0, quantity_mw)
            got = left[name] if last[name] == number else np.minimum(left[name], quantity_mw)
            before, left[name] = before + quantity_mw, left[name] - got
            found[name] += float(sign * price * ((turn - got) * hours).sum())
    return dict(found)


def _blocks(run: Run, during: pd.DataFrame, direction: str) -> Iterator[Planned]:
    """What taps offered, by tick, of DSOs that operate units too: their orders are not told apart."""
    frame, operators = run.merit_order, sorted(set(run.scenario.operated.values()))
    of_taps = frame["resource"].str.contains(" cvr ", regex=False) & frame["participant"].isin(operators)
    own = frame[of_taps & (frame["direction"] == direction)]
    starts_us = [start_us for start_us, _ in run.scenario.time.periods]
    ticks = np.searchsorted(starts_us, times_us(during["at"]), "right") - 1
    for (name, price), rows in own.groupby(["participant", "price_eur_per_mwh"], sort=True):
        offered = rows.groupby("period")["offered_mw"].sum().to_dict()
        by_period = np.array([float(offered.get(period_id(start_us), 0.0)) for start_us in starts_us])
        yield Planned(str(name), by_period[ticks], float(str(price)))


def _planned(scenario: Scenario, direction: str) -> list[Planned]:
    """Every planned offer of mFRR in a direction, with whoever makes it."""
    return [
        Planned(scenario.operated.get(name, name), offer.quantity_mw, offer.price_eur_per_mwh)
        for name, provider in scenario.connected.items()
        if name in scenario.providers or name in scenario.operated
        for offer in provider.offers
        if (offer.product, offer.direction) == ("mFRR", direction)
    ]


def _ordered(during: pd.DataFrame, name: str, sign: float) -> Floats:
    column = during.get(f"{name}.set_point_mw")
    found: Floats = np.zeros(len(during)) if column is None else (sign * column).clip(lower=0.0).to_numpy()
    return found
