"""What loads took back of what tap steps had taken from them: of the plants, and beyond what was ordered."""

from __future__ import annotations

from typing import Any

from ..audit.index import Index
from .energy import paid_back_mwh
from .quality import integral_h


def load_recovery(index: Index) -> dict[str, dict[str, Any]]:
    """Per grid whose taps moved: what loads drew beyond what their voltage says; energy by left rectangle.

    `paid_back_mwh`: scenario II, of that in the delivery periods what the DSO measured when nothing (more) was ordered.
    """
    telemetry, scenario = index.run.outline, index.scenario
    found = {}
    for grid in scenario.grids:
        column = f"{grid}.load_recovery_mw"
        if column in telemetry and (telemetry[column] != 0).any():
            found[grid] = {
                "recovered_mwh": integral_h(telemetry, column),
                "highest_mw": float(telemetry[column].max()),
                "paid_back_mwh": paid_back_mwh(index, scenario.dso_of(grid)),
            }
    return found
