"""Agents in the middle of a run: attacks change nothing, and nothing that a rightful party may say makes one crash."""

import pytest
from crowd import Crowd
from recorded import recorded

from gridpact.scenarios.record.run import Run


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
        said |= {f"{one.id}|{one.state}" for one in node.desk.conversations.values()}
    calm = Crowd(run, seed=2)
    for _ in calm.play(each=0.0):
        pass
    assert said == {f"{o.id}|{o.state}" for node in calm.nodes.values() for o in node.desk.conversations.values()}
    assert {name: node.state for name, node in crowd.nodes.items()} == {n: one.state for n, one in calm.nodes.items()}


def test_the_run_has_what_is_worth_attacking(run: Run) -> None:
    types = {row["type"] for row in run.message_rows}
    assert {"gridpact.limit-request/1", "gridpact.activate/1", "gridpact.acceptance/1"} <= types
