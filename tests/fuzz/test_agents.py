"""Agents in the middle of a run: attacks change nothing, and nothing that a rightful party may say makes one crash."""

import io
import json
import shutil
from pathlib import Path

import pytest
from crowd import Crowd
from recorded import recorded
from rich.console import Console

from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.summary.tables import print_summary


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return recorded(tmp_path_factory.mktemp("run"))


def test_agents_stand_attacks_and_surprises(run: Run) -> None:
    crowd = Crowd(run, seed=1)
    for node, at_us in crowd.play(each=0.7):
        crowd.attack(node, at_us)
        crowd.surprise(node, at_us)
    assert crowd.counts["odd"] > 500
    assert crowd.counts.total() - crowd.counts["odd"] > 500


def test_what_was_said_in_spite_of_attacks_is_what_was_recorded(run: Run) -> None:
    """The same agents, attacked after every input, still say every message of the record."""
    crowd, said = Crowd(run, seed=2), set[str]()
    for node, at_us in crowd.play(each=1.0):
        crowd.attack(node, at_us)
    for node in crowd.nodes.values():
        said |= {f"{one.id}|{one.state}" for one in node.desk.known().values()}
    calm = Crowd(run, seed=2)
    for _ in calm.play(each=0.0):
        pass
    assert said == {f"{o.id}|{o.state}" for node in calm.nodes.values() for o in node.desk.known().values()}
    assert {name: node.state for name, node in crowd.nodes.items()} == {n: one.state for n, one in calm.nodes.items()}


def test_the_run_has_what_is_worth_attacking(run: Run) -> None:
    types = {row["type"] for row in run.message_rows}
    assert {"gridpact.limit-request/1", "gridpact.activate/1", "gridpact.acceptance/1"} <= types


def test_what_was_not_taken_stands_in_the_record_and_the_summary(run: Run, tmp_path: Path) -> None:
    assert run.refused == {}
    shutil.copytree(run.folder, tmp_path / "copy")
    hosts = [{"refused": {"tso": {"forged": 2, "too fast": 7}}}, {"refused": {"bsp-a": {"heard before": 1}}}]
    (tmp_path / "copy" / "timing.json").write_text(json.dumps({"hosts": hosts}), "utf-8")
    again, printed = load_run(tmp_path / "copy"), io.StringIO()
    assert again.refused == {"tso": {"forged": 2, "too fast": 7}, "bsp-a": {"heard before": 1}}
    print_summary(again, Console(file=printed, width=200))
    assert "forged 2, too fast 7" in printed.getvalue()
