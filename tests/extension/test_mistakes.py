"""A mistake in a behaviour is one sentence: file and line, plugin, agent, event, what is wrong and what is right."""

import io
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gridpact.agents.errors import PluginError
from gridpact.agents.runtime.memory.journal import to_text
from gridpact.agents.runtime.studies.annex import READY, Annex, serve
from gridpact.agents.runtime.studies.laboratory import Laboratory
from gridpact.grid.errors import GridError
from gridpact.protocols.errors import LocalProtocolError
from gridpact.scenarios.cli import main
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario

sys.path.insert(0, str(Path(__file__).parent))
from asking import PLUGIN

ANSWER = "return state, (Say(event.conversation.id, Answer()),)"
OPENED = "Open(ASKING, topic, Ask(), reply_by_us=now_us + 1_000_000)"
START = 'kind: str = "BSP"\n\n    def start(self):\n        return ()\n'
HEARD = "bsp-a at Heard my.ask/1 in tso/asking/now/it/bsp-a"
RIGHT = "right is the next state and a tuple of actions"
BSP, TSO = "# where the BSP's begins", "# where the TSO's begins"
WRONG = {  # what stands instead of what, in which line the mistake is found, and what is said of it
    "raises": (ANSWER, "return state[1], ()", "return state[1], ()", f"{HEARD}: IndexError: tuple index out of range"),
    "one action": (
        ANSWER,
        "return state, Say(event.conversation.id, Answer())",
        BSP,
        f"{HEARD}: react returned one Say and no tuple; {RIGHT}: return state, (action,)",
    ),
    "no state": (ANSWER, "return (Say(event.conversation.id, Answer()),)", BSP, f"react returned tuple; {RIGHT}"),
    "only an action": (ANSWER, 'return Wake("a", 1)', BSP, f"{HEARD}: react returned Wake; {RIGHT}"),
    "nothing": (ANSWER, "return None", BSP, f"{HEARD}: react returned None; {RIGHT}: return state, ()"),
    "no actions": (ANSWER, "return state, None", BSP, f"react returned None as its actions; {RIGHT}"),
    "a message": (ANSWER, "return state, (Answer(),)", BSP, "react returned Answer among its actions"),
    "no content": (
        OPENED,
        'Open(ASKING, topic, Ask(quantity_mw="lots"), reply_by_us=now_us)',
        "lots",
        "tso at Woken now: Ask: quantity_mw: Input should be a valid number",
    ),
    "no reply-by": (OPENED, "Open(ASKING, topic, Ask())", TSO, "we wait for an answer to my.ask/1 without reply-by"),
    "twice the same": (OPENED, f"{OPENED}, {OPENED}", TSO, "tso/asking/now/it/bsp-a is open already"),
    "at once and twice": ('(Wake("now", now_us + 1),)', "(self.at(now_us),) * 2", TSO, "tso at Started: conversation"),
    "out of turn": (ANSWER, ANSWER.replace("),)", "),) * 2"), BSP, "in 'done', where we may say nothing"),
    "a set as evidence": (
        ANSWER,
        'return state, (Note("asking", None, {"who": [{"a"}]}),)',
        BSP,
        f"{HEARD}: react returned Note with set in its evidence, which JSON cannot say; right are texts, numbers, None",
    ),
    "a text as evidence": (
        ANSWER,
        'return state, (Note("asking", None, "a"),)',
        BSP,
        "evidence 'a'; right is a mapping",
    ),
    "half a letter": (ANSWER, 'return state, (Note("asking", None, {"a": "\\ud800"}),)', BSP, "surrogates not allowed"),
    "no time": (ANSWER, 'return state, (Wake("a", None),)', BSP, "Wake with at_us None; right is a whole number"),
    "no pause": (
        ANSWER,
        'return state, (Observe("a", 0, now_us),)',
        BSP,
        "Observe with every_us 0; right is 1 or more",
    ),
    "no message": (ANSWER, "return state, (Say(event.conversation.id, 5),)", BSP, "content 5; right is a message"),
    "a study of nowhere": (
        ANSWER,
        'return state, (Compute("a", Look("nowhere")),)',
        "def run",
        "plugin mine: study Look of grid nowhere: there is no such grid to study",
    ),
    "no first state": (START, START.replace("()\n", "1 / 0\n"), "1 / 0", "bsp-a at its start: ZeroDivisionError"),
}
LOOK = """

@dataclass(frozen=True)
class Look:
    grid: str

    def run(self, studies):
        return ()


STUDIES = (Look,)
"""
AT = """

    def at(self, now_us):
        return Open(ASKING, Topic("tso", "asking", "now", "it", "bsp-a"), Ask(), reply_by_us=now_us + 1)
"""


