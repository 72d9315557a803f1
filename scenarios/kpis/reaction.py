"""The DSO's hand on activation: how fast it is, what it leaves, what it costs, and what overload brings about.

    first violating tick ─▶ INFO 8 sent ─▶ lowered set-point sent ─▶ replacement ordered ─▶ no violation any more

A reversal is a lift that is taken back: the limit is imposed anew. Overloads and trips are what the plants have left
in the events; %·s are per element, loading beyond its limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ...protocols.information.quantities import instant, iso
from ..audit.activation import ORDERS
from ..audit.findings import Row
from ..audit.index import Index
from ..record.columns import PLANT
from ..record.instants import times_us
from ..record.limiting import Limited, LimitStep, limit_steps
from .quality import integral_h, violated

FIVE_MINUTES_US = 300_000_000
CYCLES = 2  # of control, within which the TSO orders what replaces a limit


def reaction(index: Index) -> dict[str, Any]:
    """Limits and reversals, the reaction to every violation, residual overload, cost of redispatch."""
    rows = [row for row in index.typed("limit-request") if row["received_at"] is not None]
    steps = limit_steps(rows)
    reversals = _reversals(steps)
    telemetry = index.run.outline
    return {
        "limits": sum(not step.lifts and not step.renews for step in steps),
        "renewals": sum(step.renews for step in steps),
        "lifts": sum(step.lifts for step in steps),
        "reversals": sum(len(times) for times in reversals.values()),
        "most_reversals_of_a_limit_in_5_min": max((_densest(times) for times in reversals.values()), default=0),
        "reactions": [one for grid in index.scenario.grids for one in _reactions(index, grid, rows)],
        "overload_percent_seconds": overloads(index),
        "redispatched_mwh": integral_h(telemetry, "redispatched_mw"),
        "redispatch_eur": integral_h(telemetry, "redispatch_eur_per_h"),
    }


def consequences(index: Index) -> dict[str, Any]:
    """What overload has brought about: trips, and load and generation without supply, with the load's stated value."""
    telemetry, grids = index.run.outline, index.scenario.grids
    load_mwh = sum(integral_h(telemetry, f"{grid}.lost_load_mw") for grid in grids)
    return {
        "trips": [
            {"at": row["at"], "grid": row["evidence"]["grid"], "element": row["evidence"]["element"]}
            for row in _incidents(index, "protection trip")
        ],
        "lost_load_mwh": load_mwh,
        "lost_load_eur": load_mwh * index.scenario.market.lost_load_eur_per_mwh,
        "lost_generation_mwh": sum(integral_h(telemetry, f"{grid}.lost_generation_mw") for grid in grids),
    }


def _incidents(index: Index, name: str) -> list[Row]:
    return [row for row in index.noted(None, name=name) if row["agent"].startswith(PLANT)]


def overloads(index: Index, *, since_us: int = 0) -> dict[str, dict[str, float]]:
    """Per grid and element: loading beyond the limit in %·s, of overloads that ended at or after an instant."""
    found: dict[str, dict[str, float]] = {grid: defaultdict(float) for grid in index.scenario.grids}
    for row in _incidents(index, "overload"):
        if instant(row["at"]) < since_us:
            continue
        found[row["evidence"]["grid"]][row["evidence"]["element"]] += row["evidence"]["percent_seconds"]
    return {grid: dict(sorted(elements.items())) for grid, elements in found.items()}


def _reversals(steps: Sequence[LimitStep]) -> dict[Limited, list[int]]:
    """When each limit was imposed anew after it had been raised or lifted."""
    found: dict[Limited, list[int]] = defaultdict(list)
    raised: dict[Limited, bool] = {}
    for step in steps:
        if step.renews:
            continue
        if step.lifts or step.max_mw > step.before_mw:
            raised[step.limited] = True
        elif raised.pop(step.limited, False):
            found[step.limited].append(step.at_us)
    return found


def _densest(times_us: Sequence[int]) -> int:
    return max((sum(begin <= at < begin + FIVE_MINUTES_US for at in times_us) for begin in times_us), default=0)


def _reactions(index: Index, grid: str, requests: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """One entry a violation: seconds from its first tick to each step of the reaction; null where there was none.

    A replacement is ordered while the violation lasts, or in the next cycles; later orders are for something else.
    """
    dso = index.scenario.dso_of(grid)
    own = [row for row in requests if row["sender"] == dso]
    for begin_us, end_us in _violations(index, grid):
        request = next((row for row in own if begin_us <= instant(row["sent_at"]) <= end_us), None)
        lowered = [row for row in index.typed("limit-order") if request and row["caused_by"] == request["id"]]
        heard_us = instant(request["received_at"]) if request else end_us
        until_us = max(end_us, heard_us + round(CYCLES * index.scenario.ticks.control_s * 1e6))
        sent_us = [(instant(row["sent_at"]), row) for row in index.typed(*ORDERS) if request]
        replaced = [row for at_us, row in sent_us if heard_us <= at_us <= until_us]
        yield {
            "grid": grid,
            "violated_at": iso(begin_us),
            "info_8_after_s": _after_s(begin_us, [request] if request else []),
            "lowered_after_s": _after_s(begin_us, lowered),
            "replaced_after_s": _after_s(begin_us, replaced),
            "ended_after_s": (end_us - begin_us) / 1e6,
        }


def _after_s(begin_us: int, rows: Sequence[Row]) -> float | None:
    return (min(instant(row["sent_at"]) for row in rows) - begin_us) / 1e6 if rows else None


def _violations(index: Index, grid: str) -> list[tuple[int, int]]:
    """(first violating tick, first tick without a violation) of every violation; the last may end with the record."""
    telemetry = index.run.outline
    at_us = times_us(telemetry["at"]).tolist()
    found: list[tuple[int, int]] = []
    begin_us: int | None = None
    for now_us, bad in zip(at_us, violated(index.run.outline, grid).tolist(), strict=True):
        if bad and begin_us is None:
            begin_us = now_us
        elif not bad and begin_us is not None:
            found.append((begin_us, now_us))
            begin_us = None
    return found + ([(begin_us, at_us[-1])] if begin_us is not None else [])
