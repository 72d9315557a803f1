"""What was delivered, from the measurements that participants sent to the TSO (INFO 7).

Energy is the left rectangle over the ticks of measurement; + is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audit.index import Index
from ..record.instants import times_us

if TYPE_CHECKING:
    import pandas as pd

RESOLUTION_MW = 1e-3


def activated(index: Index) -> pd.DataFrame:
    """Activated MW: a row a tick of the delivery periods, a column a participant that sent measurements."""
    streams, time = index.run.streams, index.scenario.time
    own = streams[streams["receiver"] == index.scenario.tso]
    wide = own.pivot_table(index="measured_at", columns="sender", values="activated_mw", aggfunc="last")
    if len(wide):
        at_us = times_us(wide.index)
        wide = wide[(at_us >= time.first_delivery_us) & (at_us < time.periods[-1][1])]
    return wide.fillna(0.0).sort_index(axis=1)


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
