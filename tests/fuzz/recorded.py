"""A run to play again: small, with a limit in real time, and with its journal."""

from __future__ import annotations

from pathlib import Path

from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

SMALL = """\
gridpact: 1
name: small
extends: scenario-1-dso
time: {market_time_units: 1, tail_min: 2}
ticks: {control_s: 20, measurement_s: 20, monitoring_s: 20}
market: {test: {hold_min: 0.5, tolerance_percent: 5, completeness_percent: 70, sample_s: 5}}
grids: {north: {profiles: {wind: {actual: {"12:35:00": null, "12:35:40": null, "12:09:00": 1.0}}}}}
"""


def recorded(folder: Path) -> Run:
    """The run, made anew."""
    scenario = folder / "small.yaml"
    scenario.write_text(SMALL, "utf-8")
    return run(load_scenario(scenario), out=folder / "small")
