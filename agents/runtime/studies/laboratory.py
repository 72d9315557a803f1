"""Where studies are computed: each DSO's model of its grid, kept outside the agents.

    Compute ─▶ run, at once or in another process ─▶ Result, heard when the declared time has passed

A job names its grid and runs against that grid's model. What the model cannot answer comes back as an error
text, which the agent hears; anything else that goes wrong is our bug, or a mistake in a plugin's study, and raised.
What such a study answers must be something that the journal can hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ....grid.errors import GridError
from ....grid.studies.studies import GridStudies
from ....protocols.vocabulary import BUSINESS_USE_CASE
from ...dso.own_study import AskOwn
from ...dso.studies import AskTaps, Forecast, Monitor, Prequalify, Validate
from ...errors import PluginError, ReturnedError
from ...extension import Study
from ...mistakes import failed
from ..memory.journal import TYPES, from_text, to_text

Answer = tuple[object, str | None]
STUDIES: tuple[type[Any], ...] = (Prequalify, Validate, Monitor, AskTaps, AskOwn, Forecast)


@dataclass(frozen=True)
class StudyTimes:
    """How long studies take by declaration: so much later their results are heard, whatever the machine needs."""

    study_us: int = 0
    state_us: int = 0

    def of(self, job: object) -> int:
        """Microseconds from asking a study to hearing its result."""
        return self.state_us if isinstance(job, Monitor) else self.study_us


@dataclass(frozen=True)
class Laboratory:
    """The studies of every grid.

    `added`: the kinds of study that plugins declare, and whose they are; `results`: the types that these answer with.
    """

    studies: Mapping[str, GridStudies]
    added: Mapping[type[Any], str] = field(default_factory=dict)
    results: Mapping[str, type[Any]] = field(default_factory=dict)
    times: StudyTimes = field(default_factory=StudyTimes)

    def run(self, job: object) -> Answer:
        """Compute a job: (result, None) or (None, why not); PluginError if a plugin's study fails."""
        try:
            if isinstance(job, STUDIES):
                return job.run(self.studies[job.grid]), None
            return self._of_plugin(job), None
        except GridError as error:
            return None, str(error)

    def _of_plugin(self, job: object) -> object:
        plugin = next((self.added[kind] for kind in type(job).__mro__ if kind in self.added), None)
        if plugin is None:
            raise no_study(type(job).__name__)
        try:
            return self._answered(cast("Study", job))
        except GridError:
            raise
        except Exception as error:
            raise failed(plugin, job, error) from error

    def _answered(self, study: Study) -> object:
        if study.grid not in self.studies:
            known = ", ".join(sorted(self.studies))
            raise ReturnedError(f"there is no such grid to study; there are {known or 'none'}")
        answer = study.run(self.studies[study.grid])
        try:
            from_text(to_text(answer), BUSINESS_USE_CASE, {**TYPES, **self.results})
        except Exception as error:
            right = "right are numbers, texts, tuples, or types that stand in RESULTS"
            raise ReturnedError(f"run returned {answer!r}, which the journal cannot hold; {right}") from error
        return answer


def no_study(name: str) -> PluginError:
    """Somebody asks for what nobody has declared."""
    return PluginError(f"no study is called {name}; those of a plugin stand in its STUDIES")
