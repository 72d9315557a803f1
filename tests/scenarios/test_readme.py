"""The README is true: its commands run, and what it shows of their output is what they print."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gridpact
from gridpact.scenarios.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def sessions() -> Iterator[list[tuple[str, list[str]]]]:
    """Console blocks as (command, lines shown after it)."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        session: list[tuple[str, list[str]]] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                session.append((line[2:], []))
            else:
                session[-1][1].append(line)
        yield session


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    package = Path(gridpact.__file__).parent
    path = os.pathsep.join(filter(None, [str(package.parent), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "COLUMNS": "116", **({"PYTHONPATH": path} if package.name == "gridpact" else {})}
    arguments = [sys.executable, "-m", *command.split()]
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def plain(text: str) -> list[str]:
    return [re.sub(r"[\s━─]+", " ", line).strip() for line in text.splitlines()]


def check(command: str, printed: str, shown: list[str]) -> None:
    lines = plain(printed)
    missing = [line for line in plain("\n".join(shown)) if line not in lines]
    assert not missing, f"{command} does not print: {missing}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, in which everything is tried in the order of the README."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def main_job(folder: Path) -> Path:
    """The folder after the main job, whose output is what the README shows."""
    session = next(sessions())
    assert [command for command, _ in session] == ["make run", "make test"]
    done = run("gridpact run scenario-1-dso", folder)
    assert done.returncode == 0, done.stderr
    check("make run", done.stdout, session[0][1])
    return folder


def test_make_is_run_by_ci() -> None:
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(f" {command}\n" in steps for command in ("make run", "make test"))


def test_every_other_command_runs_and_prints_what_is_shown(main_job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: that they can be processes of their own is seen of the main job."""
    monkeypatch.chdir(main_job)
    for command, shown in [pair for session in list(sessions())[1:] for pair in session]:
        program, *words = command.split()
        done = CliRunner().invoke(app, words, env={"COLUMNS": "116"})
        assert (program, done.exit_code) == ("gridpact", 0), f"{command}: {done.output}"
        check(command, done.stdout, shown)


def test_the_python_example_runs(
    main_job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(main_job)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})  # noqa: S102
    assert "allowed_mw" in capsys.readouterr().out


def test_the_places_it_names_exist() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]
