"""A loop whose time stands still while anything is to be done, and jumps to the next timer when nothing is.

What takes part in a test – who is tried, who tries, the broker – lives on one such loop, so a slow or busy machine
makes nobody late: however long something takes, it takes no time.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any

import pytest

SETTLES_S = 0.001  # of the machine: what is written to a socket of loopback can be read at its other end by then


class PatientSelector(selectors.DefaultSelector):
    """Waits for sockets as long as something is on its way; then it says how long nothing would have happened."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0
        self.abroad = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; where nothing is, `timeout` has passed, although it was not waited for."""
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if timeout is None or self.abroad:
            return super().select(None)
        ready = super().select(min(timeout, SETTLES_S))
        if not ready:
            self.passed_s += timeout
        return ready


class StandingLoop(asyncio.SelectorEventLoop):
    """Shows the time that has been jumped over; what other threads do for it is waited for."""

    def __init__(self) -> None:
        self._patient = PatientSelector()
        super().__init__(self._patient)

    def time(self) -> float:
        """Seconds since it was made."""
        return self._patient.passed_s

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        """As any loop; its time does not go on before the answer has come."""
        answer = super().run_in_executor(executor, func, *args)
        self._patient.abroad += 1
        answer.add_done_callback(self._returned)
        return answer

    def _returned(self, _: Any) -> None:
        self._patient.abroad -= 1


def standing(work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it, on a loop of its own."""
    with asyncio.Runner(loop_factory=StandingLoop) as runner, pytest.MonkeyPatch.context() as machine:
        began_ns, loop = time.time_ns(), runner.get_loop()
        machine.setattr(time, "time_ns", lambda: began_ns + round(loop.time() * 1e9))
        return runner.run(work)
