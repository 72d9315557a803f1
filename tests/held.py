"""What a run holds in memory: resident, all that the process has; or traced, what Python has made and kept."""

import gc
import os
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridpact.agents.runtime.run import Operation
from gridpact.grid.engine import single_threaded
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.operation.running import prepare
from gridpact.scenarios.record.writer import RunWriter


@contextmanager
def begun(scenario: Scenario) -> Iterator[tuple[Operation, RunWriter]]:
    """A run that the caller drives, and its record, which does not stay."""
    with (
        tempfile.TemporaryDirectory() as folder,
        single_threaded(),
        RunWriter(scenario, Path(folder) / "run") as writer,
    ):
        yield prepare(scenario, writer), writer


def resident_kb() -> float:
    """Memory of this process that is in use, also what Arrow and NumPy hold."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def held_kb(scenario: Scenario) -> float:
    """What a market holds after its last period when all that waited has been written, traced."""
    gc.collect()
    tracemalloc.start(1)
    try:
        with begun(scenario) as (operation, writer):
            operation.simulate(scenario.time.end_us)
            operation.close()
            writer.close()
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / 1024
    finally:
        tracemalloc.stop()
