"""The plots of a report: frequency and ACE, demand, set-point against delivery, merit order, loading and voltage.

Each is a plotly figure made from the record alone. A long run is thinned: of every stretch of time the first row is
kept and those with the lowest and highest frequency, so that no extreme is lost.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..record.instants import times_us
from ..record.run import Run

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 2400
BLUE, RED, GREEN, AMBER, GREY = "#2f6fd6", "#d0453b", "#2c9a62", "#c98a00", "#8a8f98"
CONTROLLED = "under control"  # of aFRR an order says how much may be asked for; set-points say how much is
FATES = {
    "activated": GREEN,
    CONTROLLED: GREEN,
    "accepted": BLUE,
    "not needed": "rgba(138,143,152,0.35)",
    "cut by the DSO": AMBER,
}
REST = tuple(FATES)[2:]
COLOURS = (BLUE, AMBER, GREEN, "#8d5cc4", "#16939b", "#c4568c", "#6b7f2a", "#a5673f")


def telemetry_of(run: Run) -> pd.DataFrame:
    """The run's telemetry in the scenario's own time, thinned, from just before the first delivery on."""
    frame = run.telemetry
    from_us = run.scenario.time.first_delivery_us - 300_000_000
    at_us = times_us(frame["at"])
    frame = frame[at_us >= from_us] if (at_us >= from_us).any() else frame
    frame = frame.assign(at=frame["at"].dt.tz_convert(run.scenario.time.start.tzinfo).dt.tz_localize(None))
    return frame.iloc[_kept(frame["frequency_hz"].to_numpy())].reset_index(drop=True)


def _kept(frequency_hz: Any) -> list[int]:
    """Positions of the rows that are kept: all of them if they are few."""
    if len(frequency_hz) <= MOST_ROWS:
        return list(range(len(frequency_hz)))
    edges = np.linspace(0, len(frequency_hz), MOST_ROWS // 3 + 1).astype(int)
    kept: set[int] = set()
    for begin, end in pairwise(edges.tolist()):
        part = np.nan_to_num(frequency_hz[begin:end], nan=50.0)
        kept |= {begin, begin + int(part.argmin()), begin + int(part.argmax())}
    return sorted(kept)


def frequency(telemetry: pd.DataFrame, nominal_hz: float) -> go.Figure:
    """Deviation of the frequency above; ACE, FCR and the disturbance below."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    at = telemetry["at"]
    figure.add_scatter(
        x=at, y=1000 * (telemetry["frequency_hz"] - nominal_hz), name="Δf", line_color=BLUE, row=1, col=1
    )
    for y in (-50, 50):
        figure.add_hline(y=y, line={"color": GREY, "dash": "dot", "width": 1}, row=1, col=1)
    below = {"ace_mw": ("ACE", RED), "fcr_mw": ("FCR", GREEN), "disturbance_mw": ("disturbance", GREY)}
    for column, (name, colour) in below.items():
        if column in telemetry:
            figure.add_scatter(x=at, y=telemetry[column], name=name, line_color=colour, row=2, col=1)
    figure.update_yaxes(title_text="mHz", row=1, col=1)
    figure.update_yaxes(title_text="MW", row=2, col=1)
    return styled(figure, 460)


def activation(telemetry: pd.DataFrame, agents: tuple[str, ...]) -> go.Figure:
    """What the TSO demands, and what everybody delivers, stacked."""
    figure = go.Figure()
    for number, name in enumerate(_active(telemetry, agents)):
        own = {"name": name, "line": {"width": 0.5, "color": COLOURS[number % len(COLOURS)]}}
        y = telemetry[f"{name}.activated_mw"]
        for sign, half in (("up", y.clip(lower=0)), ("down", y.clip(upper=0))):
            shown = {"legendgroup": name, "showlegend": sign == "up", "stackgroup": sign}
            figure.add_scatter(x=telemetry["at"], y=half, **own, **shown)
    demands = {"demand_mw": ("mFRR demand", "solid"), "afrr_demand_mw": ("aFRR demand", "dot")}
    for column, (label, dash) in demands.items():
        if column in telemetry:
            line = {"color": RED, "width": 2, "shape": "hv", "dash": dash}
            figure.add_scatter(x=telemetry["at"], y=telemetry[column], name=label, line=line)
    figure.update_yaxes(title_text="MW, + up")
    return styled(figure, 340)


def _active(telemetry: pd.DataFrame, agents: tuple[str, ...]) -> list[str]:
    """Who delivers anything, the largest first."""
    size = {a: float(telemetry[f"{a}.activated_mw"].abs().max()) for a in agents if f"{a}.activated_mw" in telemetry}
    return sorted((name for name, mw in size.items() if mw > 1e-6), key=lambda name: (-size[name], name))


def delivery(telemetry: pd.DataFrame, agents: tuple[str, ...]) -> dict[str, go.Figure]:
    """Per participant that delivers: ordered, delivered, and the limit in force."""
    figures = {}
    for name in _active(telemetry, agents):
        figure, at = go.Figure(), telemetry["at"]
        lines = {
            "set_point_mw": ("set-point", {"color": AMBER, "shape": "hv"}),
            "activated_mw": ("delivered", {"color": BLUE}),
            "limit_up_mw": ("limit up", {"color": RED, "dash": "dash", "shape": "hv"}),
            "limit_down_mw": ("limit down", {"color": RED, "dash": "dot", "shape": "hv"}),
        }
        for column, (label, line) in lines.items():
            values = telemetry.get(f"{name}.{column}")
            if values is not None and values.notna().any():
                figure.add_scatter(x=at, y=-values if column == "limit_down_mw" else values, name=label, line=line)
        figure.update_yaxes(title_text="MW, + up")
        figures[name] = styled(figure, 260)
    return figures


