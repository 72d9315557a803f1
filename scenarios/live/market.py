"""The market as it stands in a run in progress: merit order lists, what is ordered of them, limits and what binds.

    messages, events ─▶ Market (the latest periods) ─▶ the rules of the record's tables ─▶ frames as in its CSV files

Written by the thread that runs, read by others.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...agents.calendar import period_id
from ...protocols.information.quantities import instant
from ..record import activation, offering
from ..record.columns import LIMITS, MERIT_ORDER
from ..record.run import typed
from ..report.tables import LIMIT_REQUEST, Sheet, limits_sheet

if TYPE_CHECKING:
    from datetime import tzinfo

    import pandas as pd

Row = dict[str, Any]
LISTED = frozenset({"gridpact.merit-order-verdict/1"})
ORDERED = frozenset({"gridpact.activate/1", "gridpact.activate-when/1", "gridpact.cancelled/1"})
LIMITED = frozenset({LIMIT_REQUEST, "gridpact.limit-order/1", "gridpact.offer-modified/1", "gridpact.limit-followed/1"})
SEEN = LISTED | ORDERED | LIMITED
PERIODS, MOST_LIMITS = 12, 30


class Market:
    """What has been said about the latest periods."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[str, list[Row]] = {}
        self._lists: dict[str, list[Row]] = {}

    def message(self, row: Row) -> None:
        """A message of one of the types in SEEN, as messages.jsonl has it."""
        self._keep(self._messages, str(row["conversation_id"]).split("/")[2], row)

    def event(self, row: Row) -> None:
        """A step without a message, as events.jsonl has it; only merit order lists are kept."""
        evidence = row["evidence"]
        if "period" in evidence and isinstance(evidence.get("entries"), list):
            self._keep(self._lists, str(evidence["period"]), row)

    def _keep(self, kept: dict[str, list[Row]], period: str, row: Row) -> None:
        with self._lock:
            kept.setdefault(period, []).append(row)
            if len(kept) > PERIODS:
                del kept[min(kept)]

    def _said(self, period: str | None, types: frozenset[str]) -> list[Row]:
        """Messages of a period (None: of all that are kept) in the order of sending."""
        with self._lock:
            of = self._messages.values() if period is None else [self._messages.get(period, [])]
            found = [row for rows in of for row in rows if row["type"] in types]
        return sorted(found, key=lambda row: int(row["sequence"]))

    def lists(self, at_us: int) -> pd.DataFrame:
        """The definitive lists of the period in delivery, or of the first one to come; as merit_order.csv has them."""
        import pandas as pd

        with self._lock:
            known = {period: list(rows) for period, rows in self._lists.items()}
        begun = [period for period in known if period <= period_id(at_us)]
        rows: list[Row] = []
        for period in (*sorted(begun, reverse=True), *sorted(known.keys() - begun)):
            if rows := offering.merit_order(self._said(period, LISTED), known[period]):
                break
        return pd.DataFrame(rows, columns=list(MERIT_ORDER.names))

    def ordered_mw(self, period: str) -> Mapping[str, float]:
        """MW ordered at present of each offer of a period, by its id; what a later limit took away is not ordered."""
        latest: dict[str, tuple[int, float]] = {}
        for row in activation.activations(self._said(period, ORDERED), ()):
            power_mw = 0.0 if row["ended_by"] == "cancelled" else float(row["power_mw"])
            latest[row["offer_id"]] = instant(row["sent_at"]), power_mw
        for row in activation.limits(self._said(period, LIMITED), ()):
            sent_us, power_mw = latest.get(row["offer_id"], (0, 0.0))
            if row["confirmed_mw"] is not None and instant(row["sent_at"]) > sent_us:
                latest[row["offer_id"]] = sent_us, min(power_mw, float(row["confirmed_mw"]))
        return {offer_id: power_mw for offer_id, (_, power_mw) in latest.items()}

    def limits(self, zone: tzinfo | None) -> Sheet:
        """The latest limits with what binds, the last one first."""
        import pandas as pd

        messages = self._said(None, LIMITED)
        frame = typed(pd.DataFrame(activation.limits(messages, ()), columns=list(LIMITS.names)), LIMITS)
        sheet = limits_sheet([row for row in messages if row["type"] == LIMIT_REQUEST], frame, zone)
        return Sheet(sheet.title, sheet.columns, sheet.rows[: -MOST_LIMITS - 1 : -1], sheet.note)
