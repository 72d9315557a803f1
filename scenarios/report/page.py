"""The page: what was run and what came of it, with everything it needs inside itself.

Run ─▶ charts, one-line diagrams, sequences, tables, audit ─▶ page.html + page.css + page.js + plotly ─▶ report.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from ..audit import audit
from ..audit.report import report
from ..record.run import Run
from . import charts
from .drawing import moments_json, one_line_svg
from .marking import marks
from .merit import merit_order
from .moments import seen
from .rendering import Figure, figure_of, write_rendered
from .sequence import drawn_chapters
from .tables import sheets
from .thinning import telemetry_of

if TYPE_CHECKING:
    import pandas as pd


FREQUENCY_NOTE = (
    "Dotted: ±50 mHz, the standard range. ACE < 0: the area is short. Disturbance: what the area gains or lacks."
)
STACK_NOTE = "Measured at the connection points; up is more injection or less load."
MERIT_NOTE = "A bar is as wide as its MW. Activated: the most that was ordered. What the DSO cut names its constraint."
GRID_NOTE = (
    "Of all lines and transformers (by their own limits), and of all buses, the worst at each tick. "
    "Dashed: what that line or transformer may be loaded with, and the voltages that the scenario allows."
)


class Drawing(NamedTuple):
    """A grid's one-line diagram and the values of its moments."""

    grid: str
    svg: Markup
    moments: Markup


def write_report(run: Run, out: Path | None = None) -> Path:
    """Write the report of a run, `report.html` in its directory if nothing else is said; return where it stands.

    Raises RecordError if the record is damaged or the file cannot be written.
    """
    telemetry = telemetry_of(run)
    checked = audit(run)
    return write_rendered(
        out or run.folder / "report.html",
        "page.html",
        run=run,
        scenario=run.scenario,
        kpis=_cards(run),
        figures=list(_figures(run, telemetry)),
        deliveries=list(_deliveries(run, telemetry)),
        drawings=[_drawing(run, name) for name in run.grids],
        chapters=[drawn._replace(svg=Markup(drawn.svg)) for drawn in drawn_chapters(run)],  # noqa: S704 - our drawing
        sheets=sheets(run),
        audit=checked,
        steps=list(report(checked)),
        left_out=max(0, len(charts.active(telemetry, _everybody(run))) - charts.MOST_SHOWN),
    )


def _figures(run: Run, telemetry: pd.DataFrame) -> Iterator[Figure]:
    frequency = charts.frequency(telemetry, run.scenario.area.nominal_hz)
    yield figure_of("frequency", "Frequency and area control error", frequency, FREQUENCY_NOTE)
    yield figure_of("activation", "Demand and activation", charts.activation(telemetry, _everybody(run)), STACK_NOTE)
    if len(run.merit_order):
        most = run.activations.groupby("offer_id")["power_mw"].max()
        ordered = {str(offer): float(mw) for offer, mw in most.items()}
        stacks = merit_order(run.merit_order, ordered, run.scenario.time.start.tzinfo)
        yield figure_of("merit-order", "Merit order lists", stacks, MERIT_NOTE)
    for name in run.grids:
        plot = charts.grid(telemetry, name, run.scenario.grids[name].limits)
        yield figure_of(f"grid-{name}", f"Grid {name}: loading and voltage", plot, GRID_NOTE)


def _deliveries(run: Run, telemetry: pd.DataFrame) -> Iterator[Figure]:
    for name, figure in charts.delivery(telemetry, _everybody(run)).items():
        yield figure_of(f"delivery-{name}", name, figure)


def _everybody(run: Run) -> tuple[str, ...]:
    return tuple(run.scenario.participants)


def _drawing(run: Run, name: str) -> Drawing:
    shown = seen(run, name)
    svg = one_line_svg(name, shown.picture, marks(run.scenario, shown.picture))
    return Drawing(name, Markup(svg), Markup(moments_json(shown)))  # noqa: S704 - escaped there


def _cards(run: Run) -> list[tuple[str, str, str]]:
    """The key figures in big letters: what, value, unit."""
    kpis = run.kpis
    found = [("balancing energy", str(kpis["cost"]["balancing_energy_eur"]), "€")]
    if kpis["frequency"]:
        found.append(("nadir", f"{kpis['frequency']['nadir_mhz']:.0f}", "mHz"))
        found.append(("highest", f"{kpis['frequency']['highest_mhz']:+.0f}", "mHz"))
        found.append(("outside ±50 mHz", f"{kpis['frequency']['minutes_outside_50_mhz']:.1f}", "min"))
    for grid, values in kpis["violations"].items():
        found.append((f"worst loading, {grid}", f"{values['worst_loading_percent']:.1f}", "%"))
        found.append((f"violations, {grid}", f"{values['minutes']:.1f}", "min"))
        if values.get("minutes_without_power_flow"):
            found.append((f"without power flow, {grid}", f"{values['minutes_without_power_flow']:.1f}", "min"))
    steps = kpis["kpi_1_information_exchange"]
    found.append(("paper's steps covered", f"{steps['steps']['covered']} of {steps['steps']['due']}", ""))
    found.append(("messages", f"{steps['messages']}", ""))
    found.append(("streamed rows", f"{steps['stream_messages']}", ""))
    return found
