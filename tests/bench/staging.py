"""A scenario driven stage by stage: seconds of processor time and kB of memory of each.

scenario ─▶ assembly ─▶ prequalification ─▶ offering ─▶ activation ─▶ settlement ─▶ record (tables, KPIs)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from held import resident_kb

STAGES = ("scenario", "assembly", "prequalification", "offering", "activation", "settlement", "record")


@dataclass
class Staged:
    """Seconds of processor time and of the clock, and kB of memory, by stage; `ticks` taken in each."""

    seconds: dict[str, float] = field(default_factory=dict)
    wall_s: dict[str, float] = field(default_factory=dict)
    kb: dict[str, float] = field(default_factory=dict)
    simulated_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, simulated_s: float = 0.0) -> Iterator[None]:
        """Measure what happens inside; `simulated_s`: how long it is in the run."""
        before_kb, began, at = resident_kb(), time.process_time(), time.perf_counter()
        yield
        self.seconds[name] = time.process_time() - began
        self.wall_s[name] = time.perf_counter() - at
        self.kb[name] = resident_kb() - before_kb
        self.simulated_s[name] = simulated_s


def staged(scenario_of: Callable[[], Any]) -> tuple[Any, Staged]:
    """Run a scenario from its description to its finished record; the scenario, and what each stage took."""
    from gridpact.grid.engine import single_threaded
    from gridpact.scenarios.operation.running import prepare
    from gridpact.scenarios.record.writer import RunWriter

    measured = Staged()
    with measured.stage("scenario"):
        scenario = scenario_of()
    times, began_us = scenario.time, scenario.time.start_us
    first_us, last_us = times.first_delivery_us, times.periods[-1][1]
    ends_us = (times.cfp_us(first_us) - 1, first_us - 1, last_us - 1, times.end_us)
    folder = tempfile.TemporaryDirectory()
    with folder, single_threaded(), RunWriter(scenario, Path(folder.name) / "run") as writer:
        with measured.stage("assembly"):
            operation = prepare(scenario, writer)
        for name, end_us in zip(STAGES[2:6], ends_us, strict=True):
            with measured.stage(name, (end_us - began_us) / 1e6):
                operation.simulate(end_us)
            began_us = end_us
        with measured.stage("record"):
            operation.close()
            writer.finish({})
    return scenario, measured
