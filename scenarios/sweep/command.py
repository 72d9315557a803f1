"""The command `gridpact sweep`: options to axes, a bar on a terminal, a short account at the end."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..reading.shelf import known_scenarios

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from .sweeping import Request, Workers

EXAMPLE = "gridpact sweep scenario-1-dso --set links.loss=0,0.01 --seeds 1..30 --workers 2"

SEEDS = "numbers of seeds: 1..30 or 1,5,7..9; 2 is seed number 2 alone, not two seeds"


def sweep_command(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="a built-in name or a YAML file", autocompletion=known_scenarios)
    ],
    *,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=A,B,C", help="an axis; repeatable")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="1..30", help=SEEDS)] = None,
    workers: Annotated[int | None, typer.Option(help="local processes (default: one a processor)")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="a Dask scheduler instead")] = None,
    out: Annotated[Path | None, typer.Option(help="the sweep's folder (default sweeps/NAME)")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="keep every run directory")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="run again what had failed")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="print nothing")] = False,
) -> None:
    """Run a scenario over every combination of settings and seeds; the same command goes on where it stopped.

    Exit code 1 if some runs failed: their rows say why.
    """
    from ..reading.loading import load_scenario
    from .points import axes_of
    from .sweeping import Request

    axes = axes_of(set_ or [], seeds)
    base = load_scenario(scenario)
    request = Request(base, axes, out or Path("sweeps") / base.name, keep, retry)
    frame = _performed(request, workers, scheduler, quiet=quiet)
    failed = frame[frame["status"] == "failed"]
    if not quiet:
        _tell(request.out, frame, failed)
    if len(failed):
        raise SystemExit(1)


def _performed(request: Request, workers: int | None, scheduler: str | None, *, quiet: bool) -> pd.DataFrame:
    from rich.console import Console

    from .sweeping import chosen_workers, perform_all

    console = Console(stderr=True)
    crew = chosen_workers(workers, scheduler)
    try:
        if quiet or not console.is_terminal:
            return perform_all(request, crew, lambda progress: None)
        return _with_bar(request, crew, console)
    except KeyboardInterrupt:
        typer.echo("what is done is kept: the same command goes on from here", err=True)
        raise


def _with_bar(request: Request, crew: AbstractContextManager[Workers], console: Console) -> pd.DataFrame:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from .sweeping import Progress as Reached
    from .sweeping import perform_all

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task(request.base.name, total=None)

        def watch(reached: Reached) -> None:
            failed = f", {reached.failed} failed" if reached.failed else ""
            text = f"{request.base.name}{failed}"
            bar.update(shown, total=reached.points, completed=reached.done, description=text)

        return perform_all(request, crew, watch)


def _tell(out: Path, frame: pd.DataFrame, failed: pd.DataFrame) -> None:
    from .table import CSV, PARQUET

    typer.echo(f"{len(frame)} runs, {len(failed)} failed: {out / PARQUET}, {out / CSV}")
    for error, rows in failed.groupby("error", sort=False):
        typer.echo(f"failed {len(rows)} times: {error}")
