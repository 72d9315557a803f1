"""What several files of tests look at is made once, by the worker process that needs it first; others wait for it."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gridpact.scenarios.record.run import Run, load_run


def recorded_once(out: Path, make: Callable[[Path], Run]) -> Run:
    """The run in a folder, which is made unless it is there."""
    with alone(out):
        return load_run(out) if out.exists() else make(out)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """No other worker process makes the same meanwhile."""
    with out.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
