"""Local workers: fresh Python processes that get tasks and give results as lines of JSON over pipes.

    parent thread ══ one line: task ══▶ `python -m gridpact.scenarios.sweep.worker` ══ one line: result ══▶

Nothing is forked and nothing is pickled, so a sweep works from a script, a notebook or the command line alike. When a
worker dies only its own point is lost: its result says so, and a new worker takes its place.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
GRACE_S = 5.0
Worker = subprocess.Popen[str]


class Processes:
    """So many workers that share out tasks. Use it as a context: on leaving, they are gone."""

    def __init__(self, workers: int) -> None:
        self._count = workers
        self._workers: list[Worker] = []
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._starting:
            self._closed = True
        for worker in self._workers:
            worker.terminate()
        for thread in self._threads:
            thread.join(GRACE_S)
        for worker in self._workers:
            worker.kill()
            worker.wait()

    @property
    def running(self) -> int:
        """How many worker processes there are just now."""
        return sum(worker.poll() is None for worker in self._workers)

    def results(self, tasks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(key, result) of each task, as they are done."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        for key in tasks:
            waiting.put(key)

        def serve() -> None:
            with suppress(queue.Empty), self._one() as ask:
                while not self._closed:
                    key = waiting.get_nowait()
                    done.put((key, ask(tasks[key])))

        for _ in range(min(self._count, len(tasks))):
            thread = threading.Thread(target=serve, daemon=True)
            self._threads.append(thread)
            thread.start()
        for _ in tasks:
            yield done.get()

    @contextmanager
    def _one(self) -> Iterator[Callable[[str], str]]:
        """Ask one worker, which is replaced when it has died, and released in the end."""
        worker: Worker | None = None

        def ask(task: str) -> str:
            nonlocal worker
            if worker is None or worker.poll() is not None:
                _release(worker)
                try:
                    worker = self._start()
                except OSError as error:
                    return json.dumps({"error": f"no worker process could be started: {error.strerror}"})
            return _answer(worker, task) if worker is not None else json.dumps({"error": "the sweep was ended"})

        try:
            yield ask
        finally:
            _release(worker)

    def _start(self) -> Worker | None:
        """A new worker, in a session of its own: an interrupt on the terminal reaches the sweep, which ends them."""
        paths = [str(Path(path).resolve()) for path in sys.path]
        environment = os.environ | dict.fromkeys(_THREADS, "1") | {"PYTHONPATH": os.pathsep.join(paths)}
        with self._starting:
            if self._closed:
                return None
            worker = subprocess.Popen(  # noqa: S603 - this very interpreter and a module of ours
                [sys.executable, "-P", "-m", f"{__package__}.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=environment,
                start_new_session=True,
            )
            self._workers.append(worker)
        return worker


def _answer(worker: Worker, task: str) -> str:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(task + "\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
    except OSError:
        answer = ""
    if answer.endswith("\n"):
        return answer
    with suppress(subprocess.TimeoutExpired):
        worker.wait(GRACE_S)
    worker.kill()
    return json.dumps({"error": f"the worker process ended with code {worker.wait()} before the run was over"})


def _release(worker: Worker | None) -> None:
    """Let a worker end: it does so when its input does."""
    if worker is None:
        return
    assert worker.stdin is not None
    assert worker.stdout is not None
    with suppress(OSError):
        worker.stdin.close()
    worker.stdout.close()
    worker.wait()
