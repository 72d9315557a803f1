"""The laboratory of a scenario: what DSOs can have computed, here or in a process of its own.

python -m gridpact.scenarios.operation.studying RUN/scenario.yaml     jobs on standard input, answers on standard output
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..description.schema import Scenario
from ..extension import plugins
from ..reading.loading import load_scenario
from . import plants

if TYPE_CHECKING:
    from ...agents.extension import Extension
    from ...agents.runtime.studies.annex import Annex
    from ...agents.runtime.studies.laboratory import Laboratory


def laboratory(scenario: Scenario, made: plants.Resources, extensions: tuple[Extension, ...]) -> Laboratory:
    """Each DSO's model of its own grid, the kinds of study that plugins add, and how long studies take."""
    return replace(no_laboratory(scenario, extensions), studies=plants.laboratory(scenario, made).studies)


def no_laboratory(scenario: Scenario, extensions: tuple[Extension, ...]) -> Laboratory:
    """What is known of studies where none is made: their kinds, and how long they take."""
    from ...agents.runtime.studies.laboratory import Laboratory, StudyTimes

    added = {study: each.name for each in extensions for study in each.studies}
    times = StudyTimes(round(scenario.ticks.study_s * 1e6), round(scenario.ticks.state_s * 1e6))
    return Laboratory({}, added, results(extensions), times)


def results(extensions: Iterable[Extension]) -> dict[str, type[Any]]:
    """The types by name that plugins' studies answer with."""
    return {result.__name__: result for each in extensions for result in each.results}


def annex(folder: Path, extensions: Iterable[Extension]) -> Annex:
    """A process that makes the studies of the scenario that is recorded in `folder`; it has not been started yet."""
    from ...agents.runtime.studies.annex import Annex

    command = (sys.executable, "-m", __name__, str(folder / "scenario.yaml"))
    return Annex(command, results(extensions))


def main(path: str) -> None:
    """Answer jobs from standard input until it ends; nothing else may write to standard output."""
    from ...agents.runtime.studies.annex import serve
    from ...grid.engine import single_threaded

    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    scenario = load_scenario(path)
    with single_threaded():
        made = plants.resources(scenario)
        serve(laboratory(scenario, made, plugins.extensions(scenario)), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1])
