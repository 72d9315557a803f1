"""What the page of a run in progress shows: the report's plots, made anew of what has been seen so far.

Sight ─▶ telemetry from shortly before the first delivery on (until then all of it) ─▶ plots and figures as JSON
      ─▶ merit order lists of the period in delivery, limits, grids as they are now ─▶ stacks, a table, colours
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from plotly.io.json import to_json_plotly

from ...protocols.information.quantities import EPOCH
from .sight import DELIVERED, DOWN, UP, Moment, Sight

if TYPE_CHECKING:
    import pandas as pd

LEAST_MW, MOST_SHOWN = 0.005, 12


class Limit(NamedTuple):
    """A limit in force: whose, in which direction, and the MW that it allows."""

    participant: str
    direction: str
    most_mw: float


def picture(sight: Sight) -> str:
    """JSON: how far the run is, figures of the last tick, and plotly's data and layout of every plot."""
    moment = sight.last()
    told: dict[str, Any] = {"over": sight.over, "share": round(sight.share, 4)}
    told |= {"cards": [], "plots": [], "grids": {}, "limits": None}
    if moment is None:
        return json.dumps(told)
    told["clock"] = clock(sight, moment)
    told["cards"] = [{"what": what, "value": value} for what, value in figures(sight, moment)]
    told["plots"] = [
        {"id": name, "title": title, **figure.to_plotly_json()} for name, title, figure in _plots(sight, moment)
    ]
    told["grids"] = dict(_grids(sight, told["clock"]))
    sheet = sight.market.limits(sight.scenario.time.start.tzinfo)
    told["limits"] = {"columns": sheet.columns, "numbers": sheet.numbers, "rows": sheet.rows}
    return str(to_json_plotly(told))


def diagrams(sight: Sight) -> str:
    """JSON: per grid its diagram as SVG, and the names and bounds of what is in it; empty before grids are built."""
    from ..report.drawing import names_told, one_line_svg
    from ..report.marking import marks

    told = {}
    for grid, one in dict(sight.diagrams).items():
        told[grid] = {"svg": one_line_svg(grid, one, marks(sight.scenario, one)), **names_told(one)}
    return json.dumps(told)


def _grids(sight: Sight, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Per grid the values of its diagram now."""
    from ...grid.moments.one_line import moment
    from ..report.drawing import values_told

    for grid, (state, out) in sorted(sight.grids.items()):
        loading = moment(sight.diagrams[grid], state.vm_pu, state.loading_percent, out)
        yield grid, {"clocks": [at], **values_told(state.vm_pu[None, :], loading[None, :])}


def clock(sight: Sight, moment: Moment) -> str:
    """The scenario's own clock at a moment."""
    at: datetime = (EPOCH + timedelta(microseconds=moment.at_us)).astimezone(sight.scenario.time.start.tzinfo)
    return f"{at:%H:%M:%S}"


def figures(sight: Sight, moment: Moment) -> Iterator[tuple[str, str]]:
    """(what, value with unit) of the last tick: frequency, ACE, loadings, MW of everybody who delivers, limits."""
    values = moment.values
    if not math.isnan(values.get("frequency_hz", math.nan)):
        yield "frequency", f"{values['frequency_hz']:.3f} Hz"
        yield "ACE", f"{values['ace_mw']:+.2f} MW"
    for name in sight.scenario.grids:
        if f"{name}.worst_loading_percent" in values:
            yield f"worst loading, {name}", f"{values[f'{name}.worst_loading_percent']:.1f} %"
    yield "activated up", f"{values[UP]:.2f} MW"
    yield "activated down", f"{values[DOWN]:.2f} MW"
    for name in sight.scenario.participants:
        power_mw = values.get(f"{name}.activated_mw", 0.0)
        if abs(power_mw) >= LEAST_MW:
            yield f"delivers, {name}", f"{power_mw:+.2f} MW"
    for limit in limits(sight, moment):
        yield f"limit, {limit.participant}", f"{limit.most_mw:g} MW {limit.direction}"


def limits(sight: Sight, moment: Moment) -> Iterator[Limit]:
    """Limits that participants keep now."""
    for name in sight.scenario.participants:
        for direction in ("up", "down"):
            most_mw = moment.values.get(f"{name}.limit_{direction}_mw", math.nan)
            if not math.isnan(most_mw):
                yield Limit(name, direction, most_mw)


def _plots(sight: Sight, moment: Moment) -> Iterator[tuple[str, str, Any]]:
    from ..report import charts
    from ..report.merit import merit_order, period_clock

    telemetry, scenario = _shown(sight), sight.scenario
    everybody = _largest(telemetry, tuple(scenario.participants))
    yield "frequency", "Frequency and area control error", charts.frequency(telemetry, scenario.area.nominal_hz)
    yield "activation", "Demand and activation", charts.activation(telemetry, everybody)
    lists, zone = sight.market.lists(moment.at_us), scenario.time.start.tzinfo
    if len(lists):
        period = str(lists["period"].iloc[0])
        title = f"Merit order lists for {period_clock(period, zone)}, and what is ordered now"
        yield "merit-order", title, merit_order(lists, sight.market.ordered_mw(period), zone)
    for name, grid in scenario.grids.items():
        if f"{name}.worst_loading_percent" in telemetry:
            yield f"grid-{name}", f"Grid {name}: loading and voltage", charts.grid(telemetry, name, grid.limits)
    for name, figure in charts.delivery(telemetry, everybody).items():
        yield f"delivery-{name}", f"Set-point against delivery: {name}", figure


def _largest(telemetry: pd.DataFrame, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those who deliver most, in the order of the file: more would be seen by nobody."""
    size = {name: telemetry[name + DELIVERED].abs().max() for name in names if name + DELIVERED in telemetry}
    chosen = sorted(size, key=lambda name: (-size[name], name))[:MOST_SHOWN]
    return tuple(name for name in names if name in chosen)


def _shown(sight: Sight) -> pd.DataFrame:
    frame, zone = sight.telemetry(), sight.scenario.time.start.tzinfo
    return frame.assign(at=frame["at"].dt.tz_convert(zone).dt.tz_localize(None))
