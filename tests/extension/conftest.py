"""The built-in plugin, run once for all tests (and for all worker processes)."""

import fcntl

import pytest

from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.running import run

SHORT = {"time.market_time_units": "2", "time.tail_min": "2"}


@pytest.fixture(scope="session")
def supported(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Run:
    """A run of reactive-support with its two periods in which something is asked."""
    base = tmp_path_factory.getbasetemp()
    out = (base if worker_id == "master" else base.parent) / "reactive-support"
    with out.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return load_run(out) if out.exists() else run(load_scenario("reactive-support", SHORT), out=out)
