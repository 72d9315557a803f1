"""Options of the command line as changes of a scenario by dotted path."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ScenarioError


def overrides(settings: Iterable[str], seed: int | None = None, tick: float | None = None) -> dict[str, str]:
    """`--set`, `--seed` and `--tick` (all three ticks) as values in YAML by path. Raises ScenarioError."""
    changes: dict[str, str] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise ScenarioError(f"--set {setting}: write PATH=VALUE, for example --set market.needs.0.quantity_mw=7.5")
        changes[path.strip()] = value
    if seed is not None:
        changes["seed"] = str(seed)
    if tick is not None:
        changes |= {f"ticks.{name}_s": str(tick) for name in ("control", "measurement", "monitoring")}
    return changes
