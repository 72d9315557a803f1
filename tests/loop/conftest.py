"""Runs of the loop that several tests look at: three quarter-hours, and a quarter-hour at three ticks."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

import gridpact
from gridpact.scenarios.record.run import Run

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three quarter-hours of aFRR and mFRR with two losses of infeed, a surplus, and a limit of the DSO."""
    return gridpact.run(HERE / "hour.yaml", out=tmp_path_factory.mktemp("loop") / "hour")


@pytest.fixture(scope="session")
def seen(hour: Run) -> pd.DataFrame:
    """The telemetry of that run by its clock time."""
    frame = hour.telemetry
    return frame.set_index(frame["at"].dt.tz_convert("Europe/Berlin").dt.strftime("%H:%M:%S"))


@pytest.fixture(scope="session")
def at_ticks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[float, Run]:
    """The same quarter-hour at ticks of 1, 2 and 4 s."""
    folder = tmp_path_factory.mktemp("ticks")
    changes = ("ticks.control_s", "ticks.measurement_s", "ticks.monitoring_s")
    return {
        tick_s: gridpact.run(HERE / "quarter.yaml", out=folder / f"{tick_s:g}", settings=dict.fromkeys(changes, tick_s))
        for tick_s in (1.0, 2.0, 4.0)
    }


@pytest.fixture(scope="session")
def unheard(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same quarter-hour, in which one participant's measurements are lost from the sixth minute on."""
    silence = {"who": "first", "only": "measurements", "since": "12:06:00", "until": "12:15:00"}
    out = tmp_path_factory.mktemp("unheard") / "quarter"
    return gridpact.run(HERE / "quarter.yaml", out=out, settings={"links.silences": [silence]})
