"""A sweep's folder: what is asked, and the result of every point that is done, each written whole or not at all.

sweep.json  scenario.yaml  results/POINT.json …  sweep.parquet  sweep.csv  runs/POINT/ (if they are kept)
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..version import VERSION
from .points import Axes

SCENARIO, RESULTS, RUNS = "scenario.yaml", "results", "runs"
FORMAT_VERSION = 1
Result = dict[str, Any]


class SweepFolder:
    """Where the results of a sweep, or of another `kind` of many runs, are kept and looked up."""

    def __init__(self, path: Path, kind: str = "sweep") -> None:
        self.path, self._kind = path, kind
        self._plan = f"{kind}.json"

    def begin(self, *, name: str, base: str, axes: Axes, scenario_yaml: str) -> None:
        """Make the folder, or go on in it; RecordError if it holds something else or cannot be written.

        `base` tells one scenario and version from another: results of different ones never share a folder.
        """
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise RecordError(f"{self.path}: exists and is no folder; name another one with --out")
        if self.path.is_dir() and any(self.path.iterdir()):
            self._check_same(base)
        plan = {"format": f"gridpact-{self._kind}", "format_version": FORMAT_VERSION, "gridpact_version": VERSION}
        plan |= {"scenario": name, "base": base, "axes": {path: list(values) for path, values in axes.items()}}
        try:
            (self.path / RESULTS).mkdir(parents=True, exist_ok=True)
            self.write(SCENARIO, scenario_yaml.encode())
            self.write(self._plan, (json.dumps(plan, indent=1, ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise RecordError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _check_same(self, base: str) -> None:
        if not (self.path / self._plan).is_file():
            text = f"exists and holds other files than a {self._kind}; name another one with --out"
            raise RecordError(f"{self.path}: {text}")
        if self.plan()["base"] != base:
            text = f"holds a {self._kind} of another scenario or version of gridpact; name another folder with --out"
            raise RecordError(f"{self.path}: {text}")

    def plan(self) -> dict[str, Any]:
        """What was asked; RecordError if this is no sweep, or one of another format."""
        path = self.path / self._plan
        try:
            plan = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            text = f"this is no {self._kind}: it has no {self._plan}"
            raise RecordError(f"{self.path}: {text}") from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError):
            raise RecordError(
                f"{path}:1: this file is damaged: it is no JSON; name another folder with --out"
            ) from None
        wanted = (f"gridpact-{self._kind}", FORMAT_VERSION)
        if not isinstance(plan, dict) or (plan.get("format"), plan.get("format_version")) != wanted:
            raise RecordError(f'{path}:1: format and format_version should be "{wanted[0]}" and {FORMAT_VERSION}')
        if not isinstance(plan.get("axes"), dict) or not isinstance(plan.get("base"), str):
            raise RecordError(f"{path}:1: this file is damaged: it should name its base and axes")
        return plan

    def result(self, key: str) -> Result | None:
        """What a point came to; None if it is not done, or its file was damaged, which is as good as not done."""
        try:
            found = json.loads((self.path / RESULTS / f"{key}.json").read_text("utf-8"))
        except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
            return None
        return found if isinstance(found, dict) and ("kpis" in found) != ("error" in found) else None

    def keep(self, key: str, settings: Mapping[str, str], result: str) -> Result:
        """Keep a worker's result of a point; a text that is none becomes an error of that point."""
        try:
            found = json.loads(result)
        except json.JSONDecodeError:
            found = {"error": f"the worker's answer is no JSON: {result[:80]!r}"}
        values: Result = {"key": key, "settings": dict(settings), **found}
        self.write(f"{RESULTS}/{key}.json", (json.dumps(values, ensure_ascii=False) + "\n").encode())
        return values

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole: under another name first, then renamed."""
        path = self.path / name
        handle, hidden = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(content)
            Path(hidden).chmod(0o644)
            Path(hidden).replace(path)
        except BaseException:
            Path(hidden).unlink(missing_ok=True)
            raise
