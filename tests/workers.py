"""Who does the tasks of a sweep or a comparison, where the tests need no processes for it."""

from collections.abc import Iterator, Mapping
from typing import Any

from gridpact.scenarios.sweep.tasks import perform


class Here:
    """The one worker is this process: what it needs is imported anyway."""

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def results(self, tasks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        yield from ((key, perform(text)) for key, text in tasks.items())
