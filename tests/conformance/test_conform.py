"""Conformance of others: a right BSP of another make passes, wrong ones are caught, each for its own reason."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from little_bsp import FLAWS, LittleBsp
from standing import standing
from typer.testing import CliRunner

from gridpact.agents.runtime.mqtt.embedded import embedded_broker
from gridpact.scenarios.cli import app
from gridpact.scenarios.conformance.findings import Report
from gridpact.scenarios.conformance.rehearsal import Terms, conform, rehearse
from gridpact.scenarios.conformance.script import play_against_bsp
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import load_scenario

SPEED = 150.0
START = "2026-03-02T11:48:00+01:00"


async def tried(flaw: str | None) -> Report:
    """What is found of the little BSP over a broker of its own."""
    async with embedded_broker() as broker:
        little = LittleBsp(broker.host, broker.port, speed=SPEED, start=START, flaw=flaw)
        living = asyncio.create_task(little.live())
        try:
            terms = Terms("bsp-a", str(broker), speed=SPEED, patience_s=0.6, quiet_s=0.1)
            return await rehearse(load_scenario("conformance"), terms, play_against_bsp)
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)


def test_all_is_right_of_a_right_one_and_each_flaw_is_found() -> None:
    reports = {flaw: standing(tried(flaw)) for flaw in (None, *FLAWS)}
    found = {flaw: {finding.subject for finding in report.wrong} for flaw, report in reports.items()}
    assert reports[None].wrong == ()
    assert len(reports[None].findings) > 30
    assert {flaw: flaw in found[flaw] for flaw in FLAWS} == dict.fromkeys(FLAWS, True), found


async def test_who_does_not_come_does_not_conform(brokers: Any, tmp_path: Path) -> None:
    async with brokers("nobody") as broker:
        arguments = ("conform", "--broker", str(broker), "--timeout", "0.2", "--speed", "5000")
        result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--out", str(tmp_path / "report.json")])
    assert result.exit_code == 1
    assert "bsp-a has not applied" in result.output
    assert not json.loads((tmp_path / "report.json").read_text("utf-8"))["conforms"]


@pytest.mark.parametrize(
    ("role", "name", "sentence"),
    [
        ("tso", "tso", "there is a script for bsp, aggregator, dso only"),
        ("bsp", "agg-1", "no bsp of conformance is called so"),
    ],
)
def test_what_cannot_be_tried_is_refused(role: str, name: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        conform(load_scenario("conformance"), role, Terms(name, "mqtt://localhost"))
