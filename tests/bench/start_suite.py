"""How long the command line takes to say something: it must not import what it does not need."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence

from measuring import Row, spread

MOST_MS = 500.0
COMMANDS = (("--help",), ("list",), ("check", "scenario-1-dso"))


def rows(quick: bool = False) -> Iterator[Row]:
    """Yield the rows of the table."""
    repeats = 2 if quick else 7
    bare = spread([_took_ms([sys.executable, "-c", "pass"]) for _ in range(repeats)])
    yield Row("start", "python", "nothing", *bare, repeats)
    for command in COMMANDS:
        found = spread([_took_ms([sys.executable, "-m", "gridpact", *command]) for _ in range(repeats)])
        yield Row("start", "gridpact", " ".join(command), *found, repeats, reach_ms=MOST_MS)


def _took_ms(command: Sequence[str]) -> float:
    """Processor time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
