"""Workers of a Dask cluster: the tasks and results are the same texts as on local processes.

A Dask cluster runs what its scheduler is told, and pickles what it sends: use one only among machines of your own.
Every worker needs the same version of gridpact, and the scenario's own files (networks, plugins) at the same place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Self

from ..errors import ScenarioError
from .tasks import perform

CONNECT_S = 10.0


class Cluster:
    """The workers of a running Dask scheduler. Use it as a context: on leaving, what has not begun is taken back."""

    def __init__(self, address: str) -> None:
        """Raises ScenarioError if Dask is not installed, or nobody answers at `address`."""
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise ScenarioError("--scheduler needs Dask: pip install 'gridpact[cluster]'") from None
        try:
            self._client: Any = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ScenarioError(f"--scheduler {address}: no Dask scheduler answers there: {reason}") from None
        self._futures: dict[Any, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.cancel(list(self._futures))
        self._client.close()

    def results(self, tasks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(key, result) of each task, as they are done."""
        self._futures = {self._client.submit(perform, task, key=key, pure=False): key for key, task in tasks.items()}
        as_completed = import_module("distributed").as_completed
        for future in as_completed(list(self._futures), loop=self._client.loop):
            yield self._futures.pop(future), _answer(future)


def _answer(future: Any) -> str:
    """The worker's text, or what became of it: a worker that died again and again, or could not take the task."""
    if future.status == "finished":
        return str(future.result())
    error = future.exception() if future.status == "error" else None
    reason = f"{type(error).__name__}: {error}" if error is not None else f"the task was {future.status}"
    return json.dumps({"error": f"the cluster could not run it: {reason}"})