def merit_order(run: Run) -> go.Figure:
    """The merit order of every need, one period at a time: price over MW, each offer by what became of its MW."""
    frame, largest = run.merit_order, run.activations.groupby("offer_id")["power_mw"].max()
    pairs = zip(frame["product"], frame["direction"], strict=True)
    needs = sorted(
        {(str(product), str(direction)) for product, direction in pairs}, key=lambda need: (need[0], need[1] != "up")
    )
    figure = make_subplots(rows=len(needs), cols=1, subplot_titles=[" ".join(need) for need in needs])
    shown: list[str] = []
    named: set[str] = set()
    for (period, product, direction), rows in frame.groupby(["period", "product", "direction"], sort=True):
        row = needs.index((str(product), str(direction))) + 1
        for bar in _staircase(rows.to_dict("records"), largest):
            bar.update(visible=period == frame["period"].min(), showlegend=bar.name not in named)
            figure.add_trace(bar, row=row, col=1)
            shown.append(str(period))
            named.add(bar.name)
    figure.update_xaxes(title_text="MW offered, in merit order")
    figure.update_yaxes(title_text="EUR/MWh")
    zone = run.scenario.time.start.tzinfo
    figure = styled(_with_choice(figure, shown, zone), 120 + 210 * len(needs))
    return figure.update_layout(barmode="overlay", hovermode="closest", margin_t=110)


def _staircase(offers: list[Any], largest: pd.Series[float]) -> list[go.Bar]:
    """Bars as wide as the MW: activated (aFRR: under control), accepted, not needed, cut; offers side by side."""
    parts: dict[str, list[tuple[float, float, float, str]]] = {name: [] for name in FATES}
    left = 0.0
    for offer in offers:
        price = float(offer["price_eur_per_mwh"])
        edges = _edges(offer, float(largest.get(offer["offer_id"], 0.0)))
        ordered = CONTROLLED if offer["product"] == "aFRR" else "activated"
        for name, (begin, end) in zip((ordered, *REST), pairwise(edges), strict=True):
            if end > begin:
                text = f"{offer['participant']}: {end - begin:g} MW {name} at {price:g} EUR/MWh"
                parts[name].append((left + (begin + end) / 2, end - begin, price, text))
        left += edges[-1]
    return [_bar(name, own) for name, own in parts.items() if own]


def _edges(offer: Any, ordered_mw: float) -> tuple[float, ...]:
    """Up to where an offer was activated, accepted, allowed and offered, MW; each at least the one before."""
    accepted, allowed = (float(np.nan_to_num(offer[f"{what}_mw"])) for what in ("accepted", "allowed"))
    allowed = max(allowed, accepted)
    return 0.0, min(ordered_mw, accepted), accepted, allowed, max(float(offer["offered_mw"]), allowed)


def _bar(name: str, parts: list[tuple[float, float, float, str]]) -> go.Bar:
    middles, widths, prices, texts = (list(column) for column in zip(*parts, strict=True))
    outline = {"width": 1, "color": "rgba(128,128,128,0.6)"}
    marker = {"color": FATES[name], "line": outline}
    told = {"hovertext": texts, "hoverinfo": "text", "name": name, "legendgroup": name}
    return go.Bar(x=middles, width=widths, y=prices, marker=marker, **told)


def _with_choice(figure: go.Figure, shown: list[str], zone: tzinfo | None) -> go.Figure:
    """A menu of the periods, if there are several; `shown` says to which each bar belongs."""
    buttons = [
        {
            "label": f"{datetime.strptime(period, '%Y%m%dT%H%M%z').astimezone(zone):%H:%M}",
            "method": "restyle",
            "args": [{"visible": [own == period for own in shown]}],
        }
        for period in sorted(set(shown))
    ]
    if len(buttons) > 1:
        menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "pad": {"b": 66}}
        figure.update_layout(updatemenus=[menu])
    return figure


def grid(telemetry: pd.DataFrame, name: str) -> go.Figure:
    """The worst loading, with limits and without, and the band of voltages."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    at = telemetry["at"]
    lines = {
        "shadow_loading_percent": ("had limits not cut any order", GREY, 1),
        "worst_loading_percent": ("worst loading", BLUE, 1),
        "vm_max_pu": ("highest voltage", AMBER, 2),
        "vm_min_pu": ("lowest voltage", GREEN, 2),
    }
    for column, (label, colour, row) in lines.items():
        values = telemetry.get(f"{name}.{column}")
        if values is not None and values.notna().any():
            figure.add_scatter(x=at, y=values, name=label, line_color=colour, row=row, col=1)
    figure.add_hline(y=100, line={"color": RED, "dash": "dash", "width": 1}, row=1, col=1)
    figure.update_yaxes(title_text="%", row=1, col=1)
    figure.update_yaxes(title_text="pu", row=2, col=1)
    return styled(figure, 420)


def styled(figure: go.Figure, height: int) -> go.Figure:
    """Transparent, narrow margins, the legend above: readable on a phone and on light or dark ground."""
    clear = "rgba(0,0,0,0)"
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 56, "r": 12, "t": 36, "b": 36},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        hovermode="x unified",
        barmode="group",
    )
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(gridcolor="rgba(128,128,128,0.25)", zerolinecolor="rgba(128,128,128,0.5)")
    return figure
