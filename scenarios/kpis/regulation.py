"""aFRR: what was asked by set-points and what became of it, and how well the area control error was kept."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from ...protocols.information.quantities import instant
from ..audit.findings import Row
from ..audit.index import Index
from ..record.instants import times_us
from .quality import ticks_s

SUMS = {"paid_mwh": "energy_mwh", "unpaid_mwh": "unpaid_mwh", "missing_mwh": "missing_mwh"}


def regulation(index: Index) -> dict[str, Any]:
    """Nothing where no aFRR is needed; else the control error, and by participant what its statements say.

    `paid_mwh` was delivered within the acceptance channel, `unpaid_mwh` beyond it, `missing_mwh` fell short of it.
    """
    if not any(need.product == "aFRR" for need in index.scenario.market.needs):
        return {}
    lines = _lines(index)
    told = {name: _participant(index, name, own) for name, own in sorted(lines.items())}
    return {**_control(index), "by_participant": told}


def _control(index: Index) -> dict[str, Any]:
    """Of the delivery periods: mean size and deviation of the error, energy asked for in each direction."""
    frame, time = index.run.outline, index.scenario.time
    at_us = times_us(frame["at"])
    during = (at_us >= time.first_delivery_us) & (at_us < time.periods[-1][1])
    hours = ticks_s(frame)[during] / 3600
    error, demand = frame["ace_mw"][during], frame["afrr_demand_mw"][during]
    return {
        "mean_ace_mw": float(error.mean()),
        "mean_size_of_ace_mw": float(error.abs().mean()),
        "deviation_of_ace_mw": float(error.std(ddof=0)),
        "asked_up_mwh": float((demand.clip(lower=0.0) * hours).sum()),
        "asked_down_mwh": float(((-demand).clip(lower=0.0) * hours).sum()),
    }


def _lines(index: Index) -> dict[str, list[Row]]:
    """Lines about aFRR of the last statement of each period, by participant."""
    last: dict[tuple[str, int], Row] = {}
    for row in index.typed("statement"):
        last[row["receiver"], instant(row["content"]["start"])] = row
    found: dict[str, list[Row]] = defaultdict(list)
    for (name, _), row in sorted(last.items()):
        found[name] += [line for line in row["content"]["lines"] if line["product"] == "aFRR"]
    return {name: own for name, own in found.items() if own}


def _participant(index: Index, name: str, lines: list[Row]) -> dict[str, Any]:
    frame = index.run.outline
    asked = frame[f"{name}.set_point_mw"].abs() * ticks_s(frame) / 3600
    sums = {key: sum(line[field] for line in lines) for key, field in SUMS.items()}
    penalty = sum((Decimal(line["penalty_eur"]) for line in lines), Decimal(0))
    return {"asked_mwh": float(asked.sum()), **sums, "penalty_eur": str(penalty)}
