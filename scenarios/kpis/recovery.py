"""What loads took back of what tap steps had taken from them, from the telemetry of the plants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .quality import integral_h

if TYPE_CHECKING:
    from ..record.run import Run


def load_recovery(run: Run) -> dict[str, dict[str, Any]]:
    """Per grid whose taps moved: what loads drew beyond what their voltage says; energy by left rectangle."""
    telemetry = run.outline
    found = {}
    for grid in run.scenario.grids:
        column = f"{grid}.load_recovery_mw"
        if column in telemetry and (telemetry[column] != 0).any():
            highest_mw = float(telemetry[column].max())
            found[grid] = {"recovered_mwh": integral_h(telemetry, column), "highest_mw": highest_mw}
    return found
