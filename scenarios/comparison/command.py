"""The command `gridpact compare`: options to a request, a bar on a terminal, the tables at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ScenarioError
from ..reading.shelf import known_scenarios

if TYPE_CHECKING:
    from ..description.schema import Scenario
    from .comparing import Comparison

SEEDS = "numbers of seeds, the same for every scheme: 1..5 or 1,4,7; 2 is seed number 2 alone, not two seeds"
EXAMPLE = "gridpact compare scenario-1-dso --seeds 1..5 --errors 0,0.5,1,1.5,2 --workers 2"


def compare_command(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="a built-in name or a YAML file", autocompletion=known_scenarios)
    ],
    *,
    seeds: Annotated[str | None, typer.Option(metavar="1..5", help=SEEDS)] = None,
    errors: Annotated[str | None, typer.Option(metavar="0,1,2", help="scales of the forecast error, 0 to 2")] = None,
    schemes: Annotated[str | None, typer.Option(metavar="A,B", help="only these schemes, by commas")] = None,
    against: Annotated[str | None, typer.Option(metavar="SCHEME", help="what differences are taken to")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="for all; repeatable")] = None,
    tick: Annotated[float | None, typer.Option(help="control, measurement and monitoring tick in seconds")] = None,
    shortage_price: Annotated[float, typer.Option(min=0, help="EUR/MWh of imbalance that is left")] = 500.0,
    losses_price: Annotated[float, typer.Option(min=0, help="EUR/MWh of losses")] = 80.0,
    capacity_price: Annotated[float, typer.Option(min=0, help="EUR/(MW·h) of MW not qualified")] = 5.0,
    workers: Annotated[int | None, typer.Option(help="local processes (default: one a processor)")] = None,
    out: Annotated[Path | None, typer.Option(help="folder (default comparisons/NAME)")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="keep every run directory")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="print nothing")] = False,
) -> None:
    """Run a scenario under every coordination scheme and `ideal`; one table of cost, violations and messages.

    The same command goes on where it stopped. Exit code 1 if some runs failed.
    """
    from ..reading.loading import load_scenario
    from ..reading.options import overrides
    from ..sweep.points import axes_of
    from .performing import StatedPrices

    base = load_scenario(scenario, overrides(set_ or [], tick=tick))
    given = {
        "seeds": [int(seed) for seed in axes_of([], seeds)["seed"]] if seeds else None,
        "errors": _numbers(errors) if errors else None,
        "schemes": [name.strip() for name in schemes.split(",")] if schemes else None,
        "prices": StatedPrices(shortage_price, losses_price, capacity_price),
    }
    made = _made(base, {**given, "against": against, "out": out, "workers": workers, "keep": keep}, quiet=quiet)
    if not quiet:
        _tell(made)
    if (made.runs["status"] == "failed").any():
        raise SystemExit(1)


def _made(base: Scenario, options: dict[str, Any], *, quiet: bool) -> Comparison:
    """Compare, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from .comparing import compare

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return compare(base, **options)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task("comparing", total=None)

        def watch(planned: int, done: int) -> None:
            bar.update(shown, total=planned, completed=done)

        return compare(base, **options, watch=watch)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ScenarioError(f"--errors {text}: write scales by commas, as 0,0.5,1,1.5,2") from None


def _tell(made: Comparison) -> None:
    import sys

    from rich.console import Console

    from .told import print_comparison

    print_comparison(made, Console(width=None if sys.stdout.isatty() else 150))
