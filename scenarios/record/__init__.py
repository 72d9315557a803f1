"""The record of a run: written while it happens (`writer.py`), opened again (`run.py`), described in docs/record.md.

Reader and writer are imported when they are asked for: pyarrow takes a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run import Run, load_run
    from .writer import RunWriter

__all__ = ["Run", "RunWriter", "load_run"]


def __getattr__(name: str) -> object:
    if name == "RunWriter":
        from .writer import RunWriter

        return RunWriter
    if name in ("Run", "load_run"):
        from . import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
