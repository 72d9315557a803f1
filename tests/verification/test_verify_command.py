"""`gridpact verify` explores what is named and says what came of it; exit code 1 if a rule does not hold."""

from typing import Any

import pytest
from typer.testing import CliRunner

from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.cli import app
from gridpact.scenarios.commands import verifying
from gridpact.scenarios.errors import ScenarioError


def test_one_protocol_and_one_stage_are_explored_by_name() -> None:
    done = CliRunner().invoke(app, ["verify", "limit", "blind selection"])
    assert done.exit_code == 0, done.output
    assert "limit " in done.output
    assert "blind selection " in done.output
    assert "2 explorations, " in done.output
    assert done.output.rstrip().endswith("verify passed: every rule holds in all of them")


def test_an_unknown_name_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(ScenarioError, match='did you mean "scenario-1-dso"'):
        verifying.chosen(BUSINESS_USE_CASE, ["scenario-1-dzo"])


@pytest.mark.parametrize(("name", "file"), [("window", "FILE"), ("mine.yaml", "mine.yaml")])
def test_whoever_names_a_plugins_protocol_is_told_of_its_scenario_and_not_of_every_exploration(
    name: str, file: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        verifying.chosen(BUSINESS_USE_CASE, [name])
    assert f"plugins are known with --scenario {file}; known are: protocols, blind, " in str(refused.value)
    assert "blind selection" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_everything_but_the_soak_is_explored_if_nothing_is_named() -> None:
    named = [work.name for work in verifying.chosen(BUSINESS_USE_CASE, [])]
    assert len(named) == len(set(named))
    assert set(BUSINESS_USE_CASE.protocols) < set(named)
    assert {"blind orders", "scenario-2 chained", "scenario-1-dso limits, dso silent"} < set(named)
    assert not any("soak" in name for name in named)


def test_without_faults_nothing_is_lost() -> None:
    chosen: list[Any] = verifying.chosen(BUSINESS_USE_CASE, ["scenario-1"], faults=0)
    assert {work.faults for work in chosen} == {0}
