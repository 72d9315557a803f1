"""A local worker's whole life: a task a line on standard input, a result a line on standard output.

It ends when its input does. Whatever a run prints goes to standard error, so that only results are read as results.
"""

from __future__ import annotations

import os
import sys

from .tasks import perform


def work() -> None:
    """Perform tasks until there are no more."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as results:
        os.dup2(2, 1)
        for task in sys.stdin:
            results.write(perform(task) + "\n")
            results.flush()


if __name__ == "__main__":
    work()
