"""What pages show in passing is true: fragments of scenarios are valid, commands have these options."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from gridpact.scenarios.cli import app
from gridpact.scenarios.reading.loading import load_scenario

sys.path.insert(0, str(Path(__file__).parent))
from page_reader import DOCS, blocks

PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
ELSEWHERE = {"networks-and-series.md", "new-protocol.md"}  # with files of their own: their own tests write them
HEAD = "gridpact: 1\nname: fragment\nextends: scenario-1-dso\n"


def fragments() -> list[tuple[str, str]]:
    """(page, text) of every piece of a scenario that is no file of its own."""
    pages = [path.name for path in DOCS.glob("*.md") if path.name not in ELSEWHERE]
    return [
        (page, one.text) for page in sorted(pages) for one in blocks(page) if one.language == "yaml" and not one.title
    ]


@pytest.mark.parametrize(("page", "text"), fragments())
def test_a_fragment_of_a_scenario_is_valid(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "fragment.yaml").write_text(HEAD + text, "utf-8")
    assert load_scenario(tmp_path / "fragment.yaml").name == "fragment", page


def told_in_passing() -> Iterator[tuple[str, str]]:
    """(page, command) of every command within a sentence; RUN, FILE and the like stand for a name."""
    for path in PAGES:
        text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for command in re.findall(r"`(gridpact [a-z][^`]*)`", text):
            if "…" not in command:
                yield path.name, " ".join(command.split())


@pytest.mark.parametrize(("page", "command"), sorted(set(told_in_passing())))
def test_a_command_within_a_sentence_has_the_options_that_are_shown(page: str, command: str) -> None:
    name, *rest = command.split()[1:]
    known = typer.main.get_command(app).commands[name].params  # type: ignore[attr-defined]
    options = {word for word in rest if word.startswith("--")}
    assert options <= {text for param in known for text in param.opts}, f"{page}: {command}"
