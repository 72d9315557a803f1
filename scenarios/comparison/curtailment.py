"""What limits cost participants: offers that were cut, and revenue against the same demand in plain merit order.

    planned offers, by price ─▶ what the demand of each tick would have taken ─▶ revenue − revenue of what was ordered

The demand of a tick is what the TSO did order of mFRR, in all; a participant that got more than its turn has gained
(its loss is negative). aFRR is left out: set-points move with the error that they make.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..kpis.quality import ticks_s
from ..record.run import Run
from ..schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
LEAST_MW = 1e-6


def curtailed(run: Run, during: pd.DataFrame) -> dict[str, Any]:
    """Offers cut by DSOs, MWh of them, and lost revenue, in all and by participant; `during`: telemetry of delivery."""
    cut = _cut(run)
    lost = _lost_eur(run.scenario, during)
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


def _lost_eur(scenario: Scenario, during: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    hours = (ticks_s(during) / 3600).to_numpy()
    for sign, direction in ((1.0, "up"), (-1.0, "down")):
        offers = sorted(_planned(scenario, direction), key=lambda offer: (sign * offer[2], offer[0]))
        ordered = {name: _ordered(during, name, sign) for name, _, _ in offers}
        demand, before = sum(ordered.values(), np.zeros(len(during))), 0.0
        for name, quantity_mw, price in offers:
            turn = np.clip(demand - before, 0.0, quantity_mw)
            before += quantity_mw
            found[name] += float(sign * price * ((turn - ordered.pop(name, 0.0)) * hours).sum())
    return dict(found)


def _planned(scenario: Scenario, direction: str) -> list[tuple[str, float, float]]:
    """(participant, MW, EUR/MWh) of every planned offer of mFRR in a direction."""
    return [
        (name, offer.quantity_mw, offer.price_eur_per_mwh)
        for name, provider in scenario.providers.items()
        for offer in provider.offers
        if (offer.product, offer.direction) == ("mFRR", direction)
    ]


def _ordered(during: pd.DataFrame, name: str, sign: float) -> Floats:
    column = during.get(f"{name}.set_point_mw")
    found: Floats = np.zeros(len(during)) if column is None else (sign * column).clip(lower=0.0).to_numpy()
    return found
