"""What was delivered, from the measurements that participants sent to the TSO (INFO 7).

Energy is the left rectangle over the ticks of measurement; + is up.

    what a DSO's taps free ─▶ ordered: activation      taps are back, loads still draw what they were kept from: payback
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..audit.index import Index
from ..record.instants import times_us

if TYPE_CHECKING:
    import pandas as pd

RESOLUTION_MW = 1e-3
Power = TypeVar("Power", "pd.DataFrame", "pd.Series[float]")


def activated(index: Index) -> pd.DataFrame:
    """Activated MW: a row a tick of the delivery periods, a column a participant that sent measurements."""
    power = _measured(index, "activated_mw")
    for name, back in _paid_back(index).items():
        power[name] = power[name].sub(back, fill_value=0.0)
    return _delivered(index, power)


def paid_back_mwh(index: Index, dso: str | None) -> float:
    """What loads took back beyond a DSO's orders, MWh, in the delivery periods."""
    back = _paid_back(index).get(dso or "")
    return 0.0 if back is None else float(_delivered(index, back).abs().sum()) * tick_h(index)


def _paid_back(index: Index) -> dict[str, pd.Series[float]]:
    """What DSOs that sell demand response measured as activated and nobody had ordered, MW.

    It is what loads take back of a tap step: a span of one sign without a set-point of that sign in it.
    """
    if index.scenario.scheme != "scenario-2":
        return {}
    power, ordered = (_measured(index, column, index.scenario.dsos) for column in ("activated_mw", "set_point_mw"))
    return {str(name): power[name].where(~_asked_for(power[name], ordered[name]), 0.0) for name in power}


def _asked_for(power: pd.Series[float], ordered: pd.Series[float]) -> pd.Series[bool]:
    """Of each span of one sign, whether there was a set-point of that sign in it."""
    sign, wanted = (series.apply(np.sign) for series in (power, ordered))
    spans = (sign != sign.shift()).cumsum()
    found: pd.Series[bool] = (sign == wanted).groupby(spans).transform("any")
    return found


def _measured(index: Index, column: str, senders: Collection[str] | None = None) -> pd.DataFrame:
    """A row a tick, a column a sender of measurements (or of those named) to the TSO."""
    streams = index.run.streams
    told = streams[streams["receiver"] == index.scenario.tso]
    told = told if senders is None else told[told["sender"].isin(senders)]
    wide = told.pivot_table(index="measured_at", columns="sender", values=column, aggfunc="last")
    return wide.fillna(0.0).sort_index(axis=1)


def _delivered(index: Index, power: Power) -> Power:
    if not len(power):
        return power
    at_us, time = times_us(power.index), index.scenario.time
    return power[(at_us >= time.first_delivery_us) & (at_us < time.periods[-1][1])]


def tick_h(index: Index) -> float:
    """The length of a tick of measurement, in hours."""
    return index.scenario.ticks.measurement_s / 3600


def demand_response(index: Index, power: pd.DataFrame) -> pd.DataFrame:
    """What of activated MW is demand response: that of pools, of loads, and a DSO's without units that it operates."""
    own = _responding(index)
    found = power[[name for name in power.columns if name in own]].copy()
    telemetry = index.run.outline.set_index("at")
    for dso in (name for name in found.columns if f"{name}.units_mw" in telemetry):
        found[dso] -= telemetry[f"{dso}.units_mw"].reindex(found.index).fillna(0.0)
    return found


def _responding(index: Index) -> frozenset[str]:
    providers = index.scenario.providers
    loads = {name for name, who in providers.items() if who.kind == "bsp" and all(u.kind == "load" for u in who.units)}
    pools = {name for name, who in providers.items() if who.kind == "aggregator"}
    return frozenset(loads | pools | set(index.scenario.dsos))
