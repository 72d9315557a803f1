"""A comparison as tables on the terminal: cost, grid and frequency, what was cut and said; means over the seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .comparing import Comparison
from .table import COST

if TYPE_CHECKING:
    import pandas as pd

SHEETS: dict[str, dict[str, str]] = {
    "Cost in EUR": {name: name.removesuffix("_eur") for name in COST},
    "Grid and frequency": {
        "violations": "violations",
        "violation_minutes": "minutes",
        "worst_loading_percent": "worst %",
        "lowest_vm_pu": "lowest pu",
        "highest_vm_pu": "highest pu",
        "trips": "trips",
        "nadir_mhz": "nadir mHz",
        "minutes_outside_50_mhz": "min off ±50 mHz",
        "imbalance_left_mwh": "left MWh",
    },
    "Activated, cut and said": {
        "activated_up_mwh": "up MWh",
        "activated_down_mwh": "down MWh",
        "curtailed_offers": "cut offers",
        "curtailed_mwh": "cut MWh",
        "lost_revenue_eur": "lost EUR",
        "kpi_1_steps_percent": "steps %",
        "messages": "messages",
        "bytes": "bytes",
        "negotiation_s": "negotiated s",
    },
}
DIGITS = {"lowest_vm_pu": 3, "highest_vm_pu": 3, "negotiation_s": 2, "messages": 0, "bytes": 0}


def print_comparison(made: Comparison, console: Console) -> None:
    """Print every table, one per scale of the forecast error, and where the rest is."""
    for table in tables(made):
        console.print(table)
    failed = made.runs[made.runs["status"] == "failed"]
    for error, rows in failed.groupby("error", sort=False):
        console.print(f"failed {len(rows)} times: {error}", soft_wrap=True)
    for note in made.notes:
        console.print(note, soft_wrap=True)
    console.print(f"tables and compare.html: {made.request.out}", soft_wrap=True)


def tables(made: Comparison) -> Iterator[Table]:
    """Cost, grid, and what was said, for each scale of the forecast error."""
    for scale, own in made.summary.groupby("error_scale", sort=True, dropna=False):
        error = "" if math.isnan(float(str(scale))) else f", forecast error × {float(str(scale)):g}"
        for title, columns in SHEETS.items():
            yield _table(f"{title}{error}", columns, own, made)


def _table(title: str, columns: dict[str, str], own: pd.DataFrame, made: Comparison) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="")
    table.add_column("scheme")
    shown = {name: label for name, label in columns.items() if name in set(own["measure"])}
    for label in shown.values():
        table.add_column(label, justify="right")
    if "total_eur" in shown:
        table.add_column(f"total − {made.against}", justify="right")
    for scheme, rows in own.groupby("scheme", sort=False):
        values = rows.set_index("measure")
        cells = [_cell(name, values["mean"].get(name, math.nan)) for name in shown]
        total = [values[name].get("total_eur", math.nan) for name in ("difference", "difference_high")]
        difference = [_difference(*total)] if "total_eur" in shown else []
        table.add_row(str(scheme), *cells, *difference)
    return table


def _cell(name: str, value: float) -> str:
    digits = DIGITS.get(name, 2 if name.endswith("_mwh") else 1)
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _difference(mean: float, high: float) -> str:
    """With its 95 % interval, if there are several seeds."""
    if math.isnan(mean):
        return ""
    return f"{mean:+.1f}" + ("" if math.isnan(high) else f" ± {high - mean:.1f}")
