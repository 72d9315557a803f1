"""Where studies are computed: each DSO's model of its grid, kept outside the agents.

A job names its grid and runs against that grid's model. What the model cannot answer comes back as an error
text, which the agent hears; anything else that goes wrong is our bug, and raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ...grid.errors import GridError
from ...grid.studies import GridStudies
from ..dso.studies import AskTaps, Forecast, Monitor, Prequalify, Validate
from ..extension import Study


@dataclass(frozen=True)
class Laboratory:
    """The studies of every grid; `added` are the kinds of study that plugins declare."""

    studies: Mapping[str, GridStudies]
    added: tuple[type[Any], ...] = ()

    def run(self, job: object) -> tuple[object, str | None]:
        """Compute a job: (result, None) or (None, why not)."""
        if not isinstance(job, (Prequalify, Validate, Monitor, AskTaps, Forecast, *self.added)):
            raise TypeError(f"no study is called {type(job).__name__}")
        study = cast("Study", job)
        try:
            return study.run(self.studies[study.grid]), None
        except GridError as error:
            return None, str(error)
