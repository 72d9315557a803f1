"""KPI 3: what the DSO's participation changed – before, in and after the market."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...protocols.information.quantities import instant
from ..audit.activation import ORDERS
from ..audit.findings import Row
from ..audit.index import Index, before
from .energy import activated, tick_h
from .quality import violations


def participation(index: Index) -> dict[str, Any]:
    """What was validated, limited, excluded; MW and minutes limited in real time; violations avoided; its share."""
    return {
        "prequalification": _verdicts(index.typed("capacity-verdict")),
        "merit_order": _verdicts(index.typed("merit-order-verdict")),
        "real_time": _real_time(index),
        "violations_avoided": _avoided(index),
        "share_of_balancing_energy_percent": _share(index),
    }


def _verdicts(rows: Iterable[Row]) -> dict[str, Any]:
    verdicts = [verdict for row in rows for verdict in row["content"]["verdicts"]]
    counted = Counter(verdict["verdict"] for verdict in verdicts)
    return {
        "checked": len(verdicts),
        "ok": counted["ok"],
        "limited": counted["limited"],
        "excluded": counted["rejected"] + counted["excluded"],
        "allowed_mw": sum(verdict["max_mw"] for verdict in verdicts),
    }


def _real_time(index: Index) -> dict[str, Any]:
    """How often, how much and how long: MW below what was ordered, minutes in which some limit was in force."""
    rows = [row for row in index.typed("limit-request") if row["received_at"] is not None]
    spans = [(instant(r["received_at"]), instant(x["valid_until"])) for r in rows for x in r["content"]["limits"]]
    return {
        "requests": len(rows),
        "limits": len(spans),
        "limited_mw": sum(_cut_mw(index, row, limit) for row in rows for limit in row["content"]["limits"]),
        "limited_minutes": _covered_us(spans) / 60e6,
    }


def _cut_mw(index: Index, request: Row, limit: Row) -> float:
    """MW that a limit takes from the order in force when the TSO heard of it."""
    orders = before(index.typed(*ORDERS, offer_id=limit["offer_id"]), request["received_at"])
    ordered_mw = orders[-1]["content"]["power_mw"] if orders else 0.0
    return max(0.0, float(ordered_mw) - float(limit["max_mw"]))


def _covered_us(spans: Iterable[tuple[int, int]]) -> int:
    covered, reached = 0, 0
    for begin, end in sorted(spans):
        covered += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return covered


def _avoided(index: Index) -> dict[str, Any]:
    """Violations that would have been with uncapped set-points (a power flow beside the real one), less the real."""
    real, shadow = violations(index.run), violations(index.run, shadow=True)
    return {
        grid: {key: shadow[grid][key] - real[grid][key] for key in ("minutes", "percent_seconds")}
        for grid in real
        if grid in shadow
    }


def _share(index: Index) -> float | None:
    """Scenario II: the DSO's share of all balancing energy, both directions."""
    power = activated(index).abs().sum() * tick_h(index)
    if index.scenario.scheme != "scenario-2" or power.sum() == 0:
        return None
    return float(100 * power[[name for name in power.index if name in index.scenario.dsos]].sum() / power.sum())
