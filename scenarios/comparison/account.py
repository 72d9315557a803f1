"""What a run came to beyond its KPIs, as a comparison counts it: from the record alone, in the periods of delivery.

imbalance_left_mwh   |area control error| over time: what balancing energy has left to the frequency
losses_mwh           of all grids: what enters less what is drawn, whatever kind of element injects or draws it
foregone_mw_h        MW that applicants asked for and did not get, over the hours of delivery
violations           of the same periods, overload from its end on
curtailed            offers that a DSO cut in merit order lists, and what that cost each participant
negotiation_s        from gate closure until the last acceptance of the period has been received, on average
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...protocols.information.quantities import instant
from ..audit.index import Index
from ..kpis.quality import ticks_s, violated
from ..kpis.reaction import overloads
from ..record.cells import line, plain
from ..record.instants import times_us
from ..record.qualifying import qualifications
from ..record.run import Run
from .curtailment import curtailed

if TYPE_CHECKING:
    import pandas as pd


def account(run: Run) -> dict[str, Any]:
    """Every figure by name; units are in the names."""
    index = Index(run)
    during = delivery(run)
    hours = (ticks_s(during) / 3600).to_numpy()
    kpi_1 = run.kpis["kpi_1_information_exchange"]["information"].values()
    found = {
        "imbalance_left_mwh": float((during["ace_mw"].abs().to_numpy() * hours).sum()),
        "losses_mwh": sum(float((during[f"{grid}.losses_mw"].to_numpy() * hours).sum()) for grid in run.grids),
        "foregone_mw_h": _foregone_mw(run) * delivered_hours(run),
        "curtailed": curtailed(run, during),
        "violations": {grid: _violations(index, during, grid) for grid in run.grids},
        "negotiation_s": _negotiation_s(index),
        "messages": len(run.message_rows) + len(run.streams),
        "bytes": _bytes_of(run) + sum(told["content_bytes"] for told in kpi_1 if told["sent"]),
    }
    return dict(plain(found))


def delivery(run: Run) -> pd.DataFrame:
    """The telemetry of the periods of delivery."""
    telemetry, time = run.telemetry, run.scenario.time
    at_us = times_us(telemetry["at"])
    return telemetry[(at_us >= time.first_delivery_us) & (at_us < time.periods[-1][1])]


def delivered_hours(run: Run) -> float:
    """Hours from the first delivery to the end of the last."""
    time = run.scenario.time
    return (time.periods[-1][1] - time.first_delivery_us) / 3.6e9


def _foregone_mw(run: Run) -> float:
    """MW asked for less MW qualified, of the last verdict about each resource and direction."""
    last = {(one.resource, one.direction): one for one in qualifications(run.message_rows)}
    return sum(max(0.0, one.asked_mw - one.qualified_mw) for one in last.values() if one.asked_mw is not None)


def _violations(index: Index, during: pd.DataFrame, grid: str) -> dict[str, Any]:
    """How many there were, for how long, the worst values, and the element with the most overload."""
    bad = violated(during, grid).to_numpy()
    begins = int((bad[1:] & ~bad[:-1]).sum() + bad[:1].sum())
    return {
        "count": begins,
        "minutes": float(ticks_s(during).to_numpy()[bad].sum() / 60),
        "worst_loading_percent": float(during[f"{grid}.worst_loading_percent"].max()),
        "lowest_vm_pu": float(during[f"{grid}.vm_min_pu"].min()),
        "highest_vm_pu": float(during[f"{grid}.vm_max_pu"].max()),
        "element": _worst_element(index, during, grid) if begins else None,
    }


def _worst_element(index: Index, during: pd.DataFrame, grid: str) -> str:
    """The line or transformer that was overloaded most (%·s); without one, the bus farthest from 1 pu."""
    overload = overloads(index, since_us=index.scenario.time.first_delivery_us)[grid]
    return max(overload, key=lambda name: (overload[name], name)) if overload else _worst_bus(index.run, during, grid)


def _worst_bus(run: Run, during: pd.DataFrame, grid: str) -> str:
    """The bus farthest from 1 pu at the tick with the worst voltage, by a power flow of the recorded state."""
    from ...grid.engine import run_power_flow

    frame = during[violated(during, grid)]
    away = (frame[[f"{grid}.vm_min_pu", f"{grid}.vm_max_pu"]] - 1).abs().max(axis=1)
    net = run.network(frame["at"].iloc[int(away.to_numpy().argmax())].isoformat(), grid)
    run_power_flow(net)
    return f"bus {(net.res_bus['vm_pu'] - 1).abs().idxmax()}"


def _negotiation_s(index: Index) -> float | None:
    time = index.scenario.time
    closures = {start_us: time.gate_closure_us(start_us) for start_us, _ in time.periods}
    last: dict[int, int] = {}
    for row in index.typed("acceptance"):
        for offer in row["content"]["offers"] if row["received_at"] is not None else ():
            start_us = instant(offer["delivery_start"])
            last[start_us] = max(last.get(start_us, 0), instant(row["received_at"]))
    waits = [(at_us - closures[start_us]) / 1e6 for start_us, at_us in sorted(last.items()) if start_us in closures]
    return sum(waits) / len(waits) if waits else None


def _bytes_of(run: Run) -> int:
    """Bytes of the content of messages that carry none of the paper's information."""
    return sum(len(line(row["content"])) - 1 for row in run.message_rows if row["info"] is None)
