"""compare.html: the headline plot – cost and violations of each scheme against the forecast error – and the tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..report.rendering import Figure, figure_of, write_rendered
from ..report.tables import Sheet
from ..version import VERSION
from .plots import headline, nearest, parts
from .told import seeds_told, tables_of

if TYPE_CHECKING:
    from .comparing import Comparison

PAGE = "compare.html"
TOGGLES = "Point at a name to see it alone; press it to leave it out, or to have it back."
HEADLINE_NOTE = f"Dashed: without limits in real time. Bars: 95 % intervals over the seeds. {TOGGLES}"
PARTS_NOTE = f"Means over the seeds. {TOGGLES}"


class Part(NamedTuple):
    """The tables of one scale of the forecast error; open: shown before anybody has asked."""

    heading: str
    sheets: tuple[Sheet, ...]
    open: bool


def write_page(made: Comparison, out: Path | None = None) -> Path:
    """Write the page, into the comparison's folder if nothing else is said; returns where it stands.

    RecordError if it cannot be written.
    """
    base = made.request.base
    return write_rendered(
        out or made.request.out / PAGE,
        "compare.html",
        version=VERSION,
        name=base.name,
        title=base.title,
        facts=_facts(made),
        seeds=seeds_told(made.request.seeds),
        figures=list(_figures(made)),
        parts=list(_parts(made)),
        sheet=_participants(made),
        variants=made.request.variants,
        notes=made.notes,
    )


def _facts(made: Comparison) -> str:
    prices = asdict(made.request.prices)
    stated = f"shortage {prices['shortage']:g} and losses {prices['losses']:g} EUR/MWh"
    return f"{stated} · capacity {prices['capacity']:g} EUR/(MW·h) · differences to {made.against}"


def _figures(made: Comparison) -> Iterator[Figure]:
    summary = made.summary
    if summary["error_scale"].nunique() > 1:
        yield figure_of("headline", "Cost and violations against the forecast error", headline(summary), HEADLINE_NOTE)
    if len(summary):
        yield figure_of("parts", "What the cost is made of", parts(summary), PARTS_NOTE)


def _parts(made: Comparison) -> Iterator[Part]:
    """The tables of the terminal; open are those of the scale that is nearest to the forecast as it is."""
    grouped = [(float(str(scale)), own) for scale, own in made.summary.groupby("error_scale", sort=True, dropna=False)]
    first = nearest([scale for scale, _ in grouped]) if grouped else math.nan
    for scale, own in grouped:
        sheets = tuple(_sheet(table) for table in tables_of(made, scale, own))
        heading = "" if math.isnan(scale) else f"Forecast error × {scale:g}"
        yield Part(heading, sheets, len(grouped) == 1 or scale == first)


def _sheet(table: Any) -> Sheet:
    rows: list[tuple[Any, ...]] = list(zip(*(column.cells for column in table.columns), strict=True))
    names = tuple(str(column.header) for column in table.columns)
    title = str(table.title).partition(", forecast error ×")[0]
    return Sheet(title, names, tuple(tuple(map(str, row)) for row in rows), str(table.caption or ""))


def _participants(made: Comparison) -> Sheet:
    """What limits cost each participant, over all runs of a scheme."""
    frame = made.participants
    names = ("participant", "scheme", "cut offers", "cut MWh", "lost revenue EUR", "paid EUR")
    columns = ["curtailed_offers", "curtailed_mwh", "lost_revenue_eur", "paid_eur"]
    means = frame.groupby(["participant", "scheme"], sort=False)[columns].mean().reset_index()
    ordered = means.sort_values("participant", kind="stable")
    rows = [(row[0], row[1], *(f"{value:.2f}" for value in row[2:])) for row in ordered.itertuples(index=False)]
    note = "Means over seeds and forecast errors; lost against the same demand in plain merit order, negative: gained."
    return Sheet("Participants", names, tuple(rows), note)
