"""The CSV files of a run: all of them follow from messages and events, so an audit can compute them again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import activation, offering
from .cells import cell
from .columns import ACTIVATIONS, LIMITS, MERIT_ORDER, OFFERS, SETTLEMENT, Table

Rows = Sequence[Mapping[str, Any]]
Compute = Callable[[Rows, Rows], list[dict[str, Any]]]
TABLES: tuple[tuple[Table, Compute], ...] = (
    (OFFERS, offering.offers),
    (MERIT_ORDER, offering.merit_order),
    (ACTIVATIONS, activation.activations),
    (LIMITS, activation.limits),
    (SETTLEMENT, activation.settlement),
)


def derived_files(messages: Rows, events: Rows) -> dict[str, tuple[bytes, int]]:
    """The bytes and number of rows of every derived CSV file, by file name."""
    computed = ((table, compute(messages, events)) for table, compute in TABLES)
    return {table.file: (_csv(table, rows), len(rows)) for table, rows in computed}


def _csv(table: Table, rows: Rows) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.names)
    for row in rows:
        writer.writerow([cell(name, row.get(name)) for name in table.names])
    return out.getvalue().encode()
