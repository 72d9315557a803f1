"""Gridpact: agents of TSO, DSO, BSP and aggregator negotiate balancing services on real distribution grids.

    import gridpact

    run = gridpact.run("scenario-1-dso", out="runs/mine", seed=2)
    run.merit_order                    # a DataFrame, units in the names of its columns
    run.network("12:36:00")            # the pandapower network as it physically was at that moment
    gridpact.sweep("scenario-1-dso", {"links.loss": [0, 0.01]}, seeds=range(1, 31))   # a DataFrame of KPIs

What is heavy (pandapower, pandas) is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scenarios.comparison.comparing import Comparison, compare, load_comparison
    from .scenarios.description.schema import Scenario
    from .scenarios.errors import RecordError, ScenarioError
    from .scenarios.reading.loading import load_scenario, scenario_yaml
    from .scenarios.record.run import Run, load_run
    from .scenarios.sweep.sweeping import load_sweep, sweep

    __version__: str

__all__ = [
    "Comparison",
    "RecordError",
    "Run",
    "Scenario",
    "ScenarioError",
    "__version__",
    "compare",
    "load_comparison",
    "load_run",
    "load_scenario",
    "load_sweep",
    "run",
    "scenario_yaml",
    "sweep",
]

_HOMES = {
    "Comparison": ("scenarios.comparison.comparing", "Comparison"),
    "compare": ("scenarios.comparison.comparing", "compare"),
    "RecordError": ("scenarios.errors", "RecordError"),
    "ScenarioError": ("scenarios.errors", "ScenarioError"),
    "Run": ("scenarios.record.run", "Run"),
    "Scenario": ("scenarios.description.schema", "Scenario"),
    "load_comparison": ("scenarios.comparison.comparing", "load_comparison"),
    "load_run": ("scenarios.record.run", "load_run"),
    "load_scenario": ("scenarios.reading.loading", "load_scenario"),
    "scenario_yaml": ("scenarios.reading.loading", "scenario_yaml"),
    "load_sweep": ("scenarios.sweep.sweeping", "load_sweep"),
    "sweep": ("scenarios.sweep.sweeping", "sweep"),
    "__version__": ("scenarios.version", "VERSION"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f".{module}", __name__), attribute)


def run(
    scenario: str | Path | Scenario,
    *,
    out: str | Path | None = None,
    realtime: bool = False,
    speed: float = 1.0,
    settings: Mapping[str, object] | None = None,
    **overrides: object,
) -> Run:
    """Run a scenario and open its record.

    `scenario`: a built-in name, a YAML file, or a Scenario. `out`: the run directory (default runs/NAME). `realtime`
    paces the run by the clock, `speed` times as fast. `overrides` change the scenario: `seed=2`, or with two
    underscores for a dot `coordination__scheme="blind"`; `settings` does so by dotted path. Raises ScenarioError
    for a wrong scenario and RecordError when `out` holds anything but an earlier run.
    """
    from .scenarios.operation.running import run as run_scenario
    from .scenarios.reading.loading import changed_scenario

    changes = {**(settings or {}), **{key.replace("__", "."): value for key, value in overrides.items()}}
    chosen = changed_scenario(scenario, changes)
    folder = Path(out) if out is not None else Path("runs") / chosen.name
    return run_scenario(chosen, out=folder, realtime=realtime, speed=speed)
