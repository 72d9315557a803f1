"""The page about protocols of one's own is true: its commands run word for word, its cancel is answered each time."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridpact.scenarios.audit import audit
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.replaying import replay

sys.path.insert(0, str(Path(__file__).parent))
from page_reader import blocks

PAGE = "new-protocol.md"
CANCEL = 'Cancel(reason="not needed any more"), reply_by_us=now_us + '


def shown(title: str) -> str:
    return next(block.text for block in blocks(PAGE) if block.title == title)


def untitled(language: str) -> str:
    return "\n\n".join(block.text for block in blocks(PAGE) if block.language == language and not block.title)


def test_the_commands_do_what_the_page_says(follow: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "grid_state.py").write_text(untitled("python"), "utf-8")
    (tmp_path / "mine.yaml").write_text(untitled("yaml"), "utf-8")
    reader = follow(PAGE, "## What you get")
    assert "1 explorations, " in " ".join(reader.printed["gridpact verify grid-state --scenario mine.yaml"])
    windows = said(load_run(tmp_path / "runs" / "window"))
    assert {tuple(kinds) for kinds in windows.values()} == {("window-request", "agree", "cancel", "cancelled")}


def said(made: Run) -> dict[str, list[str]]:
    """What was said in each conversation about a window, in order."""
    found: dict[str, list[str]] = {}
    for row in made.message_rows:
        if row["protocol"] == "window":
            (name,) = re.findall(r"\.(.*)/", row["type"])
            found.setdefault(row["conversation_id"], []).append(name)
    return found


def test_a_repeated_cancel_is_answered_again_with_the_same_answer(tmp_path: Path) -> None:
    patient, wait = shown("window.py"), f"{CANCEL}30 * S"
    assert wait in patient
    (tmp_path / "window.py").write_text(patient.replace(wait, f"{CANCEL}S // 16"), "utf-8")  # sooner than any answer
    (tmp_path / "window.yaml").write_text(shown("window.yaml"), "utf-8")
    made = run(load_scenario(tmp_path / "window.yaml"), out=tmp_path / "run")
    windows = said(made)
    assert len(windows) == 5
    for names in windows.values():
        assert names.count("cancel") > 1
        assert names.count("cancelled") == names.count("cancel")
    assert audit(made).findings == ()
    assert replay(made) == []
