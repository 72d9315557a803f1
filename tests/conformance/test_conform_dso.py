"""Conformance of a DSO: a right one of another make passes, wrong ones are caught, and our own passes."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from little_dso import FLAWS, LittleDso
from standing import standing

from gridpact.agents.runtime.mqtt.embedded import embedded_broker
from gridpact.scenarios.conformance.findings import Report
from gridpact.scenarios.conformance.rehearsal import Terms, conform, prepared, rehearse_dso
from gridpact.scenarios.conformance.scene import Scene
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.loading import load_scenario

SPEED, OWN_SPEED = 80.0, 100.0
START = "2026-03-02T11:55:00+01:00"
DSO = "dso-north"


async def tried(flaw: str | None, scene: Scene, **rest: float) -> Report:
    """What is found of the little DSO over a broker of its own."""
    async with embedded_broker() as broker:
        little = LittleDso(broker.host, broker.port, speed=SPEED, start=START, flaw=flaw, **rest)
        living = asyncio.create_task(little.live())
        try:
            return await rehearse_dso(Terms(DSO, str(broker), speed=SPEED, patience_s=0.6, quiet_s=0.1), scene)
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)


def test_all_is_right_of_a_right_one_and_each_flaw_is_found() -> None:
    flaws, scenario = [None, *FLAWS], load_scenario("conformance-dso")
    reports = {flaw: standing(tried(flaw, prepared(scenario, DSO))) for flaw in flaws}
    wrong = {flaw: {finding.subject for finding in report.wrong} for flaw, report in reports.items()}
    assert reports[None].wrong == ()
    assert len(reports[None].findings) > 30
    assert {finding.verdict for finding in reports[None].findings} == {"right"}
    assert {flaw: flaw in wrong[flaw] for flaw in FLAWS} == dict.fromkeys(FLAWS, True), wrong


def test_a_limit_before_anything_is_violated_is_right() -> None:
    report = standing(tried(None, prepared(load_scenario("conformance-dso"), DSO), wary_mw=0.2))
    assert report.wrong == ()
    assert "asks for a limit before anything is violated" in {finding.text for finding in report.findings}


async def test_our_own_dso_conforms(brokers: Any, tmp_path: Path) -> None:
    async with brokers("own") as broker:
        common = (sys.executable, "-m", "gridpact")
        host = ("host", "conformance-dso", "--agents", DSO, "--broker", str(broker), "--out", str(tmp_path / "part"))
        hosting = await asyncio.create_subprocess_exec(*common, *host, "--quiet")
        told = ("--speed", str(OWN_SPEED), "--patience", "2", "--out", str(tmp_path / "report.json"))
        try:
            trying = await asyncio.create_subprocess_exec(
                *common, "conform", "--role", "dso", "--broker", str(broker), *told, stdout=asyncio.subprocess.PIPE
            )
            said, _ = await trying.communicate()
        finally:
            hosting.kill()
            await hosting.wait()
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [one for one in report["findings"] if one["verdict"] != "right"] == []
    assert trying.returncode == 0
    assert "dso-north conforms" in said.decode()


def test_a_scenario_in_which_a_dso_cannot_be_tried_is_refused() -> None:
    with pytest.raises(ScenarioError, match="needs BSPs in its grid, and scheme scenario-1-dso"):
        conform(load_scenario("scenario-1"), "dso", Terms(DSO, "mqtt://localhost"))
