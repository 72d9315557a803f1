"""`gridpact conform`: what somebody else's BSP or DSO does right and wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..commands.waiting import working


def conform_command(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="what the run is about: names, dates, rules")
    ] = None,
    *,
    broker: Annotated[str, typer.Option(help="mqtt://HOST:1883 or mqtts://HOST:8883")],
    role: Annotated[str, typer.Option(help="what is tried: bsp, aggregator or dso")] = "bsp",
    participant: Annotated[str | None, typer.Option(help="its name (default: the first of its role)")] = None,
    credentials: Annotated[Path | None, typer.Option(help="folder with those of all others")] = None,
    run: Annotated[str | None, typer.Option(help="name of the run (default: scenario)")] = None,
    speed: Annotated[float, typer.Option(help="times as fast as the clock")] = 1.0,
    timeout: Annotated[float, typer.Option(help="seconds to wait until it shows itself")] = 60.0,
    patience: Annotated[float, typer.Option(help="seconds that an answer may take, at least 30 s of the run")] = 1.0,
    out: Annotated[Path | None, typer.Option(help="write the report as JSON too")] = None,
) -> None:
    """Play all others against a BSP or a DSO of any make, and say step by step what it does right and wrong."""
    from rich.console import Console

    from ..hosting.commands import check_speed
    from ..reading.loading import load_scenario
    from .rehearsal import SCENARIOS, Terms, conform

    check_speed(speed)
    chosen = load_scenario(scenario or SCENARIOS.get(role, "conformance"))
    first = next((name for name, who in chosen.participants.items() if who.kind == role), role)
    terms = Terms(participant or first, broker, credentials, run, speed, timeout_s=timeout, patience_s=patience)
    with working(f"trying {terms.participant}"):
        report = conform(chosen, role, terms)
    console = Console()
    (console if console.is_terminal else Console(width=150)).print(report.as_table())
    judged = "conforms" if report.conforms else f"does not conform: {len(report.wrong)} wrong"
    typer.echo(f"{report.participant} {judged}")
    if out is not None:
        out.write_text(json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    if not report.conforms:
        sys.exit(1)
