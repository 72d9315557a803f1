"""One point of a sweep as a worker does it: text in, text out, so that neither side trusts the other's objects.

    task (JSON: base scenario, folders, settings) ─▶ run in a temporary folder ─▶ KPIs ─▶ result (JSON)

The run directory is thrown away unless the sweep keeps it. Whatever goes wrong in a run is its result.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..description.schema import Scenario
from ..errors import RecordError, ScenarioError
from ..reading.complaints import checked
from ..reading.loading import changed_texts
from ..reading.source import Located, Place
from ..swarm import undrawn
from ..version import VERSION

_ONE_AT_A_TIME = threading.Lock()  # a cluster's worker may have several threads; a run wants its process alone
Result = dict[str, Any]


def task_text(
    base: Scenario, settings: Mapping[str, str], keep: Path | None, *, measure: Mapping[str, Any] | None = None
) -> str:
    """What a worker needs to know. `keep`: where the run directory goes, None: nowhere.

    `measure`: what a comparison wants beside the KPIs: whether it is `ideal`, and the `prices` that it states.
    """
    folders = [str(folder.resolve()) for folder in base.folders]
    kept = None if keep is None else str(keep)
    task = {"version": VERSION, "base": undrawn(base), "folders": folders, "settings": dict(settings), "keep": kept}
    task |= {} if measure is None else {"measure": dict(measure)}
    return json.dumps(task)


def perform(text: str) -> str:
    """Do a task; the result holds `kpis`, or the `error` of a run that failed, and what the run took."""
    task = json.loads(text)
    with _ONE_AT_A_TIME:
        began = time.perf_counter()
        found = _outcome(task)
        took = {"wall_s": round(time.perf_counter() - began, 3), "peak_mb": _peak_mb()}
        return json.dumps({"version": VERSION, **found, **took})


def _outcome(task: Mapping[str, Any]) -> Result:
    """KPIs or the error; here ends whatever a run can raise, as the others must go on."""
    if task["version"] != VERSION:
        return {"error": f"the worker has gridpact {VERSION}, but the sweep was begun with {task['version']}"}
    try:
        return _found(task)
    except (ScenarioError, RecordError) as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - the outermost guard of a worker: the error becomes a row
        return {"error": f"{type(error).__name__}: {error}"}


def _found(task: Mapping[str, Any]) -> Result:
    base = checked(Located(task["base"], {(): Place("the sweep's scenario")}))
    placed = base.placed_in(*map(Path, task["folders"]))
    chosen, measure = changed_texts(placed, task["settings"]), task.get("measure")
    if measure is not None and measure["ideal"]:
        return {"kpis": {}, "account": _foreseen(chosen, measure["prices"])}
    return _run(chosen, task["keep"], accounted=measure is not None)


def _run(scenario: Scenario, keep: str | None, *, accounted: bool) -> Result:
    from ..operation.running import run

    with tempfile.TemporaryDirectory(prefix="gridpact-sweep-") as folder:
        done = run(scenario, out=Path(keep) if keep else Path(folder) / "run")
        if not accounted:
            return {"kpis": done.kpis}
        from ..comparison.account import account

        return {"kpis": done.kpis, "account": account(done)}


def _foreseen(scenario: Scenario, prices: Mapping[str, float]) -> Result:
    from ...grid.dispatch.cheapest import Prices
    from ..comparison.foresight import ideal

    return ideal(scenario, Prices(prices["shortage"], prices["losses"]))


def _peak_mb() -> float:
    """The largest memory that this process has ever had, in MB."""
    import resource

    units_per_mb = 1024 if sys.platform != "darwin" else 1024 * 1024  # kB, but bytes on a Mac
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units_per_mb, 1)
