"""A row of a comparison's table, recomputed from the files of its run: nothing of gridpact is used here.

messages.jsonl, events.jsonl, streams, telemetry, states, *.csv, scenario.yaml ─▶ every column but the steps of KPI 1
"""

import csv
import json
import math
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

SHORTAGE, LOSSES, CAPACITY = 500.0, 80.0, 5.0
ASKED = ("gridpact.application/1", "gridpact.technical-data/1")
TOLD = ("gridpact.qualified/1", "gridpact.not-qualified/1", "gridpact.qualification-proposal/1")
ACCEPTED = "gridpact.acceptance/1"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def recomputed(folder: Path) -> dict[str, Any]:
    """The figures by the names of the table's columns, of a run with one grid."""
    scenario = yaml.safe_load((folder / "scenario.yaml").read_text("utf-8"))
    messages = lines(folder / "messages.jsonl")
    telemetry = pd.read_parquet(folder / "telemetry.parquet")
    (grid,) = scenario["grids"]
    begin = pd.Timestamp(scenario["time"]["first_delivery"]).tz_convert("UTC")
    minutes = scenario["time"]["market_time_units"] * scenario["time"]["market_time_unit_min"]
    end = begin + timedelta(minutes=minutes)
    tick_h = scenario["ticks"]["control_s"] / 3600
    during = telemetry[(telemetry["at"] >= begin) & (telemetry["at"] < end)]
    parts = {
        **_paid(folder, telemetry, tick_h),
        "foregone_eur": CAPACITY * _foregone_mw(messages) * minutes / 60,
        "shortage_eur": SHORTAGE * float(during["ace_mw"].abs().sum() * tick_h),
        "consequences_eur": scenario["market"]["lost_load_eur_per_mwh"]
        * _sum(telemetry, f"{grid}.lost_load_mw", tick_h),
        "losses_eur": LOSSES * _losses_mwh(folder, during, grid, tick_h),
    }
    return {
        **parts,
        "total_eur": sum(parts.values()),
        "imbalance_left_mwh": parts["shortage_eur"] / SHORTAGE,
        "losses_mwh": parts["losses_eur"] / LOSSES,
        "foregone_mw_h": parts["foregone_eur"] / CAPACITY,
        "redispatched_mwh": _sum(telemetry, "redispatched_mw", tick_h),
        "lost_load_mwh": _sum(telemetry, f"{grid}.lost_load_mw", tick_h),
        **_activated(folder, begin, end, tick_h, scenario),
        **_cut(folder, scenario),
        **_violations(during, grid, tick_h),
        **_frequency(telemetry, tick_h),
        **_said(folder, messages, scenario),
        "trips": sum(one["evidence"].get("name") == "protection trip" for one in lines(folder / "events.jsonl")),
    }


def _sum(frame: pd.DataFrame, column: str, tick_h: float) -> float:
    return float(frame[column].fillna(0.0).sum() * tick_h) if column in frame else 0.0


