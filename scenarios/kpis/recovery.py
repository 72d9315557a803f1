"""What loads took back of what tap steps had taken from them, from the telemetry of the plants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..record.run import Run


def load_recovery(run: Run) -> dict[str, dict[str, Any]]:
    """Per grid whose taps moved: what loads drew beyond what their voltage says; energy by left rectangle."""
    telemetry = run.telemetry
    hours = telemetry["at"].diff().shift(-1).dt.total_seconds().fillna(0.0) / 3600
    found = {}
    for grid in run.scenario.grids:
        column = f"{grid}.load_recovery_mw"
        if column in telemetry and (telemetry[column] != 0).any():
            recovered = telemetry[column]
            found[grid] = {
                "recovered_mwh": round(float((recovered * hours).sum()), 6),
                "highest_mw": round(float(recovered.max()), 6),
            }
    return found
