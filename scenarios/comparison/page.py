"""compare.html: the headline plot – cost and violations of each scheme against the forecast error – and the tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..report.charts import COLOURS, GREY, styled
from ..report.rendering import Figure, figure_of, write_rendered
from ..report.tables import Sheet
from ..version import VERSION
from .schemes import IDEAL
from .table import PARTS
from .told import tables

if TYPE_CHECKING:
    import pandas as pd

    from .comparing import Comparison

PAGE = "compare.html"


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
        figures=list(_figures(made)),
        sheets=[*_sheets(made), _participants(made)],
        variants=made.request.variants,
        notes=made.notes,
    )


def _facts(made: Comparison) -> str:
    prices = asdict(made.request.prices)
    seeds = f"{len(made.request.seeds)} seed{'s' if len(made.request.seeds) > 1 else ''}"
    stated = f"shortage {prices['shortage']:g} and losses {prices['losses']:g} EUR/MWh"
    return f"{seeds} · {stated} · capacity {prices['capacity']:g} EUR/(MW·h) · differences to {made.against}"


def _figures(made: Comparison) -> Iterator[Figure]:
    summary = made.summary
    if summary["error_scale"].nunique() > 1:
        yield figure_of("headline", "Cost and violations against the forecast error", _headline(summary))
    for scale, own in summary.groupby("error_scale", sort=True, dropna=False):
        error = float(str(scale))
        suffix = "" if math.isnan(error) else f", forecast error × {error:g}"
        name = f"parts-{str(scale).replace('.', '-')}"
        yield figure_of(name, f"What the cost is made of{suffix}", _parts(own))


def _headline(summary: pd.DataFrame) -> go.Figure:
    """Total cost above, minutes of violation below, with the intervals of several seeds."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, measure in ((1, "total_eur"), (2, "violation_minutes")):
        of_measure = summary[summary["measure"] == measure]
        for number, (scheme, own) in enumerate(of_measure.groupby("scheme", sort=False)):
            look = {"color": GREY, "dash": "dot"} if scheme == IDEAL else {"color": COLOURS[number % len(COLOURS)]}
            half = (own["high"] - own["mean"]).to_numpy()
            figure.add_scatter(
                x=own["error_scale"],
                y=own["mean"],
                error_y={"type": "data", "array": half, "visible": bool((half == half).any()), "thickness": 1},  # noqa: PLR0124
                name=str(scheme),
                legendgroup=str(scheme),
                showlegend=row == 1,
                line=look,
                row=row,
                col=1,
            )
    totals = summary[summary["measure"] == "total_eur"]["mean"]
    spread = bool(totals.min() > 0 and totals.max() > 20 * totals.min())
    figure.update_yaxes(title_text="total, EUR", type="log" if spread else "linear", row=1, col=1)
    figure.update_yaxes(title_text="violation, min", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text="scale of the forecast error", row=2, col=1)
    return styled(figure, 560).update_layout(margin_t=90)


def _parts(own: pd.DataFrame) -> go.Figure:
    """Stacked bars, a scheme each."""
    figure = go.Figure()
    schemes = list(dict.fromkeys(own["scheme"]))
    for number, part in enumerate(PARTS):
        means = own[own["measure"] == part].set_index("scheme")["mean"].reindex(schemes)
        if means.abs().max() > 0:
            name = part.removesuffix("_eur")
            figure.add_bar(y=schemes, x=means, name=name, orientation="h", marker_color=COLOURS[number])
    figure.update_xaxes(title_text="EUR")
    figure.update_yaxes(autorange="reversed")
    height = 140 + 34 * len(schemes)
    return styled(figure, height).update_layout(barmode="relative", hovermode="y unified", margin={"l": 150, "t": 60})


def _sheets(made: Comparison) -> Iterator[Sheet]:
    """The tables of the terminal."""
    for table in tables(made):
        rows: list[tuple[Any, ...]] = list(zip(*(column.cells for column in table.columns), strict=True))
        names = tuple(str(column.header) for column in table.columns)
        yield Sheet(str(table.title), names, tuple(tuple(map(str, row)) for row in rows), "Means over the seeds.")


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