def _paid(folder: Path, telemetry: pd.DataFrame, tick_h: float) -> dict[str, float]:
    with (folder / "settlement.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "balancing_energy"]
    replaced = _sum(telemetry, "redispatch_eur_per_h", tick_h)
    paid = sum((Decimal(row["amount_eur"]) for row in rows), Decimal(0))
    return {"bids_eur": float(paid) - replaced, "replacement_eur": replaced}


def _foregone_mw(messages: list[dict[str, Any]]) -> float:
    asked: dict[tuple[str, str], float] = {}
    got: dict[tuple[str, str], tuple[float, float]] = {}
    for row in messages:
        for one in row["content"]["resources"] if row["type"] in ASKED else ():
            asked |= {(one["id"], way): one[f"max_{way}_mw"] for way in ("up", "down")}
        for one in row["content"]["verdicts"] if row["type"] in TOLD else ():
            key = one["resource"], one["direction"]
            got[key] = asked[key], one["max_mw"]
    return sum(max(0.0, wanted - given) for wanted, given in got.values())


def _losses_mwh(folder: Path, during: pd.DataFrame, grid: str, tick_h: float) -> float:
    states = pd.read_parquet(folder / "states" / f"{grid}.parquet").set_index("at").loc[list(during["at"])]
    power = {name: states.filter(regex=rf"^{name}\.\d+\.p_mw$").sum(axis=1) for name in ("sgen", "load", "storage")}
    imported = during.set_index("at")[f"{grid}.interface_p_mw"]
    return float((imported + power["sgen"] - power["load"] - power["storage"]).sum() * tick_h)


def _activated(
    folder: Path, begin: pd.Timestamp, end: pd.Timestamp, tick_h: float, scenario: dict[str, Any]
) -> dict[str, float]:
    """From what the TSO was told (INFO 7)."""
    streams = pd.read_parquet(folder / "streams.parquet")
    (tso,) = (name for name, who in scenario["participants"].items() if who["kind"] == "tso")
    inside = (streams["measured_at"] >= begin) & (streams["measured_at"] < end) & (streams["receiver"] == tso)
    kinds = {name: who["kind"] for name, who in scenario["participants"].items()}
    told = streams[streams["receiver"] == tso]
    mw = pd.concat([_ordered(own, kinds[str(name)]) for name, own in told.groupby("sender")])
    mw = mw[inside[mw.index]]
    up, down = mw.clip(lower=0.0), (-mw).clip(lower=0.0)
    return {"activated_up_mwh": float(up.sum() * tick_h), "activated_down_mwh": float(down.sum() * tick_h)}


def _ordered(told: pd.DataFrame, kind: str) -> pd.Series:
    """MW that somebody measured; of a DSO what loads took back when nothing was ordered is left out."""
    mw = told["activated_mw"]
    if kind != "dso":
        return mw
    keep: list[float] = []
    span: list[tuple[float, float]] = []
    for pair in [*zip(mw, told["set_point_mw"], strict=True), (math.nan, 0.0)]:
        if span and not span[-1][0] * pair[0] > 0:
            asked = any(power * set_point > 0 for power, set_point in span)
            keep += [power if asked else 0.0 for power, _ in span]
            span = []
        span.append(pair)
    return pd.Series(keep, index=mw.index)


def _cut(folder: Path, scenario: dict[str, Any]) -> dict[str, float]:
    frame = pd.read_csv(folder / "merit_order.csv")
    cut = (frame["offered_mw"] - frame["allowed_mw"]).fillna(0.0)
    hours = scenario["time"]["market_time_unit_min"] / 60
    return {"curtailed_offers": int((cut > 1e-6).sum()), "curtailed_mwh": float(cut[cut > 1e-6].sum() * hours)}


def _violations(telemetry: pd.DataFrame, grid: str, tick_h: float) -> dict[str, float]:
    bad = (telemetry[f"{grid}.violations"] > 0).tolist()
    return {
        "violations": sum(now and not before for before, now in zip([False, *bad], bad, strict=False)),
        "violation_minutes": sum(bad) * tick_h * 60,
        "worst_loading_percent": telemetry[f"{grid}.worst_loading_percent"].max(),
        "lowest_vm_pu": telemetry[f"{grid}.vm_min_pu"].min(),
        "highest_vm_pu": telemetry[f"{grid}.vm_max_pu"].max(),
    }


def _frequency(telemetry: pd.DataFrame, tick_h: float) -> dict[str, float]:
    return {
        "nadir_mhz": 1000 * (telemetry["lowest_hz"].min() - 50),
        "highest_mhz": 1000 * (telemetry["highest_hz"].max() - 50),
        "minutes_outside_50_mhz": float(((telemetry["frequency_hz"] - 50).abs() > 0.05).sum() * tick_h * 60),
    }


def _said(folder: Path, messages: list[dict[str, Any]], scenario: dict[str, Any]) -> dict[str, float]:
    streams = pd.read_parquet(folder / "streams.parquet")
    requests = [row for row in messages if row["type"] == "gridpact.limit-request/1"]
    verdicts = [
        one for row in messages if row["type"].split("/")[0].endswith("-verdict") for one in row["content"]["verdicts"]
    ]
    waits: dict[str, pd.Timedelta] = {}
    closure = timedelta(minutes=scenario["time"]["gate_closure_min"])
    for row in messages:
        for offer in row["content"]["offers"] if row["type"] == ACCEPTED and row["received_at"] else ():
            start = pd.Timestamp(offer["delivery_start"])
            waits[start] = max(waits.get(start, timedelta(0)), pd.Timestamp(row["received_at"]) - (start - closure))
    seconds = [wait.total_seconds() for wait in waits.values()]
    return {
        "messages": len(messages) + len(streams),
        "negotiation_s": sum(seconds) / len(seconds) if seconds else math.nan,
        "kpi_2_offers_activated": len(set(pd.read_csv(folder / "activations.csv")["offer_id"])),
        "kpi_3_share_percent": _share(streams, scenario),
        "kpi_3_limits": _limits(requests),
        "kpi_3_limited_verdicts": sum(one["verdict"] != "ok" for one in verdicts),
    }


def _share(streams: pd.DataFrame, scenario: dict[str, Any]) -> float:
    """Of all energy that the TSO was told of in scenario II, that of DSOs."""
    if scenario["coordination"]["scheme"] != "scenario-2":
        return math.nan
    kinds = {name: who["kind"] for name, who in scenario["participants"].items()}
    begin = pd.Timestamp(scenario["time"]["first_delivery"]).tz_convert("UTC")
    end = begin + timedelta(minutes=scenario["time"]["market_time_units"] * scenario["time"]["market_time_unit_min"])
    inside = (streams["measured_at"] >= begin) & (streams["measured_at"] < end)
    told = streams[streams["receiver"].map(kinds) == "tso"]
    energy = {"bsp": 0.0, "aggregator": 0.0, "dso": 0.0}
    for name, own in told.groupby("sender"):
        energy[kinds[str(name)]] += float(_ordered(own, kinds[str(name)])[inside[own.index]].abs().sum())
    return 100 * energy["dso"] / sum(energy.values())


def _limits(requests: list[dict[str, Any]]) -> int:
    """Limits that do not only repeat, or end, the one in force before them."""
    known: dict[tuple[str, str], tuple[float, pd.Timestamp]] = {}
    count = 0
    for row in (one for one in requests if one["received_at"]):
        at = pd.Timestamp(row["received_at"])
        for limit in row["content"]["limits"]:
            key, most_mw = (limit["resource"], limit["direction"]), limit["max_mw"]
            before_mw, until = known.get(key, (math.inf, at))
            before_mw = before_mw if until > at else math.inf
            ends = (
                limit["kind"] == "cap" and limit["binding"] is None and (math.isinf(before_mw) or most_mw >= before_mw)
            )
            count += not ends and abs(most_mw - before_mw) > 1e-6
            known[key] = math.inf if ends else most_mw, pd.Timestamp(limit["valid_until"])
    return count
