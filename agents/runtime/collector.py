"""The garbage collector during a run: what stands at its beginning stays, and little of what comes is circular.

Grids, agents and tables live as long as the run, so they are taken out of the collector's sight, and it looks less
often. Without this it takes one part in twenty of a run in simulated time, and is late by itself in real time. What
was made just now is looked through before; the little that is older and circular waits for the end.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 50)
PATIENT = (200_000, 20, 50)  # a look takes longer, which nobody waits for in simulated time


@contextmanager
def calm(thresholds: tuple[int, int, int] = THRESHOLDS) -> Iterator[None]:
    """Run the block with a patient collector, and leave it as it was."""
    before = gc.get_threshold()
    gc.collect(1)
    gc.freeze()
    gc.set_threshold(*thresholds)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
