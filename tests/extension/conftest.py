"""The built-in plugin, run once for all tests (and for all worker processes)."""

from pathlib import Path

import pytest
from once import recorded_once

from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

SHORT = {"time.market_time_units": "2", "time.tail_min": "2"}


@pytest.fixture(scope="session")
def supported(shared: Path) -> Run:
    """A run of reactive-support with its two periods in which something is asked."""
    return recorded_once(
        shared / "reactive-support", lambda out: run(load_scenario("reactive-support", SHORT), out=out)
    )
