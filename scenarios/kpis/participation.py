"""KPI 3: what the DSO's participation changed – before, in and after the market."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...protocols.information.quantities import instant
from ..audit.activation import ORDERS
from ..audit.findings import Row
from ..audit.index import Index, before
from ..record.limiting import Limited, LimitStep, limit_steps
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
    """How often, how much and how long: MW below what was ordered, minutes in which some limit was in force.

    A lift ends the limit of its resource and direction, and is itself no limit; a renewal is none of its own.
    """
    rows = [row for row in index.typed("limit-request") if row["received_at"] is not None]
    steps = limit_steps(rows)
    limits = [step for step in steps if not step.lifts and not step.renews]
    return {
        "requests": len(rows),
        "limits": len(limits),
        "limited_mw": sum(_cut_mw(index, step) for step in limits),
        "limited_minutes": _covered_us(_spans(steps)) / 60e6,
    }


def _cut_mw(index: Index, step: LimitStep) -> float:
    """MW that a limit takes from what was ordered, and not yet limited away, when the TSO heard of it."""
    orders = before(index.typed(*ORDERS, offer_id=step.limit["offer_id"]), step.request["received_at"])
    ordered_mw = float(orders[-1]["content"]["power_mw"]) if orders else 0.0
    return max(0.0, min(ordered_mw, step.before_mw) - step.max_mw)


def _spans(steps: Iterable[LimitStep]) -> list[tuple[int, int]]:
    """From each limit to the next one (or lift) of its resource and direction, at most until it expires."""
    spans: list[tuple[int, int]] = []
    in_force: dict[Limited, tuple[int, int]] = {}
    for step in steps:
        begin, end = in_force.pop(step.limited, (step.at_us, step.at_us))
        spans.append((begin, min(end, step.at_us)))
        if not step.lifts:
            in_force[step.limited] = (step.at_us, instant(step.limit["valid_until"]))
    return spans + list(in_force.values())


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
