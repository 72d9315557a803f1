"""`gridpact.compare`: from a scenario to the table, in Python or for the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..description.schema import Scenario
from ..errors import RecordError, ScenarioError
from ..reading.loading import changed_scenario
from ..sweep.folder import SweepFolder
from ..sweep.sweeping import chosen_workers
from ..sweep.table import write_frame
from .paired import summary
from .performing import KIND, STATED, Found, Request, StatedPrices, Watch, found_in, perform, refused
from .schemes import IDEAL, VARIANTS, chosen
from .table import participants_table, runs_table

if TYPE_CHECKING:
    import pandas as pd

LARGEST_ERROR = 2.0


@dataclass(frozen=True)
class Comparison:
    """A comparison that has been made; DataFrames have their units in the names of their columns."""

    request: Request
    against: str
    found: Found

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row a scheme, scale of the forecast error, and seed."""
        return runs_table(self.found, self.request.prices)

    @cached_property
    def participants(self) -> pd.DataFrame:
        """A row a run and participant: what was cut, what that cost it, what it was paid."""
        return participants_table(self.found)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Means and 95 % intervals over seeds, and paired differences to the scheme `against`."""
        return summary(self.runs, self.against)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which schemes the scenario cannot be run under, and why; and where `ideal` may not be the cheapest."""
        pairs = [(variant.name, refused(self.request.base, variant)) for variant in self.request.variants]
        left_out = tuple(f"{name} is left out: {why}" for name, why in pairs if why is not None)
        return left_out + tuple(_unsettled(self.found))

    def write(self) -> Path:
        """Write the tables as CSV and Parquet, and the page; returns the page."""
        from .page import write_page

        folder = SweepFolder(self.request.out, KIND)
        for name in ("runs", "participants", "summary"):
            write_frame(folder, getattr(self, name), name)
        return write_page(self)


def compare(
    scenario: str | Path | Scenario,
    *,
    seeds: Iterable[int] | None = None,
    errors: Iterable[float] | None = None,
    schemes: Iterable[str] | None = None,
    against: str | None = None,
    prices: StatedPrices | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    keep: bool = False,
    watch: Watch | None = None,
) -> Comparison:
    """Run a scenario under every scheme, and `ideal`; write tables and page to `out` (default comparisons/NAME).

    `seeds`: the same for all schemes (default: the scenario's) · `errors`: scales of the forecast error, 0 to 2
    (default: as the scenario has it) · `schemes`: some of `comparison.schemes.NAMES` · `against`: what differences are
    taken to (default: the first) · `keep`: keep the run directories. The same call goes on where it stopped.
    Raises ScenarioError for what cannot be compared, RecordError when `out` holds something else.
    """
    base = changed_scenario(scenario, {})
    variants = chosen(schemes)
    folder = Path(out) if out is not None else Path("comparisons") / base.name
    scales = tuple(dict.fromkeys(_scale(each) for each in errors)) if errors is not None else (None,)
    given = tuple(dict.fromkeys(seeds)) if seeds is not None else (base.seed,)
    request = Request(base, variants, scales, given, prices or StatedPrices(), folder, keep)
    request = replace(request, against=_reference(request, against))
    found = perform(request, chosen_workers(workers, None), watch or (lambda planned, done: None))
    made = Comparison(request, request.against, found)
    made.write()
    return made


def load_comparison(path: str | Path) -> Comparison:
    """Open a comparison's folder, of the runs done so far; RecordError if it is none."""
    folder = SweepFolder(Path(path), KIND)
    folder.plan()
    try:
        stated = json.loads((folder.path / STATED).read_text("utf-8"))
        prices, against = StatedPrices(**stated["prices"]), str(stated["against"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecordError(f"{folder.path / STATED}: this file is damaged or missing: {error}; compare again") from None
    request, found = found_in(folder, prices)
    return Comparison(request, against, found)


def _unsettled(found: Found) -> Iterator[str]:
    for entry, result in found:
        if entry.scheme == IDEAL and (seconds := result.get("account", {}).get("unsettled_s", 0.0)):
            yield f"ideal, seed {entry.seed}: for {seconds:g} s nothing proves it the cheapest; it is no bound"


def _scale(value: float) -> float:
    if not 0 <= value <= LARGEST_ERROR:
        raise ScenarioError(f"errors: {value:g} is no scale of the forecast error: it must lie between 0 and 2")
    return float(value)


def _reference(request: Request, against: str | None) -> str:
    """The scheme that differences are taken to."""
    able = [variant.name for variant in request.variants if refused(request.base, variant) is None]
    if against is None:
        return next((name for name in able if name != IDEAL), VARIANTS[0].name)
    (variant,) = chosen([against])
    if variant.name not in able:
        raise ScenarioError(f"against: {against} is not among the schemes that are compared: {', '.join(able)}")
    return variant.name
