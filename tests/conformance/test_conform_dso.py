"""Conformance of a DSO: a right one of another make passes, wrong ones are caught."""

import asyncio

import pytest
from little_dso import FLAWS, LittleDso
from standing import standing

from gridpact.agents.runtime.mqtt.embedded import embedded_broker
from gridpact.scenarios.conformance.findings import Report
from gridpact.scenarios.conformance.rehearsal import Terms, conform, prepared, rehearse_dso
from gridpact.scenarios.conformance.scene import Scene
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import load_scenario

SPEED = 80.0
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


def test_a_scenario_in_which_a_dso_cannot_be_tried_is_refused() -> None:
    with pytest.raises(ScenarioError, match="needs BSPs in its grid, and scheme scenario-1-dso"):
        conform(load_scenario("scenario-1"), "dso", Terms(DSO, "mqtt://localhost"))
