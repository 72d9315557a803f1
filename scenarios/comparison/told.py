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
    "Activated and cut": {
        "activated_up_mwh": "up MWh",
        "activated_down_mwh": "down MWh",
        "kpi_2_demand_response_mwh": "of it DR",
        "curtailed_offers": "cut offers",
        "curtailed_mwh": "cut MWh",
        "lost_revenue_eur": "lost EUR",
        "kpi_3_limited_verdicts": "cut verdicts",
        "kpi_3_limits": "limits",
    },
    "Said": {
        "kpi_1_steps_percent": "steps %",
        "messages": "messages",
        "bytes": "bytes",
        "negotiation_s": "negotiated s",
    },
}
ENDS = {"Cost in EUR": "total − {}", "Grid and frequency": "overloaded"}
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
    table.add_column("scheme", no_wrap=True)
    shown = {name: label for name, label in columns.items() if name in set(own["measure"])}
    for label in shown.values():
        table.add_column(label, justify="right")
    last = ENDS.get(title.partition(",")[0])
    if last is not None:
        table.add_column(last.format(made.against), justify="right")
    for scheme, rows in own.groupby("scheme", sort=False):
        values = rows.set_index("measure")
        cells = [_cell(name, values["mean"].get(name, math.nan)) for name in shown]
        ends = {"Cost in EUR": _difference(values), "Grid and frequency": _element(made.runs, str(scheme), rows)}
        table.add_row(str(scheme), *cells, *([ends[title.partition(",")[0]]] if last is not None else []))
    return table


def _cell(name: str, value: float) -> str:
    digits = DIGITS.get(name, 2 if name.endswith("_mwh") else 1)
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _element(runs: pd.DataFrame, scheme: str, rows: pd.DataFrame) -> str:
    """The line or transformer with the most overload in the run with the worst loading."""
    scale = rows["error_scale"].iloc[0]
    same = runs["error_scale"].isna() if math.isnan(scale) else runs["error_scale"] == scale
    own = runs[(runs["scheme"] == scheme) & same]
    if "worst_element" not in own or own["worst_element"].isna().all():
        return ""
    worst = own.dropna(subset=["worst_element"]).sort_values("worst_loading_percent").iloc[-1]
    return str(worst["worst_element"])


def _difference(values: pd.DataFrame) -> str:
    """Of the total, with its 95 % interval, if there are several seeds."""
    mean, high = (values[name].get("total_eur", math.nan) for name in ("difference", "difference_high"))
    if math.isnan(mean):
        return ""
    return f"{mean:+.1f}" + ("" if math.isnan(high) else f" ± {high - mean:.1f}")
