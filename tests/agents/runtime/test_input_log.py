"""The write-ahead log, and an agent that is rebuilt from it."""

import subprocess
import sys
from pathlib import Path

import pytest

from gridpact.agents.actions import Compute, Observe
from gridpact.agents.errors import LogError
from gridpact.agents.runtime.inputs import Alarm, Begin, Reading, Result
from gridpact.agents.runtime.memory.input_log import InputLog
from gridpact.agents.runtime.memory.recovery import Lived, Unfinished
from gridpact.agents.runtime.mqtt.memory import Memory
from gridpact.agents.runtime.mqtt.roll import Start

S = 1_000_000
DIES = """
import os, sys
from pathlib import Path
from gridpact.agents.runtime.memory.input_log import InputLog
log = InputLog(Path(sys.argv[1]))
log.add("bsp-a", 1, "first")
log.flush()
log.add("bsp-a", 2, "second")
os._exit(9)
"""


def test_what_was_flushed_outlives_its_process_and_what_was_not_does_not(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "log")], check=False)
    assert died.returncode == 9
    log = InputLog(tmp_path / "log")
    assert [entry.text for entry in log.entries()] == ["first"]
    log.add("bsp-b", 3, "third")
    assert [entry.text for entry in log.entries("bsp-b")] == ["third"]
    log.close()


def test_two_processes_cannot_write_one_log(tmp_path: Path) -> None:
    first = InputLog(tmp_path / "log")
    with pytest.raises(LogError, match="cannot be used"):
        InputLog(tmp_path / "log")
    first.close()


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a letter to the editor, which is longer than the head of a database" * 20, "utf-8")
    with pytest.raises(LogError, match="this log cannot be used"):
        InputLog(tmp_path / "log")


def test_the_journal_of_another_run_or_of_one_that_is_over_is_refused(tmp_path: Path) -> None:
    log = InputLog()
    memory = Memory(log, {}, "run one")
    assert memory.is_new
    assert memory.beginning is None
    memory.begins(Start(call="x", begin_us=5, speed=2.0), 7)
    again = Memory(log, {}, "run one")
    assert not again.is_new
    assert again.lives == 1
    assert again.beginning is not None
    assert (again.beginning.start.speed, again.beginning.begin_us) == (2.0, 7)
    with pytest.raises(LogError, match="of another run"):
        Memory(log, {}, "run two")
    again.finished()
    with pytest.raises(LogError, match="is over"):
        Memory(log, {}, "run one")


def test_what_is_acknowledged_is_known_by_its_key() -> None:
    log = InputLog()
    for key in ("a", "b", "a"):
        log.acknowledge(key)
    assert log.acknowledged() == {"a", "b"}


def test_a_life_leaves_studies_and_observations_that_have_not_ended() -> None:
    unfinished = Unfinished()
    asked, wish = Compute("mol", object()), Observe("meter", 4 * S, 100 * S)
    unfinished.note(Lived(S, Begin(), [asked, Compute("state", object()), wish, Observe("once", S, S)]))
    unfinished.note(Lived(4 * S, Reading("meter", None), []))
    unfinished.note(Lived(5 * S, Result("state", None), []))
    unfinished.note(Lived(5 * S, Alarm("x", 5 * S), []))
    unfinished.note(Lived(6 * S, Reading("once", None), []))
    assert unfinished.begun
    assert unfinished.studies == [(S, asked)]
    assert [(each.wish, each.next_us) for each in unfinished.watching] == [(wish, 8 * S)]
