"""The page: what was run and what came of it, with everything it needs inside itself.

Run ─▶ charts, one-line diagrams, sequences, tables, audit ─▶ page.html + page.css + page.js + plotly ─▶ report.html
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ..audit import audit
from ..errors import RecordError
from ..record.run import Run
from . import charts
from .drawing import moments_json, one_line_svg
from .moments import seen
from .sequence import drawn_chapters
from .tables import sheets

if TYPE_CHECKING:
    import pandas as pd


class Figure(NamedTuple):
    """A plot: where it stands in the page, and plotly's JSON."""

    id: str
    title: str
    json: Markup


class Drawing(NamedTuple):
    """A grid's one-line diagram and the values of its moments."""

    grid: str
    svg: Markup
    moments: Markup


def write_report(run: Run, out: Path | None = None) -> Path:
    """Write the report of a run, `report.html` in its directory if nothing else is said; return where it stands.

    Raises RecordError if the record is damaged or the file cannot be written.
    """
    path = out or run.folder / "report.html"
    telemetry = charts.telemetry_of(run)
    text = _page().render(
        run=run,
        scenario=run.scenario,
        kpis=_cards(run),
        figures=list(_figures(run, telemetry)),
        deliveries=list(_deliveries(run, telemetry)),
        drawings=[_drawing(run, name) for name in run.grids],
        chapters=[drawn._replace(svg=Markup(drawn.svg)) for drawn in drawn_chapters(run)],  # noqa: S704 - our drawing
        sheets=sheets(run),
        audit=audit(run),
        css=_own("page.css"),
        js=_own("page.js"),
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - plotly's own
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def _page() -> Any:
    surroundings = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return surroundings.from_string(str(_own("page.html")))


def _own(name: str) -> Markup:
    return Markup(files(__package__).joinpath(name).read_text("utf-8"))  # noqa: S704 - a file of this package


def _figure(name: str, title: str, figure: Any) -> Figure:
    return Figure(name, title, Markup(figure.to_json().replace("<", "\\u003c")))  # noqa: S704 - nothing ends the script


def _figures(run: Run, telemetry: pd.DataFrame) -> Iterator[Figure]:
    yield _figure(
        "frequency", "Frequency and area control error", charts.frequency(telemetry, run.scenario.area.nominal_hz)
    )
    yield _figure("activation", "Demand and activation", charts.activation(telemetry, _everybody(run)))
    if len(run.merit_order):
        yield _figure("merit-order", "Merit order lists", charts.merit_order(run))
    for name in run.grids:
        yield _figure(f"grid-{name}", f"Grid {name}: loading and voltage", charts.grid(telemetry, name))


def _deliveries(run: Run, telemetry: pd.DataFrame) -> Iterator[Figure]:
    for name, figure in charts.delivery(telemetry, _everybody(run)).items():
        yield _figure(f"delivery-{name}", name, figure)


def _everybody(run: Run) -> tuple[str, ...]:
    return tuple(run.scenario.participants)


def _drawing(run: Run, name: str) -> Drawing:
    shown = seen(run, name)
    return Drawing(name, Markup(one_line_svg(shown)), Markup(moments_json(shown)))  # noqa: S704 - escaped there


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
    steps = kpis["kpi_1_information_exchange"]
    found.append(("paper's steps covered", f"{steps['steps']['covered']} of {steps['steps']['due']}", ""))
    found.append(("messages", f"{steps['messages']}", ""))
    found.append(("streamed rows", f"{steps['stream_messages']}", ""))
    return found
