"""A plugin that is wrong is refused with a sentence; a plugin never gets what is not its own."""

import sys
from pathlib import Path

import pytest

from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Topic
from gridpact.protocols.errors import RemoteProtocolError
from gridpact.protocols.examples import example
from gridpact.protocols.wire import from_json, to_json
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.extension.plugins import extensions, vocabulary
from gridpact.scenarios.reading.loading import changed_scenario, load_scenario

TYPES = '''
from typing import ClassVar
from gridpact.protocols.messages import Message, Performative
from gridpact.protocols.templates import request

class Ask(Message):
    """Asks."""
    type_id: ClassVar[str] = "my.ask/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 11"

class Answer(Message):
    """Answers."""
    type_id: ClassVar[str] = "my.answer/1"
    performative: ClassVar[Performative] = Performative.INFORM
'''
TABLE = 'PROTOCOLS = (request("asking", stage="asking", ask=Ask, by="TSO", of="BSP", results=(Answer,)),)\n'
PLUGIN = TYPES + TABLE
WRONG = {
    "no table": (TYPES, "declares no PROTOCOLS"),
    "a list of something else": ("PROTOCOLS = [1]", "which is no protocol table"),
    "no sequence": ("PROTOCOLS = 1", "PROTOCOLS should be a tuple, but is int"),
    "broken syntax": ("PROTOCOLS = (", "mine.py:1: SyntaxError"),
    "an error of its own": ("x = 1\nraise KeyError('x')", "mine.py:2: KeyError: 'x'"),
    "a missing module": ("import nowhere_at_all", "mine.py:1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
    "a broken table": (PLUGIN.replace("ask=Ask", "ask=Answer"), "fipa-request opens with request, not with inform"),
    "our prefix": (PLUGIN.replace('"my.ask/1"', '"gridpact.ask/1"'), "the prefix 'gridpact.' is the project's"),
    "our type id": (PLUGIN.replace('"my.ask/1"', '"gridpact.offers/1"'), "the prefix 'gridpact.' is the project's"),
    "an INFO of the paper": (PLUGIN.replace("INFO 11", "INFO 3"), "INFO 3 is the paper's; yours begin with INFO 11"),
    "an INFO that is none": (PLUGIN.replace("INFO 11", "mine"), "should be None or read like INFO 11"),
    "our protocol's name": (
        PLUGIN.replace('"asking", stage', '"offering", stage'),
        "two protocols are called 'offering'",
    ),
    "an unknown role": (PLUGIN.replace('of="BSP"', 'of="ESCO"'), "nobody may take the role ESCO"),
    "a step of the paper": (
        PLUGIN.replace("results=(Answer,)", 'results=(Answer,), paper={Ask: "7.1"}'),
        "step '7.1' of my.ask/1 should read like 11.1",
    ),
    "a class as behaviour": (PLUGIN + "class B: kind = 'TSO'\nBEHAVIOURS = (B,)", "which is no instance with kind"),
    "a result of our name": (PLUGIN + "class Watch: pass\nRESULTS = (Watch,)", "the name Watch is used by the project"),
}


def scenario_with(folder: Path, plugin: str, name: str = "mine") -> Path:
    (folder / f"{name}.py").write_text(plugin)
    path = folder / "scenario.yaml"
    path.write_text(f"extends: blind\nname: with-plugin\nplugins: [{name}]\n")
    return path


@pytest.mark.parametrize("kind", WRONG)
def test_a_plugin_with_(kind: str, tmp_path: Path) -> None:
    text, wanted = WRONG[kind]
    with pytest.raises(ScenarioError) as caught:
        load_scenario(scenario_with(tmp_path, text))
    assert wanted in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/scenario.yaml:3: plugins: ")


def test_two_plugins_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    path = scenario_with(tmp_path, PLUGIN)
    (tmp_path / "other.py").write_text(PLUGIN.replace('"asking", stage', '"also-asking", stage'))
    path.write_text(path.read_text().replace("[mine]", "[mine, other]"))
    with pytest.raises(ScenarioError, match=r"plugins mine, other: two message types are called 'my\.ask/1'"):
        load_scenario(path)


def test_a_plugin_leaves_no_trace_beside_it_and_is_read_anew_when_changed(tmp_path: Path) -> None:
    path = scenario_with(tmp_path, PLUGIN)
    first = vocabulary(load_scenario(path))
    assert first.protocols["asking"] is vocabulary(load_scenario(path)).protocols["asking"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.py", "scenario.yaml"]
    (tmp_path / "mine.py").write_text(PLUGIN.replace("my.ask/1", "my.ask/2"))
    assert "my.ask/2" in vocabulary(load_scenario(path)).messages


def test_a_plugin_is_found_beside_the_file_that_is_extended(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    scenario_with(tmp_path / "deep", PLUGIN)
    (tmp_path / "mine.yaml").write_text("extends: deep/scenario.yaml\nname: further\n")
    scenario = load_scenario(tmp_path / "mine.yaml")
    assert "asking" in vocabulary(scenario).protocols
    assert "asking" in vocabulary(changed_scenario(scenario, {"seed": 2})).protocols


def test_an_installed_module_is_a_plugin_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "installed_somewhere").mkdir()
    (tmp_path / "installed_somewhere" / "__init__.py").write_text("")
    (tmp_path / "installed_somewhere" / "asking.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        extensions(load_scenario("blind", {"plugins": "[installed_somewhere.asking]"}))[0].protocols[0].name == "asking"
    )


def test_a_role_can_be_added_to_a_kind(tmp_path: Path) -> None:
    plugin = PLUGIN.replace('of="BSP"', 'of="POOL"') + 'ROLES = {"AGGREGATOR": {"POOL"}}\n'
    known = vocabulary(load_scenario(scenario_with(tmp_path, plugin)))
    assert known.roles["AGGREGATOR"] == {"BSP", "POOL"}
    desk = Desk("tso", {"tso": "TSO", "agg": "AGGREGATOR"}, known)
    opened = desk.open(
        known.protocols["asking"],
        Topic("tso", "asking", "now", "it", "agg"),
        example(known.messages["my.ask/1"]),
        reply_by_us=1,
    )
    assert Desk("agg", desk.kinds, known).hear(opened).reply is None
    refused = Desk("agg", {**desk.kinds, "agg": "BSP"}, known).hear(opened).reply
    assert refused is not None


def test_an_unknown_type_or_version_is_answered_with_what_is_understood(tmp_path: Path) -> None:
    known = vocabulary(load_scenario(scenario_with(tmp_path, PLUGIN)))
    desk = Desk("tso", {"tso": "TSO", "bsp-a": "BSP"}, known)
    topic = Topic("tso", "asking", "now", "it", "bsp-a")
    asked = to_json(desk.open(known.protocols["asking"], topic, example(known.messages["my.ask/1"]), reply_by_us=1))
    bsp = Desk("bsp-a", desk.kinds, known)
    newer = bsp.hear_text(asked.replace("my.ask/1", "my.ask/7"), via="tso").reply
    assert newer is not None
    assert newer.content.model_dump()["reason"] == "unknown message type 'my.ask/7'; understood: my.ask/1"
    other = bsp.hear_text(asked.replace("my.ask/1", "your.ask/1"), via="tso").reply
    assert other is not None
    assert "my.answer/1" in other.content.model_dump()["reason"]
    assert bsp.hear_text(asked, via="tso").reply is None


def test_nothing_is_imported_because_a_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    known = vocabulary(load_scenario("blind"))
    with pytest.raises(RemoteProtocolError):
        from_json('{"type": "evil", "content": {"@": "evil"}, "protocol": "evil"}', known)
    assert "evil" not in sys.modules


def test_without_plugins_agents_are_the_very_same(tmp_path: Path) -> None:
    from gridpact.agents.tso import Tso
    from gridpact.scenarios.operation import plants
    from gridpact.scenarios.operation.nodes import cast

    scenario = load_scenario("blind")
    assert isinstance(cast(scenario, plants.resources(scenario)).nodes["tso"].agent, Tso)
