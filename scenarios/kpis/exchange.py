"""KPI 1: how well the platform exchanges information, per INFO and over all steps of Figs 4 to 10."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...protocols.information.quantities import instant
from ..audit.findings import Demand, Row
from ..audit.index import Index, is_valid
from ..record.cells import line
from .streamed import Streamed, streamed

INFOS = tuple(f"INFO {number}" for number in range(1, 11))


def exchange(index: Index, demands: Sequence[Demand]) -> dict[str, Any]:
    """Per INFO: expected, sent, delivered, valid, latency, bytes; and which of the steps that were due were taken."""
    carried: dict[str, list[Row]] = defaultdict(list)
    for row in index.messages:
        if row["info"] is not None:
            carried[row["info"]].append(row)
    flowed = streamed(index.run)
    expected = _expected(index, demands)
    added = sorted({*carried, *flowed} - {*INFOS}, key=lambda info: int(info.split()[1]))
    known = [info for info in (*INFOS, *added) if expected.get(info) or carried.get(info) or info in flowed]
    told = {
        info: {"expected": expected.get(info, 0), **_figures(index, carried[info], flowed.get(info))} for info in known
    }
    return {
        "information": told,
        "steps": _coverage(demands),
        "messages": len(index.messages),
        "stream_messages": len(index.run.streams),
    }


def _expected(index: Index, demands: Sequence[Demand]) -> dict[str, int]:
    """A message for each step that was due; of INFO 7 one a tick for each subscription that was received."""
    expected: dict[str, int] = defaultdict(int)
    for demand in demands:
        if demand.info is not None and demand.info != "INFO 7":
            expected[demand.info] += max(1, len(demand.fulfilled_by))
    tick_us = round(index.scenario.ticks.measurement_s * 1e6)
    for row in index.typed("measurement-subscription"):
        if row["received_at"] is not None and not index.said(row["conversation_id"], "refuse"):
            first_us = -(-max(instant(row["content"]["start"]), instant(row["received_at"])) // tick_us)
            expected["INFO 7"] += instant(row["content"]["end"]) // tick_us - first_us + 1
    return expected


def _figures(index: Index, rows: Sequence[Row], flowed: Streamed | None) -> dict[str, Any]:
    """Of what was said and what was streamed together."""
    flowed = flowed or Streamed(0, 0, np.empty(0), 0)
    delivered = [row for row in rows if row["received_at"] is not None]
    said_ms = [(instant(row["received_at"]) - instant(row["sent_at"])) / 1000 for row in delivered]
    latency_ms = np.concatenate([said_ms, flowed.latency_ms])
    p50, p95, p99 = np.percentile(latency_ms, [50, 95, 99]).tolist() if len(latency_ms) else (None, None, None)
    return {
        "sent": len(rows) + flowed.sent,
        "delivered": len(latency_ms),
        "valid": sum(_valid(index, row) for row in rows) + flowed.valid,
        "latency_p50_ms": p50,
        "latency_p95_ms": p95,
        "latency_p99_ms": p99,
        "content_bytes": sum(len(line(row["content"])) - 1 for row in rows) + flowed.content_bytes,
    }


def _valid(index: Index, row: Row) -> bool:
    message = index.vocabulary.messages.get(row["type"])
    if message is None or not is_valid(row, index.vocabulary):
        return False
    return (message.info, message.performative.value) == (row["info"], row["performative"])


def _coverage(demands: Iterable[Demand]) -> dict[str, Any]:
    due = {demand.step for demand in demands}
    missing = {demand.step for demand in demands if not demand.fulfilled}
    return {"due": len(due), "covered": len(due - missing), "missing": sorted(missing, key=_order)}


def _order(step: str) -> tuple[int, ...]:
    return tuple(int(part) for part in step.split("."))
