"""The table of a comparison: a row a run, with its cost taken apart; and what each participant lost and was paid.

total = bids + replacement + foregone + shortage + consequences + losses       regret = total − total of `ideal`
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..sweep.folder import Result
from .performing import Entry, StatedPrices
from .schemes import IDEAL

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["error_scale", "seed", "scheme"]
PARTS = ("bids_eur", "replacement_eur", "foregone_eur", "shortage_eur", "consequences_eur", "losses_eur")
COST = (*PARTS, "total_eur", "regret_eur")
Row = dict[str, Any]


def runs_table(results: Iterable[tuple[Entry, Result]], prices: StatedPrices) -> pd.DataFrame:
    """One row a run; columns carry their units. A run that failed has its error, and no figures.

    `run` is the name of its directory in `runs/`, if these are kept.
    """
    import pandas as pd

    rows = [{**_head(entry, result), **_figures(entry, result, prices)} for entry, result in results]
    frame = pd.DataFrame(rows).astype({"error_scale": float, "error": "string"})
    if "total_eur" not in frame:
        return frame
    frame["_key"] = [(_plain(scale), seed) for scale, seed in zip(frame["error_scale"], frame["seed"], strict=True)]
    ideal = frame[frame["scheme"] == IDEAL]
    best = dict(zip(ideal["_key"], ideal["total_eur"], strict=True))
    against = frame.pop("_key").map(best).astype(float)
    frame.insert(list(frame.columns).index("total_eur") + 1, "regret_eur", frame["total_eur"] - against)
    return frame


def at_scale(frame: pd.DataFrame, scale: float) -> pd.DataFrame:
    """The rows of one scale of the forecast error; not a number: those that have none."""
    column = frame["error_scale"]
    return frame[column.isna() if math.isnan(scale) else column == scale]


def _plain(scale: float) -> float | None:
    """NaN is no key."""
    return None if scale != scale else scale  # noqa: PLR0124 - NaN alone differs from itself


def participants_table(results: Iterable[tuple[Entry, Result]]) -> pd.DataFrame:
    """One row a run and participant: offers and MWh that a DSO cut, revenue lost to limits, and what it was paid."""
    import pandas as pd

    rows = []
    for entry, result in results:
        told = result.get("account", {}).get("curtailed", {}).get("by_participant", {})
        paid = result.get("kpis", {}).get("cost", {}).get("by_participant_eur", {})
        head = {"error_scale": entry.error_scale, "seed": entry.seed, "scheme": entry.scheme}
        for name in sorted({*told, *paid}):
            own = told.get(name, {"offers": 0, "mwh": 0.0, "lost_eur": 0.0})
            cut = {"curtailed_offers": own["offers"], "curtailed_mwh": own["mwh"], "lost_revenue_eur": own["lost_eur"]}
            rows.append({**head, "participant": name, **cut, "paid_eur": float(paid.get(name, 0.0))})
    columns = [*KEYS, "participant", "curtailed_offers", "curtailed_mwh", "lost_revenue_eur", "paid_eur"]
    return pd.DataFrame(rows, columns=columns).astype({"error_scale": float})


def _head(entry: Entry, result: Result) -> Row:
    failed = "error" in result
    head = {"error_scale": entry.error_scale, "seed": entry.seed, "scheme": entry.scheme}
    return {**head, "run": result["key"], "status": "failed" if failed else "ok", "error": result.get("error")}


def _figures(entry: Entry, result: Result, prices: StatedPrices) -> Row:
    if "error" in result:
        return {}
    told = result["account"]
    own = _foreseen(told) if entry.scheme == IDEAL else _ran(result["kpis"], told, prices)
    own |= {
        "shortage_eur": prices.shortage * told["imbalance_left_mwh"],
        "losses_eur": prices.losses * told["losses_mwh"],
        "imbalance_left_mwh": told["imbalance_left_mwh"],
        "losses_mwh": told["losses_mwh"],
    }
    total = sum(own[part] for part in PARTS)
    return {**{part: own[part] for part in PARTS}, "total_eur": total, **own}


def _foreseen(told: Mapping[str, Any]) -> Row:
    """What `ideal` has: no negotiation, no violation, nothing foregone."""
    nothing = dict.fromkeys(("replacement_eur", "foregone_eur", "consequences_eur"), 0.0)
    ways = {f"activated_{way}_mwh": mwh for way, mwh in told["activated_mwh"].items()}
    return {"bids_eur": told["bids_eur"], **nothing, **ways, "violations": 0, "violation_minutes": 0.0}


def _ran(kpis: Mapping[str, Any], told: Mapping[str, Any], prices: StatedPrices) -> Row:
    limits, lost = kpis["real_time_limits"], kpis["consequences"]
    replaced = float(limits["redispatch_eur"])
    cost = {
        "bids_eur": float(kpis["cost"]["balancing_energy_eur"]) - replaced,
        "replacement_eur": replaced,
        "foregone_eur": prices.capacity * told["foregone_mw_h"],
        "consequences_eur": float(lost["lost_load_eur"]),
    }
    judged = {**_exchange(kpis, told), **_activated(kpis), **_participation(kpis)}
    return {**cost, **_energy(kpis, told), **_grid(told, lost), **_quality(kpis), **judged}


def _energy(kpis: Mapping[str, Any], told: Mapping[str, Any]) -> Row:
    everybody, cut = kpis["kpi_2_flexibility_activated"]["all"], told["curtailed"]
    return {
        "activated_up_mwh": everybody["up_mwh"],
        "activated_down_mwh": everybody["down_mwh"],
        "redispatched_mwh": kpis["real_time_limits"]["redispatched_mwh"],
        "foregone_mw_h": told["foregone_mw_h"],
        "curtailed_offers": cut["offers"],
        "curtailed_mwh": cut["mwh"],
        "lost_revenue_eur": cut["lost_revenue_eur"],
    }


def _grid(told: Mapping[str, Any], lost: Mapping[str, Any]) -> Row:
    """Of all grids together; the element is that of the grid with the worst loading."""
    grids = list(told["violations"].values())
    worst = max(grids, key=lambda grid: grid["worst_loading_percent"])
    return {
        "violations": sum(grid["count"] for grid in grids),
        "violation_minutes": sum(grid["minutes"] for grid in grids),
        "worst_loading_percent": worst["worst_loading_percent"],
        "worst_element": worst["element"],
        "lowest_vm_pu": min(grid["lowest_vm_pu"] for grid in grids),
        "highest_vm_pu": max(grid["highest_vm_pu"] for grid in grids),
        "trips": len(lost["trips"]),
        "lost_load_mwh": lost["lost_load_mwh"],
    }


def _quality(kpis: Mapping[str, Any]) -> Row:
    frequency = kpis["frequency"]
    return {name: frequency[name] for name in ("nadir_mhz", "highest_mhz", "minutes_outside_50_mhz")}


def _exchange(kpis: Mapping[str, Any], told: Mapping[str, Any]) -> Row:
    """KPI 1, and what was said."""
    exchanged = kpis["kpi_1_information_exchange"]
    steps, pieces = exchanged["steps"], list(exchanged["information"].values())
    expected = sum(piece["expected"] for piece in pieces)
    return {
        "kpi_1_steps_percent": 100.0 * steps["covered"] / steps["due"],
        "kpi_1_valid_percent": 100.0 * sum(min(each["valid"], each["expected"]) for each in pieces) / max(expected, 1),
        "kpi_1_slowest_p95_ms": max((each["latency_p95_ms"] or 0.0 for each in pieces), default=0.0),
        "messages": told["messages"],
        "bytes": told["bytes"],
        "negotiation_s": told["negotiation_s"],
    }


def _activated(kpis: Mapping[str, Any]) -> Row:
    """KPI 2: demand response, and how many offers were activated."""
    two = kpis["kpi_2_flexibility_activated"]
    of_demand = two["demand_response"]
    return {
        "kpi_2_demand_response_mwh": sum(of_demand[f"{way}_mwh"] for way in ("up", "down")),
        "kpi_2_demand_response_peak_mw": max(of_demand[f"{way}_peak_mw"] for way in ("up", "down")),
        "kpi_2_offers_activated": sum(product["offers_activated"] for product in two["by_product"].values()),
    }


def _participation(kpis: Mapping[str, Any]) -> Row:
    """KPI 3: what the DSO cut, limited, avoided, and (in scenario II) sold."""
    three = kpis["kpi_3_participation_of_dso"]
    checked, live = (three["prequalification"], three["merit_order"]), three["real_time"]
    share = three["share_of_balancing_energy_percent"]
    return {
        "kpi_3_limited_verdicts": sum(verdicts["limited"] + verdicts["excluded"] for verdicts in checked),
        "kpi_3_limits": live["limits"],
        "kpi_3_limited_mw": live["limited_mw"],
        "kpi_3_limited_minutes": live["limited_minutes"],
        "kpi_3_avoided_minutes": sum(grid["minutes"] for grid in three["violations_avoided"].values()),
        "kpi_3_share_percent": math.nan if share is None else share,
    }
