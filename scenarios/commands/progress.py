"""Runs a scenario with moving figures on a terminal, and silently in a pipe; with a page to watch it, if asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from ..description.schema import Scenario
from ..record.run import Run


def running(scenario: Scenario, out: Path, *, paced: Mapping[str, Any], quiet: bool, watch: bool = False) -> Run:
    """Run a scenario (`paced`: `realtime`, `speed` and `paced_from` of `running.run`); errors as for it.

    `watch`: serve a page on this machine while it runs, and say where.
    """
    from ..operation.running import run

    console = Console(stderr=True)
    moving = console.is_terminal and not quiet
    if not moving and not watch:
        return run(scenario, out=out, **paced)
    from ..live.sight import Sight
    from ..live.terminal import shown

    sight = Sight(scenario, drawn=watch)
    with ExitStack() as around:
        address = None
        if watch:
            from ..live.serving import Watch

            address = around.enter_context(Watch(sight)).address
            if not moving:
                console.print(f"watch: {address}", soft_wrap=True, highlight=False)
        if moving:
            around.enter_context(shown(sight, console, address))
        return run(scenario, out=out, sight=sight, **paced)
