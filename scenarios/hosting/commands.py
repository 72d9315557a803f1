"""The commands for many hosts: host, merge, broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..commands.waiting import working
from ..errors import ScenarioError

Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="a built-in name or a YAML file: the public scenario")]


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command("host", epilog="gridpact host scenario-1-dso --agents 'bsp-*' --broker mqtts://broker:8883")(_host)
    app.command("merge", epilog="gridpact merge parts/tso parts/dso parts/bsps --out runs/merged")(_merge)
    app.command("broker", epilog="gridpact broker scenario-1-dso --out broker")(_broker)


def _host(
    scenario: Name,
    *,
    agents: Annotated[list[str], typer.Option(metavar="NAME", help="who runs here, as bsp-a or 'bsp-*'; repeatable")],
    broker: Annotated[str, typer.Option(help="mqtt://HOST:1883 or mqtts://HOST:8883")],
    out: Annotated[Path | None, typer.Option(help="folder of this host's record (default parts/RUN-AGENT)")] = None,
    private: Annotated[
        Path | None, typer.Option(help="YAML that only this host has: offers, on plants' host truth")
    ] = None,
    credentials: Annotated[Path | None, typer.Option(help="folder with a password or certificate per agent")] = None,
    run: Annotated[str | None, typer.Option(help="name of the run, the same on all hosts (default: scenario)")] = None,
    speed: Annotated[float, typer.Option(help="times as fast as the clock; the TSO's host decides")] = 1.0,
    timeout: Annotated[float, typer.Option(help="seconds to wait until everybody is there")] = 60.0,
    clock_tolerance: Annotated[float, typer.Option(help="seconds by which clocks may differ")] = 0.05,
    journal: Annotated[Path | None, typer.Option(help="folder to take up from, if this host is killed")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="print nothing")] = False,
) -> None:
    """Run some agents of a scenario here, together with those on other hosts, in real time over an MQTT broker."""
    from ..reading.loading import load_scenario
    from .host import Terms, run_host, share
    from .privacy import own_grids, read_private

    check_speed(speed)
    public = load_scenario(scenario)
    own = share(public, agents)
    grids = own_grids(public, own.agents)
    speaks_for = (*own.agents, *(name for name, dso in public.operated.items() if dso in own.agents))
    laid = read_private(private, speaks_for, plants=own.plants, grids=grids) if private is not None else None
    chosen = load_scenario(scenario, private=laid)
    named = run or chosen.name
    terms = Terms(
        named, broker, credentials, speed, timeout_s=timeout, clock_tolerance_s=clock_tolerance, journal=journal
    )
    with working(f"{', '.join(own.agents)}: taking part"):
        folder = run_host(chosen, own, terms, out or Path("parts") / f"{named}-{own.agents[0]}")
    if not quiet:
        typer.echo(f"record of this host: {folder}; `gridpact merge` joins those of all hosts")


def check_speed(speed: float) -> None:
    """ScenarioError for a speed at which no run can go."""
    if not 0 < speed < float("inf"):
        raise ScenarioError(f"--speed {speed:g}: it must be above 0, and finite")


def _merge(
    parts: Annotated[list[Path], typer.Argument(metavar="PART...", help="the records of all hosts of a run")],
    *,
    out: Annotated[Path, typer.Option(help="run directory")],
) -> None:
    """Merge the records of all hosts into one run directory, for audit, report and all else."""
    from .merge import merge

    with working("merging"):
        run = merge(parts, out)
    typer.echo(f"{run.folder}: {len(run.message_rows)} messages of {len(parts)} hosts")


def _broker(
    scenario: Name,
    *,
    out: Annotated[Path, typer.Option(help="folder for the configuration")],
    host: Annotated[str, typer.Option(help="name or address by which the hosts reach the broker")] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="port of the TLS listener")] = 8883,
    certificates: Annotated[
        bool, typer.Option("--certificates", help="agents show client certificates instead of passwords")
    ] = False,
) -> None:
    """Write a Mosquitto configuration: TLS certificates for a try, users, and who may publish and read what."""
    from ..reading.loading import load_scenario
    from .mosquitto import write_configuration

    with working("making certificates and rules"):
        folder = write_configuration(load_scenario(scenario), out, host=host, port=port, by_certificate=certificates)
    typer.echo(f"{folder}: start the broker with `mosquitto -c {folder / 'mosquitto.conf'}`")
    typer.echo("give each host the folders of its own agents in credentials/, and credentials/ca.crt")
