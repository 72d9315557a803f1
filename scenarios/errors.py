"""What can be wrong with what a user hands in, as one small tree; each is one sentence and exit code 2.

ScenarioError (a ValueError)     a scenario's file, key or value
RecordError   (a ValueError)     a run directory: not one, from another version, damaged, or not to be overwritten
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ScenarioError(ValueError):
    """A scenario cannot be used; `complaints` holds every sentence, the text is the first of them."""

    def __init__(self, *complaints: str) -> None:
        super().__init__(complaints[0])
        self.complaints = complaints


class RecordError(ValueError):
    """A run directory cannot be read, or must not be overwritten."""


def right_names(wanted: object, known: Iterable[object], told: Iterable[object] | None = None) -> str:
    """Return `did you mean "a"?`, or `known are: a, b, …` when nothing is near; empty without known names.

    `told`: the few that are told when nothing is near, where all of them would be too many.
    """
    names = [str(name) for name in known]
    near = get_close_matches(str(wanted), names, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    listed = names if told is None else [str(name) for name in told]
    return f"known are: {', '.join(listed)}" if listed else ""


def is_yaml(name: str) -> bool:
    """Whether something is named as a scenario's file is."""
    return name.endswith((".yaml", ".yml"))


def of_plugins(name: str) -> str:
    """Where the protocols of plugins come from, for whoever has named one, or the scenario in its stead."""
    file = name if is_yaml(name) else "FILE"
    return f"the protocols of a scenario's plugins are known with --scenario {file}"
