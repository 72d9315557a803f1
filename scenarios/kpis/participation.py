"""KPI 3: what the DSO's participation changed – before, in and after the market."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ...protocols.information.quantities import instant
from ..audit.activation import ORDERS
from ..audit.findings import Row
from ..audit.index import Index, before
from ..record.limiting import Limited, LimitStep, limit_steps
from ..record.offering import offers
from .energy import activated, tick_h
from .quality import violations


def participation(index: Index) -> dict[str, Any]:
    """What was validated, limited, excluded; MW and minutes limited in real time; violations avoided; its share."""
    return {
        "prequalification": {**_verdicts(index.typed("capacity-verdict")), "allowed_mw": _qualified_mw(index)},
        "merit_order": {**_verdicts(index.typed("merit-order-verdict")), "mean_allowed_mw": _listed_mw(index)},
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
    }


def _qualified_mw(index: Index) -> dict[str, float]:
    """MW that DSOs would let qualify, of everybody, by product and direction: their last word about each resource."""
    last: dict[tuple[str, str], float] = {}
    for row in index.typed("capacity-verdict"):
        who, product = row["content"]["applicant"], row["content"]["product"]
        for each in row["content"]["verdicts"]:
            last[f"{product} {each['direction']}", f"{who}|{each['resource']}"] = each["max_mw"]
    return _sums(last)


def _listed_mw(index: Index) -> dict[str, float]:
    """MW of merit order lists that DSOs allowed, by product and direction: the mean of the periods that they saw."""
    rows = index.typed("merit-order-verdict")
    allowed = {each["offer_id"]: each["max_mw"] for row in rows for each in row["content"]["verdicts"]}
    known = {row["offer_id"]: row for row in offers(index.messages, ())} if allowed else {}
    told = [(known[name], mw) for name, mw in allowed.items() if name in known]
    sums = _sums({(_need(offer), offer["offer_id"]): mw for offer, mw in told})
    periods = Counter(need for need, _ in {(_need(offer), offer["delivery_start"]) for offer, _ in told})
    return {need: mw / periods[need] for need, mw in sums.items()}


def _need(offer: Row) -> str:
    return f"{offer['product']} {offer['direction']}"


def _sums(mw: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """By the first part of the key."""
    found: dict[str, float] = defaultdict(float)
    for (need, _), one_mw in mw.items():
        found[need] += one_mw
    return dict(sorted(found.items()))


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
