"""Merit order lists as stacks: price over MW, each offer's MW by what became of them.

    offered = activated + accepted + not needed + cut by the DSO        aFRR: under control instead of activated

One picture a need; the page chooses among the periods (`layout.meta`: their names, and to which each bar belongs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .charts import AMBER, BLUE, GREEN, styled

if TYPE_CHECKING:
    import pandas as pd

CONTROLLED = "under control"  # of aFRR an order says how much may be asked for; set-points say how much is
FATES = {
    "activated": GREEN,
    CONTROLLED: "#16939b",
    "accepted": BLUE,
    "not needed": "rgba(138,143,152,0.35)",
    "cut by the DSO": AMBER,
}
REST = tuple(FATES)[2:]
HEAD_PX, NEED_PX, FOOT_PX = 30, 190, 45
BEYOND = 0.02  # how far an axis goes beyond the widest list of any period


class Part(NamedTuple):
    """MW of an offer with one fate: from where to where in the list, MW."""

    fate: str
    begin_mw: float
    end_mw: float
    offer: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What is shown of it."""
        name, price = self.offer["participant"], float(self.offer["price_eur_per_mwh"])
        binding = self.offer.get("binding")
        why = f"<br>{binding}" if self.fate == "cut by the DSO" and isinstance(binding, str) and binding else ""
        return f"{name}: {self.end_mw - self.begin_mw:.6g} MW {self.fate} at {price:g} EUR/MWh{why}"


def merit_order(lists: pd.DataFrame, ordered_mw: Mapping[str, float], zone: tzinfo | None) -> go.Figure:
    """Draw lists as merit_order.csv has them; `ordered_mw`: what was ordered of each offer, by its id."""
    pairs = zip(lists["product"], lists["direction"], strict=True)
    needs = sorted({(str(product), str(way)) for product, way in pairs}, key=lambda need: (need[0], need[1] != "up"))
    space = 78 / (HEAD_PX + NEED_PX * len(needs)) if len(needs) > 1 else 0.0
    titles = [" ".join(need) for need in needs]
    figure = make_subplots(rows=len(needs), cols=1, subplot_titles=titles, vertical_spacing=space)
    shown: list[str] = []
    widest_mw = [0.0] * len(needs)
    for (period, product, direction), rows in lists.groupby(["period", "product", "direction"], sort=True):
        row = needs.index((str(product), str(direction))) + 1
        offers: list[Any] = rows.to_dict("records")
        side_by_side = parts(offers, ordered_mw)
        widest_mw[row - 1] = max([widest_mw[row - 1], *(part.end_mw for part in side_by_side)])
        for bar in _bars(side_by_side):
            bar.update(visible=period == lists["period"].min())
            figure.add_trace(bar, row=row, col=1)
            shown.append(str(period))
    for row, mw in enumerate(widest_mw, start=1):
        figure.update_xaxes(range=[0.0, mw * (1 + BEYOND) or 1.0], row=row, col=1)
    return _laid_out(figure, len(needs), shown, zone)


def _laid_out(figure: go.Figure, needs: int, shown: Sequence[str], zone: tzinfo | None) -> go.Figure:
    """The page draws the legend itself: plotly's would meet headings on a phone."""
    figure.update_yaxes(title_text="EUR/MWh")
    figure = styled(figure, HEAD_PX + NEED_PX * needs + FOOT_PX)
    figure.update_xaxes(title_text="MW offered", title_standoff=4)
    choices = [{"name": period, "clock": period_clock(period, zone)} for period in sorted(set(shown))]
    fates = {str(bar.name): str(bar.marker.color) for bar in figure.data}
    legend = [{"name": fate, "colour": fates[fate]} for fate in FATES if fate in fates]
    return figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        showlegend=False,
        uniformtext={"mode": "hide", "minsize": 10},
        margin={"t": HEAD_PX, "b": FOOT_PX},
        meta={"choices": choices, "of": list(shown), "legend": legend},
    )


def period_clock(period: str, zone: tzinfo | None) -> str:
    """A period's id (its start in UTC) as a clock time of the scenario."""
    return f"{datetime.strptime(period, '%Y%m%dT%H%M%z').astimezone(zone):%d %b, %H:%M}"


def parts(offers: Sequence[Mapping[str, Any]], ordered_mw: Mapping[str, float]) -> list[Part]:
    """The offers of one list side by side, in its order, each by what became of its MW."""
    found, left_mw = [], 0.0
    for offer in offers:
        edges = _edges(offer, float(ordered_mw.get(offer["offer_id"], 0.0)))
        fates = (CONTROLLED if offer["product"] == "aFRR" else "activated", *REST)
        for fate, (begin, end) in zip(fates, pairwise(edges), strict=True):
            if end > begin:
                found.append(Part(fate, left_mw + begin, left_mw + end, offer))
        left_mw += edges[-1]
    return found


def _edges(offer: Mapping[str, Any], ordered_mw: float) -> tuple[float, ...]:
    """Up to where an offer was activated, accepted, allowed and offered, MW; each at least the one before."""
    accepted, allowed = (float(np.nan_to_num(offer[f"{what}_mw"])) for what in ("accepted", "allowed"))
    allowed = max(allowed, accepted)
    return 0.0, min(ordered_mw, accepted), accepted, allowed, max(float(offer["offered_mw"]), allowed)


def _bars(found: Sequence[Part]) -> list[go.Bar]:
    """Bars as wide as the MW, one trace a fate, named where there is room."""
    return [_bar(fate, own) for fate in FATES if (own := [part for part in found if part.fate == fate])]


def _bar(fate: str, own: Sequence[Part]) -> go.Bar:
    outline = {"width": 1, "color": "rgba(128,128,128,0.6)"}
    return go.Bar(
        x=[(part.begin_mw + part.end_mw) / 2 for part in own],
        width=[part.end_mw - part.begin_mw for part in own],
        y=[float(part.offer["price_eur_per_mwh"]) for part in own],
        marker={"color": FATES[fate], "line": outline},
        text=[part.offer["participant"] for part in own],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        textfont={"color": None if fate == "not needed" else "white", "size": 11},
        hovertext=[part.text for part in own],
        hoverinfo="text",
        name=fate,
    )
