"""The plots of a comparison: cost and violations against the forecast error, and what the cost is made of.

A colour a family of schemes; without limits in real time dashed. The page draws the legends, so that plots keep their
height on a phone, and chooses among the scales of the forecast error (`layout.meta`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..report.charts import AMBER, BLUE, COLOURS, GREEN, GREY, RED, styled
from .schemes import IDEAL
from .table import PARTS, at_scale

if TYPE_CHECKING:
    import pandas as pd

STATIC = "-static"
FAMILIES = {
    "blind": RED,
    "scenario-1": AMBER,
    "scenario-1-dso": BLUE,
    "scenario-1-dso-pro-rata": "#16939b",
    "scenario-2": "#8d5cc4",
    "scenario-2-dso": GREEN,
    IDEAL: GREY,
}


def headline(summary: pd.DataFrame) -> go.Figure:
    """Total cost above, minutes of violation below, with the intervals of several seeds."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    schemes = list(dict.fromkeys(map(str, summary["scheme"])))
    for row, measure in ((1, "total_eur"), (2, "violation_minutes")):
        of_measure = summary[summary["measure"] == measure]
        for number, scheme in enumerate(schemes):
            broad = 1.5 + 4 * (1 - number / len(schemes))  # what lies below another line is seen beside it
            figure.add_scatter(**_line(of_measure[of_measure["scheme"] == scheme], scheme, broad), row=row, col=1)
    totals = summary[summary["measure"] == "total_eur"]["mean"]
    spread = bool(totals.min() > 0 and totals.max() > 20 * totals.min())
    figure.update_yaxes(title_text="total, EUR", type="log" if spread else "linear", row=1, col=1)
    if spread:
        figure.update_yaxes(dtick=1, row=1, col=1)
    figure.update_yaxes(title_text="violation, min", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text="scale of the forecast error", row=2, col=1)
    legend = [{"name": name, "toggles": True, **_look(name)} for name in schemes]
    return _with_legend(styled(figure, 520), legend)


def _line(own: pd.DataFrame, scheme: str, width: float) -> dict[str, Any]:
    """One scheme, with the intervals of several seeds."""
    half = (own["high"] - own["mean"]).to_numpy()
    known = bool((half == half).any())  # noqa: PLR0124 - NaN alone differs from itself
    look = _look(scheme)
    return {
        "x": own["error_scale"],
        "y": own["mean"],
        "error_y": {"type": "data", "array": half, "visible": known, "thickness": 1, "width": 2},
        "name": scheme,
        "line": {"color": look["colour"], "dash": "dash" if look["dashed"] else "solid", "width": width},
        "mode": "lines+markers",
    }


def _look(scheme: str) -> dict[str, Any]:
    family = scheme.removesuffix(STATIC)
    return {"colour": FAMILIES.get(family, GREY), "dashed": scheme.endswith(STATIC) or scheme == IDEAL}


def parts(summary: pd.DataFrame) -> go.Figure:
    """Stacked bars, a scheme each; the page chooses the scale of the forecast error."""
    figure, shown = go.Figure(), list[str]()
    schemes = list(dict.fromkeys(summary["scheme"]))
    scales = [float(str(scale)) for scale in summary["error_scale"].drop_duplicates().sort_values()]
    first = nearest(scales)
    for scale in scales:
        own = at_scale(summary, scale)
        for number, part in enumerate(PARTS):
            means = own[own["measure"] == part].set_index("scheme")["mean"].reindex(schemes)
            bar = {
                "name": part.removesuffix("_eur"),
                "marker_color": COLOURS[number],
                "visible": scale == first or len(scales) == 1,
            }
            figure.add_bar(y=schemes, x=means, orientation="h", **bar)
            shown.append(f"{scale:g}")
    figure.update_xaxes(title_text="EUR")
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure = styled(figure, 90 + 30 * len(schemes)).update_layout(barmode="relative", hovermode="y unified")
    named = [(number, part.removesuffix("_eur")) for number, part in enumerate(PARTS)]
    legend = [{"name": name, "colour": COLOURS[number], "toggles": True} for number, name in named]
    choices = [{"name": f"{scale:g}", "clock": f"forecast error × {scale:g}"} for scale in scales]
    return _with_legend(figure, legend, choices=choices, of=shown, about="forecast error", chosen=f"{first:g}")


def nearest(scales: Sequence[float]) -> float:
    """The scale that is nearest to the forecast error as it is; NaN, that of a scenario's own, stands alone."""
    return min(scales, key=lambda scale: abs(scale - 1))


def _with_legend(figure: go.Figure, legend: list[dict[str, Any]], **more: Any) -> go.Figure:
    """The page draws it; see drawing.js."""
    return figure.update_layout(showlegend=False, margin={"t": 12}, meta={"legend": legend, **more})
