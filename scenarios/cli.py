"""The command line: what to run, what to look at, and one clear sentence with exit code 2 when the input is bad.

Exit codes: 0 fine · 1 the check asked for failed · 2 bad input. What is heavy is imported inside a command.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ..agents.errors import BrokerError, LogError, PluginError, StrategyError
from ..grid.errors import GridError
from .commands.looking import add_commands as add_looking
from .commands.waiting import working
from .comparison.command import EXAMPLE as COMPARE_EXAMPLE
from .comparison.command import compare_command
from .conformance.command import conform_command
from .errors import RecordError, ScenarioError, is_yaml
from .hosting.commands import add_commands, check_speed
from .reading.options import overrides
from .reading.shelf import known_scenarios
from .sweep.command import EXAMPLE, sweep_command

if TYPE_CHECKING:
    from ..protocols.vocabulary import Vocabulary
    from .record.run import Run

app = typer.Typer(
    help="Agents of TSO, DSO, BSP and aggregator negotiate balancing services on real distribution grids.",
    epilog="Start with: gridpact run scenario-1-dso",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Name = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="a built-in name or a YAML file", autocompletion=known_scenarios)
]
Plugins = Annotated[str | None, typer.Option("--scenario", help="with the plugins of this scenario")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="change a value; repeatable")]


def main() -> None:
    """Run the command line; bad input ends with one sentence and exit code 2, never with a traceback."""
    try:
        app()
    except (ScenarioError, RecordError, GridError, BrokerError, LogError, PluginError, StrategyError) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        _refuse("interrupted", code=130)
    except BrokenPipeError:
        sys.stderr.close()


def _refuse(text: str, code: int = 2) -> NoReturn:
    typer.echo(f"gridpact: {text}", err=True)
    raise SystemExit(code)


@app.command("run", epilog="gridpact run scenario-1-dso --seed 2 --set links.loss=0.01 --out runs/lossy")
def run_command(
    scenario: Name,
    *,
    out: Annotated[Path | None, typer.Option(help="run directory (default runs/NAME)")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of everything random")] = None,
    set_: Settings = None,
    tick: Annotated[float | None, typer.Option(help="control, measurement and monitoring tick in seconds")] = None,
    realtime: Annotated[bool, typer.Option("--realtime", help="pace the run by the clock")] = False,
    speed: Annotated[float, typer.Option(help="with --realtime: times as fast as the clock")] = 1.0,
    hosts: Annotated[int | None, typer.Option(help="over so many processes and a broker, in real time")] = None,
    broker: Annotated[str | None, typer.Option(help="with --hosts: mqtt(s)://HOST:PORT (default: embedded)")] = None,
    credentials: Annotated[Path | None, typer.Option(help="with --hosts: folder that `gridpact broker` made")] = None,
    late: Annotated[str | None, typer.Option(help="with --realtime, late ticks: catch_up or skip")] = None,
    paced_from: Annotated[str | None, typer.Option("--from", help="with --realtime: pace from this clock time")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="serve a page with moving plots, to this machine")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="print nothing")] = False,
) -> None:
    """Run a scenario and print what it came to."""
    from .reading.loading import load_scenario

    chosen = load_scenario(scenario, overrides(set_ or [], seed, tick) | ({"ticks.late": late} if late else {}))
    check_speed(speed)
    _go_together({"--late": late, "--from": paced_from, "--speed": speed != 1.0 and not hosts}, "--realtime", realtime)
    _go_together({"--broker": broker, "--credentials": credentials}, "--hosts", hosts is not None)
    _in_one_process(hosts, watch=watch)
    place = out or Path("runs") / chosen.name
    if hosts is not None:
        from .hosting.host import Terms
        from .hosting.launching import launch

        terms = Terms(chosen.name, broker or "", credentials, speed)
        with working(f"running on {hosts} hosts"):
            done = launch(chosen, hosts, terms, place)
    else:
        from .commands.progress import running

        paced = {"realtime": realtime, "speed": speed, "paced_from": paced_from}
        done = running(chosen, place, paced=paced, quiet=quiet, watch=watch)
    if not quiet:
        _summarise(done)


def _summarise(done: Run) -> None:
    from rich.console import Console

    from .summary.tables import print_summary

    print_summary(done, Console(width=None if sys.stdout.isatty() else 120))


def _in_one_process(hosts: int | None, *, watch: bool) -> None:
    if watch and hosts is not None:
        raise ScenarioError("--watch shows a run in one process; leave out --hosts")


def _go_together(options: Mapping[str, object], other: str, there: bool) -> None:
    for option, given in options.items():
        if given and not there:
            raise ScenarioError(f"{option} goes with {other} only")


app.command("sweep", epilog=EXAMPLE)(sweep_command)
app.command("compare", epilog=COMPARE_EXAMPLE)(compare_command)


@app.command("list", epilog="gridpact list")
def list_command() -> None:
    """List the built-in scenarios."""
    from .reading.shelf import builtin_titles

    for name, title in builtin_titles().items():
        typer.echo(f"{name:16} {title}")


@app.command("new", epilog="gridpact new mine.yaml; gridpact new mine.yaml --file my-network.json")
def new_command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="the YAML file to write")],
    *,
    network: Annotated[str | None, typer.Option(help="a network that ships with pandapower")] = None,
    file: Annotated[Path | None, typer.Option(help="a pandapower network of your own, in JSON")] = None,
) -> None:
    """Write a commented scenario to start from, on the benchmark grid or a network of your own."""
    from .commands.starting import write_start

    with working("reading the network"):
        written = write_start(path, network=network, file=file)
    typer.echo(f"{written}: read it, check it with `gridpact check {written} --networks`, run it with `gridpact run`")


@app.command("check", epilog="gridpact check my-scenario.yaml --networks")
def check_command(
    scenario: Annotated[str, typer.Argument(metavar="FILE", help="a YAML file or a built-in name")],
    *,
    set_: Settings = None,
    networks: Annotated[bool, typer.Option("--networks", help="build and study every grid too")] = False,
) -> None:
    """Check a scenario: exit code 2 with every mistake, its file and line, and what would be right; warnings."""
    from .check.checking import checked

    with working("checking"):
        lines = list(checked(scenario, overrides(set_ or []), networks=networks))
    for line in lines:
        typer.echo(line)


@app.command("diagram", epilog="gridpact diagram runs/scenario-1-dso > run.mmd; gridpact diagram prequalification")
def diagram_command(
    what: Annotated[str, typer.Argument(metavar="PROTOCOL|RUN", help="a protocol's name, all, or a run directory")],
    full: Annotated[bool, typer.Option("--full", help="every period, also those that repeat")] = False,
    scenario: Plugins = None,
) -> None:
    """Print a protocol, `all` protocols or a run as Mermaid diagrams with the paper's step numbers."""
    from .diagrams.diagram import protocol_diagram, protocol_named, run_diagram
    from .diagrams.page import protocols_page
    from .record.run import load_run

    if Path(what).exists() and not is_yaml(what):
        with working("reading the run"):
            text = run_diagram(load_run(what), full=full)
    elif what == "all":
        text = protocols_page(_vocabulary(scenario))
    else:
        text = protocol_diagram(protocol_named(what, _vocabulary(scenario)))
    typer.echo(text, nl=False)


