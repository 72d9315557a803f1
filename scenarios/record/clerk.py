"""Writes the record beside the run: one thread that does what it is given, in the order given.

Compressing and writing let go of the interpreter, so they cost a run in simulated time little on a second core, and
one in real time no tick. What is waiting is bounded: who is too far ahead waits, so memory is bounded too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

AHEAD = 8


class Clerk:
    """Does one thing after the other; an error is raised at the next thing given, or at the end."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="record")
        self._given: deque[Future[None]] = deque()

    def do(self, work: Callable[[], None]) -> None:
        """Do it when everything before is done; raises what an earlier one raised."""
        while self._given and (self._given[0].done() or len(self._given) >= AHEAD):
            self._given.popleft().result()
        self._given.append(self._thread.submit(work))

    def finish(self) -> None:
        """Wait until everything is done; raises what one of them raised."""
        try:
            while self._given:
                self._given.popleft().result()
        finally:
            self._thread.shutdown()
