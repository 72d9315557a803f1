"""Runs of the loop that several files of tests look at: three quarter-hours, and a quarter-hour at three ticks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from once import recorded_once

import gridpact
from gridpact.scenarios.record.run import Run

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def hour(shared: Path) -> Run:
    """Three quarter-hours of aFRR and mFRR with two losses of infeed, a surplus, and a limit of the DSO."""
    return recorded_once(shared / "hour", lambda out: gridpact.run(HERE / "hour.yaml", out=out))


@pytest.fixture(scope="session")
def seen(hour: Run) -> pd.DataFrame:
    """The telemetry of that run by its clock time."""
    frame = hour.telemetry
    return frame.set_index(frame["at"].dt.tz_convert("Europe/Berlin").dt.strftime("%H:%M:%S"))


@pytest.fixture(scope="session")
def at_ticks(shared: Path) -> Mapping[float, Run]:
    """The same quarter-hour at ticks of 1, 2 and 4 s."""
    changes = ("ticks.control_s", "ticks.measurement_s", "ticks.monitoring_s")
    return {
        tick_s: _quarter(shared / f"quarter-{tick_s:g}", dict.fromkeys(changes, tick_s)) for tick_s in (1.0, 2.0, 4.0)
    }


@pytest.fixture(scope="session")
def unheard(shared: Path) -> Run:
    """The same quarter-hour, in which one participant's measurements are lost from the sixth minute on."""
    silence = {"who": "first", "only": "measurements", "since": "12:06:00", "until": "12:15:00"}
    return _quarter(shared / "quarter-unheard", {"links.silences": [silence]})


def _quarter(out: Path, settings: Mapping[str, Any]) -> Run:
    return recorded_once(out, lambda out: gridpact.run(HERE / "quarter.yaml", out=out, settings=settings))