def written(folder: Path, kind: str) -> str:
    """The plugin with a mistake, and a scenario with it; returns the plugin's text."""
    old, new, _, _ = WRONG[kind]
    text = PLUGIN.replace(old, new, 1).replace('kind: str = "TSO"\n', f'kind: str = "TSO"{AT}', 1) + LOOK
    text = text.replace("import Open, Say, Wake", "import Compute, Note, Observe, Open, Say, Wake")
    assert new in text
    (folder / "mine.py").write_text(text)
    (folder / "mine.yaml").write_text("gridpact: 1\nextends: blind\nname: mine\nplugins: [mine]\n")
    return text


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize("kind", WRONG)
def test_the_mistake_is_named_with_its_place_(kind: str, tmp_path: Path) -> None:
    text = written(tmp_path, kind)
    _, _, part, wanted = WRONG[kind]
    with pytest.raises(PluginError) as caught:
        run(load_scenario(tmp_path / "mine.yaml", {"time.market_time_units": "1"}), out=tmp_path / "run")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}/mine.py:{line_of(text, part)}: plugin mine: ")
    assert wanted in said
    assert "\n" not in said
    assert isinstance(caught.value.__cause__, Exception)


def test_the_command_says_it_in_one_sentence_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "one action")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gridpact", "run", "mine.yaml", "--quiet"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert re.search(r"^gridpact: .*mine\.py:\d+: plugin mine: bsp-a at Heard", capsys.readouterr().err, re.MULTILINE)


def test_what_the_agent_itself_may_not_do_stays_its_own_error(tmp_path: Path) -> None:
    from gridpact.agents.actions import Say
    from gridpact.agents.events import Started
    from gridpact.protocols.messages import Done
    from gridpact.scenarios.operation import plants
    from gridpact.scenarios.operation.nodes import cast

    written(tmp_path, "one action")
    scenario = load_scenario(tmp_path / "mine.yaml")
    agent = cast(scenario, plants.resources(scenario)).nodes["tso"].agent
    agent.answer_for(Say("a/b/c/d/e", Done()), Started(), LocalProtocolError("ours"))  # type: ignore[attr-defined]


class Found(NamedTuple):
    much: float


class Unsaid(NamedTuple):
    much: float


@dataclass(frozen=True)
class Look:
    """A study that answers what it is given, or raises it."""

    gives: Any
    grid: str = "north"

    def run(self, studies: object) -> object:
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


LABORATORY = Laboratory({"north": None}, {Look: "mine"}, {"Found": Found})  # type: ignore[dict-item]
BEGINS = f"{__file__}:{Look.run.__code__.co_firstlineno}: plugin mine: study Look of grid north: "
RAISES = f"{__file__}:{Look.run.__code__.co_firstlineno + 2}: plugin mine: study Look of grid north: "


def test_a_study_that_fails_is_named_with_its_line() -> None:
    with pytest.raises(PluginError) as caught:
        LABORATORY.run(Look(ZeroDivisionError("by nothing")))
    assert str(caught.value) == f"{RAISES}ZeroDivisionError: by nothing"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("answer", [{1}, {"a": 1}, object(), Unsaid(1.0), (1, (2, {3})), b"1"])
def test_a_study_answers_with_what_the_journal_can_hold(answer: object) -> None:
    with pytest.raises(PluginError) as caught:
        LABORATORY.run(Look(answer))
    said = str(caught.value)
    assert said.startswith(f"{BEGINS}run returned {answer!r}, which the journal cannot hold; right are numbers, texts")


@pytest.mark.parametrize("answer", [None, 1, 0.5, "a", (1, ("b", None)), Found(1.0), (Found(1.0),)])
def test_numbers_texts_tuples_and_results_are_answers(answer: object) -> None:
    assert LABORATORY.run(Look(answer)) == (answer, None)


def test_what_the_grid_cannot_answer_stays_an_answer() -> None:
    assert LABORATORY.run(Look(GridError("no bus"))) == (None, "no bus")


def test_a_study_that_nobody_declares_is_named() -> None:
    with pytest.raises(PluginError, match="no study is called Look; those of a plugin stand in its STUDIES"):
        Laboratory({}).run(Look(1))


def test_the_process_for_studies_tells_the_mistake_too() -> None:
    class Other(NamedTuple):
        grid: str

    asked = "\n".join(map(to_text, (Look(1, "nowhere"), Other("north"), Look(1))))
    heard = io.BytesIO()
    serve(LABORATORY, io.BytesIO(asked.encode()), heard)
    told = [json.loads(line) for line in heard.getvalue().removeprefix(READY).splitlines()]
    assert "study Look of grid nowhere: there is no such grid to study; there are north" in told[0]["mistake"]
    assert told[1]["mistake"].startswith("no study is called Other; ")
    assert told[2] == {"result": 1, "error": None}


async def test_a_mistake_in_another_process_ends_the_run_as_one_here() -> None:
    program = 'import json; print("ready", flush=True); input(); print(json.dumps({"mistake": "copy/m.py:7: wrong"}))'
    annex = Annex([sys.executable, "-c", program])
    await annex.start()
    try:
        with pytest.raises(PluginError, match=rf"^{re.escape(__file__)}:7: wrong"):
            await annex.ask(Look(1))
        with pytest.raises(PluginError, match="holds what the process for studies cannot be told"):
            await annex.ask(Look({"a": 1}))
    finally:
        await annex.close()
