"""The commands about what has been run: audit, report, network, replay, diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .waiting import working

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="a run directory")]


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command("audit", epilog="gridpact audit runs/scenario-1-dso --full")(_audit)
    app.command("report", epilog="gridpact report runs/scenario-1-dso; gridpact report comparisons/mine")(_report)
    app.command("network", epilog="gridpact network runs/scenario-1-dso --at 12:36:00 --out net.json")(_network)
    app.command("replay", epilog="gridpact replay runs/scenario-1-dso")(_replay)
    app.command("diff", epilog="gridpact diff runs/scenario-1 runs/scenario-1-dso")(_diff)


def _audit(
    run: RunPath, full: Annotated[bool, typer.Option("--full", help="name everything that fulfils a step")] = False
) -> None:
    """Print the steps of Figs 4 to 10 and rows of Tables 1 and 2 with what fulfils them; exit code 1 on findings."""
    from ..audit import audit
    from ..audit.report import report
    from ..record.run import load_run

    with working("auditing"):
        result = audit(load_run(run))
    for line in report(result, full=full):
        typer.echo(line)
    if not result.passed:
        raise SystemExit(1)


def _report(
    run: RunPath, out: Annotated[Path | None, typer.Option(help="default: a page in the run directory")] = None
) -> None:
    """Write one self-contained page about a run, or of a comparison: plots, grids, tables, sequence, audit."""
    from .reporting import written

    with working("drawing"):
        page = written(run, out)
    typer.echo(f"report: {page}")


def _network(
    run: RunPath,
    at: Annotated[str, typer.Option(help="clock time of the first day, or ISO 8601 with an offset")],
    out: Annotated[Path, typer.Option(help="where to write the pandapower JSON")],
    grid: Annotated[str | None, typer.Option(help="which grid, if there are several")] = None,
) -> None:
    """Write the pandapower network as it physically was at a moment."""
    from ..check.networks import write_network
    from ..record.run import load_run

    with working("building the network"):
        write_network(load_run(run).network(at, grid), out)
    typer.echo(f"{out}: the network at {at}; open it with pandapower.from_json")


def _replay(run: RunPath) -> None:
    """Feed every agent its recorded inputs; exit code 1 if what it says then differs from the record."""
    from ..record.run import load_run
    from ..replay.replaying import replay

    with working("replaying"):
        differences = replay(load_run(run))
    for difference in differences:
        typer.echo(f"FINDING {difference}")
    typer.echo("replay passed: every agent said the same" if not differences else f"replay failed: {len(differences)}")
    if differences:
        raise SystemExit(1)


def _diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="a run directory")],
    second: Annotated[Path, typer.Argument(metavar="B", help="another run directory")],
    most: Annotated[int, typer.Option(min=1, help="lines per agent at most")] = 40,
) -> None:
    """Show the first message or event in which two runs differ, and what each agent knew; exit code 1 if one does."""
    from ..record.run import load_run
    from ..replay.differing import report

    with working("comparing"):
        lines, differ = report(load_run(first), load_run(second), most=most)
    for line in lines:
        typer.echo(line)
    if differ:
        raise SystemExit(1)
