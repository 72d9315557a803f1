"""What one more BSP of a market takes in Python, in kB, when all that waited has been written: traced, not resident.

    python tests/bench/held_memory.py 200 700

The resident memory of a run has much more in it: rows that wait to be written, what Parquet remembers of them, tables.
It is there once, or bounded; this is what grows with a swarm. Two sizes, so that what is there once does not count.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

from swarms import market

from gridpact.grid.engine import single_threaded
from gridpact.scenarios.record.writer import RunWriter
from gridpact.scenarios.running import prepare


def each_kb(few: int, many: int) -> float:
    """kB of one more agent, its share of the grids and mango's own agent included. Measured in a fresh process."""
    command = [sys.executable, __file__, str(few), str(many)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _held_kb(bsps: int) -> float:
    scenario = market(bsps, {"journal": "false"})()
    gc.collect()
    tracemalloc.start(1)
    try:
        with tempfile.TemporaryDirectory() as folder, single_threaded(), RunWriter(scenario, Path(folder) / "r") as out:
            operation = prepare(scenario, out)
            operation.simulate(scenario.time.end_us)
            operation.close()
            out.close()
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / 1024
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    small, large = map(int, sys.argv[1:])
    _held_kb(5)  # what is imported and compiled once
    before_kb = _held_kb(small)
    sys.stdout.write(f"{(_held_kb(large) - before_kb) / (large - small):.3f}\n")
