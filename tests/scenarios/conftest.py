"""The built-in scenarios, run once for all tests (and for all worker processes), and copies with covered changes."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from once import alone, recorded_once

from gridpact.scenarios.audit.index import Index
from gridpact.scenarios.kpis import compute_kpis
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.derived import derived_files
from gridpact.scenarios.record.manifest import describe
from gridpact.scenarios.record.run import Run, load_run

Rows = list[dict[str, Any]]
Change = Callable[[Rows], Rows]
SHORT = {
    "time.first_delivery": "2026-03-02T12:30:00+01:00",
    "time.market_time_units": "1",
    **{f"ticks.{name}_s": "10" for name in ("control", "measurement", "monitoring")},
}


@pytest.fixture(scope="session")
def recorded(shared: Path) -> Callable[[str], Run]:
    """The record of a built-in scenario."""
    return cache(lambda name: _run_once(name, shared / name, {}))


@pytest.fixture(scope="session")
def short(shared: Path) -> Callable[[str], Run]:
    """The record of a built-in scenario with few ticks and one period only, in which the wind leaves its forecast."""
    return cache(lambda name: _run_once(name, shared / f"short-{name}", SHORT))


@pytest.fixture(scope="session")
def short_settings() -> dict[str, str]:
    """What makes a built-in scenario as short as that."""
    return dict(SHORT)


@pytest.fixture(scope="session")
def unlimited(shared: Path) -> Callable[[str], Run]:
    """The record of a built-in scenario's twin run, in which the DSO limits nothing in real time."""
    settings = {"coordination.real_time_limits": "false", "journal": "false"}
    return cache(lambda name: _run_once(name, shared / f"unlimited-{name}", settings))


@pytest.fixture(scope="session")
def page(shared: Path, recorded: Callable[[str], Run]) -> Path:
    """The page of a run with limits in real time."""
    return _page_once(shared / "limited.html", lambda: recorded("scenario-1-dso"))


@pytest.fixture(scope="session")
def blind_page(shared: Path, short: Callable[[str], Run]) -> Path:
    """The page of a run without a DSO; its title looks like markup."""
    return _page_once(shared / "blind.html", lambda: _entitled(short("blind"), shared / "entitled"))


def _entitled(run: Run, folder: Path) -> Run:
    shutil.copytree(run.folder, folder)
    scenario = folder / "scenario.yaml"
    scenario.write_text(re.sub(r"(?m)^title:.*$", 'title: "<img src=x onerror=alert(1)>"', scenario.read_text()))
    return Run(folder)


def _page_once(out: Path, run: Callable[[], Run]) -> Path:
    from gridpact.scenarios.report import write_report

    with alone(out):
        return out if out.exists() else write_report(run(), out)


def _run_once(name: str, out: Path, settings: dict[str, str]) -> Run:
    from gridpact.scenarios.operation.running import run

    return recorded_once(out, lambda out: run(load_scenario(name, settings), out=out))


@pytest.fixture
def tampered(tmp_path: Path) -> Callable[..., Run]:
    """A copy of a run with changed messages, events or files that is consistent in itself."""

    def tamper(
        run: Run,
        *,
        messages: Change | None = None,
        events: Change | None = None,
        files: Callable[[Path], object] | None = None,
    ) -> Run:
        folder = tmp_path / "tampered"
        shutil.copytree(run.folder, folder)
        _rewrite(folder / "messages.jsonl", run.message_rows, messages)
        _rewrite(folder / "events.jsonl", run.event_rows, events)
        if files is not None:
            files(folder)
        return _covered(folder)

    return tamper


@pytest.fixture
def write_lines() -> Callable[[Path, Sequence[dict[str, Any]]], None]:
    """Writes rows as JSON lines."""
    return _write_lines


def _rewrite(path: Path, rows: Rows, change: Change | None) -> None:
    if change is not None:
        changed = change(json.loads(json.dumps(rows)))
        _write_lines(path, [{**row, "sequence": number} for number, row in enumerate(changed)])


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _covered(folder: Path) -> Run:
    """Derived files, KPIs and manifest made anew, so that only the sense of the record can tell."""
    run = Run(folder)
    counts = {"messages.jsonl": len(run.message_rows), "events.jsonl": len(run.event_rows)}
    for name, (content, rows) in derived_files(run.message_rows, run.event_rows).items():
        (folder / name).write_bytes(content)
        counts[name] = rows
    (folder / "kpis.json").write_text(json.dumps(compute_kpis(Index(run)), indent=1, ensure_ascii=False) + "\n")
    (folder / "manifest.json").write_text(json.dumps(describe(folder, counts, {})))
    return load_run(folder)
