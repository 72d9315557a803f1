"""Where studies are computed: each DSO's model of its grid, kept outside the agents.

    Compute ─▶ run, at once or in another process ─▶ Result, heard when the declared time has passed

A job names its grid and runs against that grid's model. What the model cannot answer comes back as an error
text, which the agent hears; anything else that goes wrong is our bug, and raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ...grid.errors import GridError
from ...grid.studies.studies import GridStudies
from ..dso.own_study import AskOwn
from ..dso.studies import AskTaps, Forecast, Monitor, Prequalify, Validate
from ..extension import Study

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
    """The studies of every grid; `added` are the kinds of study that plugins declare."""

    studies: Mapping[str, GridStudies]
    added: tuple[type[Any], ...] = ()
    times: StudyTimes = field(default_factory=StudyTimes)

    def run(self, job: object) -> Answer:
        """Compute a job: (result, None) or (None, why not)."""
        if not isinstance(job, (*STUDIES, *self.added)):
            raise TypeError(f"no study is called {type(job).__name__}")
        study = cast("Study", job)
        try:
            return study.run(self.studies[study.grid]), None
        except GridError as error:
            return None, str(error)
