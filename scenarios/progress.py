"""Runs a scenario with a bar on a terminal, and silently in a pipe."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from .record.run import Run
from .schema import Scenario


def running(scenario: Scenario, out: Path, *, speed: float | None, quiet: bool) -> Run:
    """Run a scenario (`speed`: paced by the clock, None: as fast as it goes); errors as for `running.run`."""
    from .running import run

    console = Console(stderr=True)
    realtime, pace = speed is not None, speed or 1.0
    if quiet or not console.is_terminal:
        return run(scenario, out=out, realtime=realtime, speed=pace)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(scenario.name, total=1.0)
        return run(
            scenario, out=out, realtime=realtime, speed=pace, progress=lambda done: bar.update(task, completed=done)
        )
