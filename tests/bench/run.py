"""`make bench`: every suite, as a table and as JSON; with --page also the page of the docs.

python tests/bench/run.py [OUT.json] [--quick] [--suite NAME …] [--page docs/performance.md]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grid_suite
import loop_suite
import message_suite
import mqtt_suite
import page
import start_suite
import swarm_suite
import world_suite
from measuring import Row, show

from gridpact.grid.engine import single_threaded
from gridpact.scenarios.version import VERSION

SUITES: dict[str, Callable[[bool], Iterator[Row]]] = {
    "messages": message_suite.rows,
    "world": world_suite.rows,
    "mqtt": mqtt_suite.rows,
    "start": start_suite.rows,
    "loop": loop_suite.rows,
    "swarm": swarm_suite.rows,
    "grid": lambda quick: iter(()) if quick else grid_suite.rows(),
}


def main() -> None:
    """Run the suites on one BLAS thread, as runs do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--quick", action="store_true", help="small and rough: does it work, not how fast is it")
    parser.add_argument("--suite", action="append", choices=SUITES, help="only this one; may be given several times")
    parser.add_argument("--page", type=Path, help="write the page of the docs from what was measured")
    chosen = parser.parse_args()
    with single_threaded():
        rows = list(_measured(chosen.suite or list(SUITES), chosen.quick))
    about = machine()
    show(rows, chosen.out, about)
    if chosen.page is not None:
        chosen.page.write_text(page.written(rows, about), "utf-8")


def _measured(names: list[str], is_quick: bool) -> Iterator[Row]:
    for name in names:
        began = time.perf_counter()
        yield from SUITES[name](is_quick)
        sys.stderr.write(f"{name}: {time.perf_counter() - began:.0f} s\n")


def machine() -> dict[str, Any]:
    """The machine in general terms: figures depend on it, ratios less so."""
    return {
        "gridpact": VERSION,
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