def _vocabulary(scenario: str | None) -> Vocabulary:
    """What may be said, with the plugins of a scenario if one is named."""
    from ..protocols.vocabulary import BUSINESS_USE_CASE
    from .extension.plugins import vocabulary
    from .reading.loading import load_scenario

    return BUSINESS_USE_CASE if scenario is None else vocabulary(load_scenario(scenario))


@app.command("schema", epilog="gridpact schema asyncapi > gridpact.asyncapi.json")
def schema_command(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="messages, scenario or asyncapi")],
    scenario: Plugins = None,
) -> None:
    """Print message types or scenarios as JSON Schema, or the protocols as AsyncAPI 3.0: what others build on."""
    from .commands.schemas import schema_text

    typer.echo(schema_text(kind, _vocabulary(scenario)), nl=False)


@app.command("verify", epilog="gridpact verify; gridpact verify protocols scenario-1-dso --diagrams")
def verify_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="protocol, scheme, three, chained, soak; or all")
    ] = None,
    faults: Annotated[int, typer.Option(min=0, max=1, help="messages lost or doubled at most")] = 1,
    scenario: Plugins = None,
    diagrams: Annotated[bool, typer.Option("--diagrams", help="counterexamples as Mermaid diagrams too")] = False,
) -> None:
    """Explore protocols and agents exhaustively; exit code 1 and a counterexample if a rule does not hold."""
    import time

    from .commands.verifying import chosen, told, verify

    began = time.perf_counter()
    reports = verify(chosen(_vocabulary(scenario), names or [], faults), typer.echo)
    for line in told(reports, began, diagrams=diagrams):
        typer.echo(line)
    if not all(report.passed for report in reports):
        raise SystemExit(1)


add_commands(app)
add_looking(app)
app.command("conform", epilog="gridpact conform --role bsp --broker mqtts://broker:8883")(conform_command)
