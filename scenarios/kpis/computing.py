"""All KPIs of a run in one mapping: what kpis.json holds, and what an audit computes again."""

from __future__ import annotations

from typing import Any

from ..audit.auditing import steps
from ..audit.index import Index
from ..record.cells import plain
from .exchange import exchange
from .flexibility import flexibility
from .participation import participation
from .quality import cost, frequency, violations
from .reaction import consequences, reaction
from .recovery import load_recovery
from .regulation import regulation
from .rivals import rivals


def compute_kpis(index: Index) -> dict[str, Any]:
    """Compute every KPI from messages, events, streams and telemetry; units are in the keys."""
    run = index.run
    values = {
        "scenario": run.scenario.name,
        "scheme": run.scenario.scheme,
        "kpi_1_information_exchange": exchange(index, steps(index).demands),
        "kpi_2_flexibility_activated": flexibility(index),
        "kpi_3_participation_of_dso": participation(index),
        "rivals": rivals(index),
        "frequency": frequency(run),
        "afrr": regulation(index),
        "violations": violations(run),
        "load_recovery": load_recovery(index),
        "real_time_limits": reaction(index),
        "consequences": consequences(index),
        "cost": cost(index),
    }
    return dict(plain(values))
