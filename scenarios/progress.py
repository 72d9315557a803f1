"""Runs a scenario with a bar on a terminal, and silently in a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from .record.run import Run
from .schema import Scenario


def running(scenario: Scenario, out: Path, *, paced: Mapping[str, Any], quiet: bool) -> Run:
    """Run a scenario (`paced`: `realtime`, `speed` and `paced_from` of `running.run`); errors as for it."""
    from .running import run

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return run(scenario, out=out, **paced)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(scenario.name, total=1.0)
        return run(scenario, out=out, progress=lambda done: bar.update(task, completed=done), **paced)
