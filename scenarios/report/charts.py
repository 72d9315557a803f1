"""The plots over time: frequency and ACE, demand and activation, set-point against delivery, loading and voltage.

telemetry (a run's, or what has been seen of one in progress) ─▶ plotly figures, nothing computed that is not in it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ...grid.description.grid import GridLimits

if TYPE_CHECKING:
    import pandas as pd

MOST_STACKED, MOST_SHOWN = 9, 60
LEAST_MW = 1e-6
BLUE, RED, GREEN, AMBER, GREY = "#2f6fd6", "#d0453b", "#2c9a62", "#c98a00", "#8a8f98"
COLOURS = (BLUE, AMBER, GREEN, "#8d5cc4", "#16939b", "#c4568c", "#6b7f2a", "#a5673f", "#4c6a92")
LIMIT = {"dash": "dash", "width": 1, "shape": "hv"}
LIGHT = "rgba(47,111,214,0.55)"


def frequency(telemetry: pd.DataFrame, nominal_hz: float) -> go.Figure:
    """Deviation of the frequency above, also between the rows; ACE, FCR and the disturbance below."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    at = telemetry["at"]
    deviation = _mhz(telemetry["frequency_hz"], nominal_hz)
    figure.add_scatter(x=at, y=deviation, name="Δf", line_color=BLUE, row=1, col=1)
    for column in ("lowest_hz", "highest_hz"):
        if column in telemetry:
            own = {"name": "between ticks", "legendgroup": "between", "showlegend": column == "lowest_hz"}
            line = {"color": LIGHT, "width": 1}
            figure.add_scatter(x=at, y=_mhz(telemetry[column], nominal_hz), line=line, **own, row=1, col=1)
    for y in (-50, 50):
        figure.add_hline(y=y, line={"color": GREY, "dash": "dot", "width": 1}, row=1, col=1)
    below = {"ace_mw": ("ACE", RED), "fcr_mw": ("FCR", GREEN), "disturbance_mw": ("disturbance", GREY)}
    for column, (name, colour) in below.items():
        if column in telemetry:
            figure.add_scatter(x=at, y=telemetry[column], name=name, line_color=colour, row=2, col=1)
    figure.update_yaxes(title_text="Δf, mHz", row=1, col=1)
    figure.update_yaxes(title_text="MW", row=2, col=1)
    return styled(figure, 460)


def _mhz(frequency_hz: Any, nominal_hz: float) -> Any:
    return 1000 * (frequency_hz - nominal_hz)


def activation(telemetry: pd.DataFrame, agents: tuple[str, ...]) -> go.Figure:
    """What the TSO demands, and what everybody delivers, stacked; of many the largest each, the others together."""
    figure, names = go.Figure(), active(telemetry, agents)
    shown = {name: telemetry[f"{name}.activated_mw"] for name in names[:MOST_STACKED]}
    if others := names[MOST_STACKED:]:
        shown[f"{len(others)} others"] = telemetry[[f"{name}.activated_mw" for name in others]].sum(axis=1)
    for number, (name, power) in enumerate(shown.items()):
        colour = COLOURS[number] if number < len(COLOURS) else GREY
        own = {"name": name, "line": {"width": 0.5, "color": colour}, "legendgroup": name}
        for sign, half in (("up", power.clip(lower=0)), ("down", power.clip(upper=0))):
            figure.add_scatter(x=telemetry["at"], y=half, **own, showlegend=sign == "up", stackgroup=sign)
    demands = {"demand_mw": ("mFRR demand", "solid"), "afrr_demand_mw": ("aFRR demand", "dot")}
    for column, (label, dash) in demands.items():
        if column in telemetry:
            line = {"color": RED, "width": 2, "shape": "hv", "dash": dash}
            figure.add_scatter(x=telemetry["at"], y=telemetry[column], name=label, line=line)
    figure.update_yaxes(title_text="MW, + up")
    return styled(figure, 360)


def active(telemetry: pd.DataFrame, agents: tuple[str, ...]) -> list[str]:
    """Who delivers anything, the largest first."""
    size = {a: float(telemetry[f"{a}.activated_mw"].abs().max()) for a in agents if f"{a}.activated_mw" in telemetry}
    return sorted((name for name, mw in size.items() if mw > LEAST_MW), key=lambda name: (-size[name], name))


def delivery(telemetry: pd.DataFrame, agents: tuple[str, ...], most: int = MOST_SHOWN) -> dict[str, go.Figure]:
    """Per participant that delivers, `most` of them at most: ordered, delivered, and the limits in force."""
    figures = {}
    for name in active(telemetry, agents)[:most]:
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


def grid(telemetry: pd.DataFrame, name: str, limits: GridLimits) -> go.Figure:
    """The worst loading, with limits and (where it differs) without, what it may be, and the band of voltages."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    at, worst = telemetry["at"], telemetry[f"{name}.worst_loading_percent"]
    lines = {
        "shadow_loading_percent": ("had limits not cut any order", GREY, 1),
        "worst_loading_percent": ("worst loading", BLUE, 1),
        "loading_limit_percent": ("its limit", RED, 1),
        "vm_max_pu": ("highest voltage", AMBER, 2),
        "vm_min_pu": ("lowest voltage", GREEN, 2),
    }
    for column, (label, colour, row) in lines.items():
        values = telemetry.get(f"{name}.{column}")
        if values is None or not values.notna().any():
            continue
        if column != "shadow_loading_percent" or (values - worst).abs().max() > LEAST_MW:
            line = {"color": colour} | (LIMIT if column == "loading_limit_percent" else {})
            figure.add_scatter(x=at, y=values, name=label, line=line, row=row, col=1)
    for value, row in _voltages(limits):
        figure.add_hline(y=value, line={"color": RED, "dash": "dash", "width": 1}, row=row, col=1)
    figure.update_yaxes(title_text="loading, %", row=1, col=1)
    figure.update_yaxes(title_text="voltage, pu", row=2, col=1)
    return styled(figure, 420)


def _voltages(limits: GridLimits) -> tuple[tuple[float, int], ...]:
    return tuple((vm_pu, 2) for vm_pu in (limits.vm_min_pu, limits.vm_max_pu) if vm_pu is not None)


def styled(figure: go.Figure, height: int) -> go.Figure:
    """Transparent, narrow margins, the legend above: readable on a phone and on light or dark ground."""
    clear = "rgba(0,0,0,0)"
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 60, "r": 12, "t": 36, "b": 36},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right", "traceorder": "normal"},
        hovermode="x unified",
        barmode="group",
    )
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(automargin=True, gridcolor="rgba(128,128,128,0.25)", zerolinecolor="rgba(128,128,128,0.5)")
    return figure
