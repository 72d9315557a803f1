"""Documentation pages as what they are: files to write, commands to run, and what these are said to print."""

import re
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gridpact.scenarios.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, title and text."""

    language: str
    title: str
    text: str


def blocks(page: str, since: str = "") -> list[Block]:
    """The fenced blocks of a page, in order; from a heading on, if one is named."""
    text = (DOCS / page).read_text(encoding="utf-8")
    text = text[text.index(since) :]
    return [Block(*found) for found in BLOCK.findall(text)]


def plain(text: str) -> list[str]:
    return [re.sub(r"[\s━─]+", " ", line).strip() for line in text.splitlines()]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """(command, what it is said to print) of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


class Reader:
    """Follows a page step by step in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.printed: dict[str, list[str]] = {}
        self.names: dict[str, object] = {"__name__": "page"}
        self._written: set[str] = set()

    def follow(self, page: str, since: str = "") -> None:
        for block in blocks(page, since):
            if block.language == "console":
                for command, shown in commands(block.text):
                    self._run(command, shown)
            elif block.language == "text" and block.title.startswith("gridpact "):
                self._printed_by(block.title, block.text)
            elif block.title:
                self._write(block)
            elif block.language == "python":
                exec(compile(block.text, f"{page}", "exec", dont_inherit=True), self.names)  # noqa: S102

    def _write(self, block: Block) -> None:
        """A file; a second block of the same title goes on with it."""
        mode = "a" if block.title in self._written else "w"
        self._written.add(block.title)
        with (self.folder / block.title).open(mode, encoding="utf-8") as file:
            file.write(block.text + ("\n" if block.language == "python" else ""))

    def _run(self, command: str, shown: str) -> None:
        words, _, target = command.partition(" > ")
        self._capsys.readouterr()
        sys.argv = words.split()
        code: object = 0
        try:
            main() if sys.argv[0] == "gridpact" else self._script()
        except SystemExit as stop:
            code = stop.code
        out, err = self._capsys.readouterr()
        assert code in (0, None), f"{command}: {err}"
        if target:
            (self.folder / target).write_text(out, encoding="utf-8")
        self.printed[command] = plain(out)
        self._printed_by(command, shown)

    @staticmethod
    def _script() -> None:
        """python FILE"""
        assert sys.argv[0] == "python", sys.argv
        runpy.run_path(sys.argv[1], run_name="__main__")

    def _printed_by(self, command: str, shown: str) -> None:
        missing = [line for line in plain(shown) if line and line not in self.printed[command]]
        assert not missing, f"{command} does not print: {missing}, but {self.printed[command]}"
