"""`make bench`: every suite, as a table and as JSON.

python tests/bench/run.py [OUT.json]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import grid_suite
from measuring import Row, show

from gridpact.grid.engine import single_threaded

SUITES: tuple[Callable[[], Iterator[Row]], ...] = (grid_suite.rows,)


def main() -> None:
    """Run every suite on one BLAS thread, as runs do."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with single_threaded():
        show(chain.from_iterable(suite() for suite in SUITES), out)


if __name__ == "__main__":
    main()
