"""What one more BSP of a market takes in Python, in kB, when all that waited has been written: traced, not resident.

    python tests/bench/held_memory.py 200 700

The resident memory of a run has much more in it: rows that wait to be written, what Parquet remembers of them, tables.
It is there once, or bounded; this is what grows with a swarm. Two sizes, so that what is there once does not count.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from swarms import market

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from held import held_kb


def each_kb(few: int, many: int) -> float:
    """kB of one more agent, its share of the grids and mango's own agent included. Measured in a fresh process."""
    command = [sys.executable, __file__, str(few), str(many)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    small, large = map(int, sys.argv[1:])
    _, before_kb, after_kb = (held_kb(market(bsps, {"journal": "false"})()) for bsps in (5, small, large))
    sys.stdout.write(f"{(after_kb - before_kb) / (large - small):.3f}\n")
