"""Writes the record: in simulated time at once, by the clock beside the run, so that it costs no tick.

Beside it, one thread does what it is given, in the order given. In simulated time such a thread is dear: a run lets go
of the interpreter at every product of matrices, and each time the two change places; a day of aFRR took 15 % longer.
What is waiting is bounded: who is too far ahead waits, so memory is bounded too. The bound is one of size: the states
of two hundred grids are two hundred small things, and all of them come at one tick.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

MOST_WAITING = 2**26  # numbers: half a gigabyte
BLOCK = MOST_WAITING // 32  # what rows of text or of messages count as


class Clerk:
    """Does one thing after the other; an error is raised there, or if beside at the next thing given, or at the end."""

    def __init__(self, *, beside: bool = False) -> None:
        """`beside`: in a thread of its own."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="record") if beside else None
        self._given: deque[tuple[Future[None], int]] = deque()
        self._waiting = 0

    def do(self, work: Callable[[], None], size: int = BLOCK) -> None:
        """Do it when everything before is done; raises what an earlier one raised. `size`: of numbers that it holds."""
        if self._thread is None:
            work()
            return
        while self._given and (self._given[0][0].done() or self._waiting + size > MOST_WAITING):
            self._take_back()
        self._given.append((self._thread.submit(work), size))
        self._waiting += size

    def _take_back(self) -> None:
        """Wait for the first of what has been given; raises what it raised."""
        done, size = self._given.popleft()
        self._waiting -= size
        done.result()

    def finish(self) -> None:
        """Wait until everything is done; raises what one of them raised."""
        try:
            while self._given:
                self._take_back()
        finally:
            if self._thread is not None:
                self._thread.shutdown()
