"""Runs a comparison: every scheme under every scale of the forecast error and every seed, resumed where it stopped.

    variants × errors × seeds ─▶ entries ─▶ the sweep's workers ─▶ results/KEY.json ─▶ rows (`table.py`)

The seed and the error are the same for all schemes, so that whatever differs in a row is due to the scheme.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..description.schema import Scenario
from ..errors import ScenarioError
from ..reading.loading import load_scenario, scenario_yaml
from ..sweep.folder import RUNS, Result, SweepFolder
from ..sweep.points import Point
from ..sweep.sweeping import Workers, digest_of
from ..sweep.tasks import task_text
from .schemes import IDEAL, Variant, chosen, error_settings, refusal, settings_of

KIND, STATED = "comparison", "stated.json"


@dataclass(frozen=True, slots=True)
class StatedPrices:
    """What is stated and not bid: of energy that balancing leaves to the frequency, of losses, and of capacity.

    EUR/MWh, and EUR for each MW and hour for what applicants asked for and were not qualified for. Lost load is valued
    by the scenario (`market.lost_load_eur_per_mwh`).
    """

    shortage: float = 500.0
    losses: float = 80.0
    capacity: float = 5.0

    def __post_init__(self) -> None:
        for name, price in asdict(self).items():
            if not 0 <= price < math.inf:
                raise ScenarioError(f"the price of {name} is {price:g}: it must be 0 or more, and finite")


@dataclass(frozen=True)
class Request:
    """What is compared: `errors` are scales of the forecast error (None: as the scenario has it).

    `against`: the scheme that differences are taken to.
    """

    base: Scenario
    variants: tuple[Variant, ...]
    errors: tuple[float | None, ...]
    seeds: tuple[int, ...]
    prices: StatedPrices
    out: Path
    keep: bool = False
    against: str = "blind"


class Entry(NamedTuple):
    """One run of a comparison, and the sweep's point that it is."""

    scheme: str
    error_scale: float | None
    seed: int
    point: Point


Watch = Callable[[int, int], None]
Found = list[tuple[Entry, Result]]


def entries(request: Request) -> tuple[Entry, ...]:
    """Every run, by error, seed and scheme; ScenarioError for a scenario that no scheme takes, or that pays nobody."""
    if request.base.time.unsettled is not None:
        raise ScenarioError(f"time.tail_min: {request.base.time.unsettled}")
    possible = [variant for variant in request.variants if refused(request.base, variant) is None]
    if not [variant for variant in possible if variant.name != IDEAL]:
        raise ScenarioError(refused(request.base, request.variants[0]) or "there is no scheme to compare")
    return tuple(
        Entry(variant.name, error, seed, Point(tuple(_settings(request.base, variant, error, seed).items())))
        for error in request.errors
        for seed in request.seeds
        for variant in possible
    )


def refused(base: Scenario, variant: Variant) -> str | None:
    """Why a scenario cannot be run under a variant; None if it can."""
    return refusal(base, settings_of(variant, base))


def _settings(base: Scenario, variant: Variant, error: float | None, seed: int) -> dict[str, str]:
    scaled = {} if error is None else error_settings(base, error)
    return {**settings_of(variant, base), **scaled, "seed": str(seed), "journal": "false"}


def perform(request: Request, workers: AbstractContextManager[Workers], watch: Watch) -> Found:
    """Perform what is not done yet; (entry, result) of everything. Errors as for a sweep."""
    folder, base = SweepFolder(request.out, KIND), digest_of(request.base)
    planned = entries(request)
    _begin(folder, base, request)
    keys = {each: _key(each, base, request) for each in planned}
    todo = {keys[each]: _task(each, keys[each], request) for each in planned if folder.result(keys[each]) is None}
    by_key = {keys[each]: each for each in planned}
    watch(len(planned), len(planned) - len(todo))
    with workers as crew:
        for count, (key, text) in enumerate(crew.results(todo) if todo else (), start=1):
            folder.keep(key, dict(by_key[key].point.settings), text)
            watch(len(planned), len(planned) - len(todo) + count)
    return list(_results(folder, keys))


def _begin(folder: SweepFolder, base: str, request: Request) -> None:
    """Write what is asked and stated – what is done can be looked at any time – and the scenario with its files."""
    axes = {"scheme": [each.name for each in request.variants], "seed": [str(seed) for seed in request.seeds]}
    axes["error"] = [json.dumps(error) for error in request.errors]
    files = request.base.files()
    whole = scenario_yaml(request.base.with_files({file.steps: file.copy for file in files}))
    folder.begin(name=request.base.name, base=base, axes=axes, scenario_yaml=whole)
    stated = {"prices": asdict(request.prices), "against": request.against}
    folder.write(STATED, (json.dumps(stated, indent=1) + "\n").encode())
    for file in files:
        (folder.path / file.copy).parent.mkdir(exist_ok=True)
        shutil.copyfile(file.source, folder.path / file.copy)


def found_in(folder: SweepFolder, prices: StatedPrices) -> tuple[Request, Found]:
    """What was asked in a comparison's folder, and what is done of it; RecordError if it is none."""
    plan = folder.plan()
    axes = plan["axes"]
    errors, seeds = tuple(map(json.loads, axes["error"])), tuple(map(int, axes["seed"]))
    base = load_scenario(folder.path / "scenario.yaml")
    request = Request(base, chosen(axes["scheme"]), errors, seeds, prices, folder.path)
    keys = {each: _key(each, plan["base"], request) for each in entries(request)}
    return request, list(_results(folder, keys))


def _results(folder: SweepFolder, keys: Mapping[Entry, str]) -> Iterator[tuple[Entry, Result]]:
    for entry, key in keys.items():
        found = folder.result(key)
        if found is not None:
            yield entry, found


def _key(entry: Entry, base: str, request: Request) -> str:
    """The result of `ideal` hangs on the stated prices too; those of runs do not."""
    return entry.point.key(f"{base} {json.dumps(_measure(entry, request), sort_keys=True)}")


def _measure(entry: Entry, request: Request) -> dict[str, Any]:
    ideal = entry.scheme == IDEAL
    return {"ideal": ideal, "prices": asdict(request.prices) if ideal else {}}


def _task(entry: Entry, key: str, request: Request) -> str:
    kept = (request.out / RUNS / key).resolve() if request.keep else None
    return task_text(request.base, dict(entry.point.settings), kept, measure=_measure(entry, request))
