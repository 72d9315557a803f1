"""A comparison as tables on the terminal: cost, grid and frequency, what was cut and said; means over the seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .comparing import Comparison
from .table import COST, at_scale

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
        "highest_mhz": "highest mHz",
        "minutes_outside_50_mhz": "min off ±50 mHz",
    },
    "Activated and cut": {
        "activated_up_mwh": "up MWh",
        "activated_down_mwh": "down MWh",
        "imbalance_left_mwh": "left MWh",
        "redispatched_mwh": "replaced MWh",
        "lost_load_mwh": "lost load MWh",
        "curtailed_offers": "cut offers",
        "curtailed_mwh": "cut MWh",
        "lost_revenue_eur": "lost EUR",
    },
    "KPI 1, exchange": {
        "kpi_1_steps_percent": "steps %",
        "kpi_1_valid_percent": "valid %",
        "kpi_1_slowest_p95_ms": "slowest p95 ms",
        "messages": "messages",
        "bytes": "bytes",
        "negotiation_s": "negotiated s",
    },
    "KPI 2, flexibility, and KPI 3, the DSO's part": {
        "kpi_2_demand_response_mwh": "DR MWh",
        "kpi_2_demand_response_peak_mw": "DR peak MW",
        "kpi_2_offers_activated": "offers activated",
        "kpi_3_limited_verdicts": "cut verdicts",
        "kpi_3_limits": "limits",
        "kpi_3_limited_mw": "limited MW",
        "kpi_3_limited_minutes": "limited min",
        "kpi_3_avoided_minutes": "avoided min",
        "kpi_3_share_percent": "DSO's share %",
    },
}
ENDS = {"Cost in EUR": "total − {}", "Grid and frequency": "worst at"}
DIGITS = {"lowest_vm_pu": 3, "highest_vm_pu": 3, "negotiation_s": 2, "messages": 0, "bytes": 0}
WITH_INTERVAL = ("total_eur", "violation_minutes")
MOST_PARTICIPANTS = 8


def print_comparison(made: Comparison, console: Console) -> None:
    """Print every table, one per scale of the forecast error, and where the rest is."""
    console.print(seeds_told(made.request.seeds), soft_wrap=True)
    for table in tables(made):
        console.print(table, markup=False)
    failed = made.runs[made.runs["status"] == "failed"]
    for error, rows in failed.groupby("error", sort=False):
        console.print(f"failed {len(rows)} times: {error}", soft_wrap=True, markup=False)
    for note in made.notes:
        console.print(note, soft_wrap=True, markup=False)
    if made.request.errors == (None,):
        console.print("--errors 0,0.5,1,1.5,2 would draw cost and violations against forecast error", soft_wrap=True)
    console.print(f"tables and compare.html: {made.request.out}", soft_wrap=True, markup=False)


def seeds_told(seeds: Sequence[int]) -> str:
    """Which seeds the figures are of, so that nobody takes the number of one for how many there are."""
    if len(seeds) == 1:
        return f"Seed number {seeds[0]} alone: no intervals; --seeds 1..5 would take five seeds."
    numbers = f"{seeds[0]} to {seeds[-1]}" if list(seeds) == list(range(seeds[0], seeds[-1] + 1)) else _listed(seeds)
    return f"Means over {len(seeds)} seeds ({numbers}); ± is half of a 95 % interval, that of differences seed by seed."


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def tables(made: Comparison) -> Iterator[Table]:
    """Cost, grid, energy, KPIs, and what each participant lost, for each scale of the forecast error."""
    for scale, own in made.summary.groupby("error_scale", sort=True, dropna=False):
        yield from tables_of(made, float(str(scale)), own)


def tables_of(made: Comparison, scale: float, own: pd.DataFrame) -> Iterator[Table]:
    """Those of one scale of the forecast error; `own`: its rows of the summary."""
    error = "" if math.isnan(scale) else f", forecast error × {scale:g}"
    for title, columns in SHEETS.items():
        yield _table(f"{title}{error}", columns, own, made)
    yield from _lost(f"Lost revenue in EUR (offers cut), by participant{error}", scale, made)


def _lost(title: str, scale: float, made: Comparison) -> Iterator[Table]:
    """A column for each participant that limits cost or brought most."""
    frame = at_scale(made.participants, scale)
    figures = ["lost_revenue_eur", "curtailed_offers"]
    means = frame.groupby(["scheme", "participant"], sort=False)[figures].mean().reset_index()
    size = means[figures].abs().max(axis=1).groupby(means["participant"], sort=True).max()
    names = [str(name) for name, most in size.sort_values(ascending=False, kind="stable").items() if most > 0]
    if not names:
        return
    table = _headed(title)
    shown = sorted(names[:MOST_PARTICIPANTS])
    for name in shown:
        table.add_column(name, justify="right")
    for scheme in dict.fromkeys(frame["scheme"]):
        table.add_row(str(scheme), *(_loss(means, str(scheme), name) for name in shown))
    if left := len(names) - len(shown):
        table.caption = f"The {len(shown)} largest; {left} more in participants.csv."
    yield table


def _loss(means: pd.DataFrame, scheme: str, name: str) -> str:
    """EUR, negative if gained, and in brackets how many offers were cut."""
    own = means[(means["scheme"] == scheme) & (means["participant"] == name)]
    if own.empty:
        return ""
    lost, cut = float(own["lost_revenue_eur"].iloc[0]), float(own["curtailed_offers"].iloc[0])
    return f"{lost + 0.0:.1f}" + (f" ({cut:g})" if cut else "")


def _headed(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="", caption_justify="left")
    table.add_column("scheme", no_wrap=True)
    return table


def _table(title: str, columns: dict[str, str], own: pd.DataFrame, made: Comparison) -> Table:
    table = _headed(title)
    shown = {name: label for name, label in columns.items() if name in set(own["measure"])}
    for label in shown.values():
        table.add_column(label, justify="right")
    last = ENDS.get(title.partition(",")[0])
    if last is not None:
        table.add_column(last.format(made.against), justify="right")
    for scheme, rows in own.groupby("scheme", sort=False):
        values = rows.set_index("measure")
        cells = [_cell(name, values["mean"].get(name, math.nan)) + _half(name, values) for name in shown]
        ends = {"Cost in EUR": _difference(values), "Grid and frequency": _element(made.runs, str(scheme), rows)}
        table.add_row(str(scheme), *cells, *([ends[title.partition(",")[0]]] if last is not None else []))
    return table


def _cell(name: str, value: float) -> str:
    digits = DIGITS.get(name, 2 if name.endswith("_mwh") else 1)
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _half(name: str, values: pd.DataFrame) -> str:
    """Half of the interval of a mean, of what is looked at first, if there are several seeds."""
    high = values["high"].get(name, math.nan) if name in WITH_INTERVAL else math.nan
    return "" if math.isnan(high) else f" ± {high - values['mean'][name]:.1f}"


def _element(runs: pd.DataFrame, scheme: str, rows: pd.DataFrame) -> str:
    """The line or transformer with the most overload, else the worst bus, in the run with the worst loading."""
    own = at_scale(runs[runs["scheme"] == scheme], float(rows["error_scale"].iloc[0]))
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
