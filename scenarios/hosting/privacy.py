"""What everybody knows of a scenario, and what only the host of an agent, or of the plants, knows.

private to a provider's host     what it offers, at which price, by which strategy
private to the plants' host      what really happens: disturbances, variation, recordings, profiles as they come true
private to it and a grid's DSO   series and forecast errors, which forecasts and truth are made of together

The public scenario is the rest; its digest tells whether two hosts speak of the same one. A price of reserve is
public as 0: that it is offered, and how much, the plants must know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ..description.schema import Scenario
from ..errors import ScenarioError
from ..reading.source import Located, Steps, read_yaml

OFFERS, STRATEGY, RESERVE, PRICE = "offers", "strategy", "fcr", "price_eur_per_mw_h"
OF_AREAS = ("disturbances", "variation", "recorded")
OF_FORECASTS = ("series", "forecast_error", "security_margin")
Values = dict[str, Any]


def public_values(scenario: Scenario) -> Values:
    """The values of a scenario without anything private."""
    values = scenario.model_dump(mode="json", exclude={"gridpact_version"})
    for name in scenario.connected:
        own = values["participants"][name]
        _without(own, (OFFERS, STRATEGY))
        if own[RESERVE]:
            own[RESERVE][PRICE] = 0.0
    for area in (values["area"], *values["area"]["neighbours"].values()):
        _without(area, OF_AREAS)
    for grid in values["grids"].values():
        _without(grid, OF_FORECASTS)
        for profile in (grid.get("profiles") or {}).values():
            profile.pop("actual", None)
    return values


def _without(values: Values, keys: Collection[str]) -> None:
    for key in keys:
        values.pop(key, None)


def _only(values: Values, keys: Collection[str]) -> Values:
    return {key: values[key] for key in keys if values.get(key) is not None}


def private_values(scenario: Scenario, agents: Collection[str], *, plants: bool) -> Values:
    """What is private to the host of some agents, and of the plants if they are there; files as absolute paths."""
    places = {file.steps: str(file.source.absolute()) for file in scenario.files()}
    whole = scenario.with_files(places).model_dump(mode="json")
    values: Values = {"participants": {}, "grids": {}}
    for name in scenario.connected:
        if scenario.operated.get(name, name) in agents:
            own = whole["participants"][name]
            reserve = {RESERVE: {PRICE: own[RESERVE][PRICE]}} if own[RESERVE] else {}
            values["participants"][name] = {OFFERS: own[OFFERS], STRATEGY: own[STRATEGY], **reserve}
    for name in whole["grids"] if plants else own_grids(scenario, agents):
        keys = (*OF_FORECASTS, *(["profiles"] if plants else []))
        values["grids"][name] = _only(whole["grids"][name], keys)
    if plants:
        around = {name: _only(area, OF_AREAS) for name, area in whole["area"]["neighbours"].items()}
        values["area"] = {**_only(whole["area"], OF_AREAS), "neighbours": around}
    return _filled(values)


def _filled(values: Values) -> Values:
    """Without mappings that hold nothing: laid on the public scenario, an empty one would clear what stands there."""
    inner = {key: _filled(given) if isinstance(given, dict) else given for key, given in values.items()}
    return {key: given for key, given in inner.items() if given != {}}


def own_grids(scenario: Scenario, agents: Collection[str]) -> tuple[str, ...]:
    """The grids whose DSOs are among some agents."""
    return tuple(dso.grid for name, dso in scenario.dsos.items() if name in agents)


def digest(scenario: Scenario) -> str:
    """SHA-256 of the public scenario; files of the user's own count by their content, not by where they lie."""
    contents = {file: hashlib.sha256(file.source.read_bytes()).hexdigest() for file in scenario.files()}
    values = public_values(scenario.with_files({file.steps: content for file, content in contents.items()}))
    added = sorted(content for file, content in contents.items() if not file.steps)
    return hashlib.sha256(json.dumps([values, added], sort_keys=True).encode()).hexdigest()


def read_private(path: Path, agents: Collection[str], *, plants: bool, grids: Collection[str] = ()) -> Located:
    """A private file, to be laid on the public scenario; ScenarioError if it speaks of what is not this host's.

    `grids`: those whose DSOs run on this host.
    """
    located = read_yaml(path, str(path))
    for steps, text in _foreign(located.values, agents, () if plants else grids, plants=plants):
        raise ScenarioError(f"{located.place(steps)}: {'.'.join(map(str, steps))}: {text}")
    return located


def _foreign(
    values: Values, agents: Collection[str], grids: Collection[str], *, plants: bool
) -> Iterator[tuple[Steps, str]]:
    for key, inner in values.items():
        if key in ("area", "grids"):
            if not plants and not (key == "grids" and _is_forecast(inner, grids)):
                yield (key,), "what really happens is private to the host of the plants, which is another one"
        elif key != "participants" or not isinstance(inner, dict):
            yield (key,), "a private file holds participants (and area and grids, on the host of the plants) only"
        else:
            for name in inner:
                if name not in agents:
                    yield ("participants", name), f"{name} does not run on this host, so nothing here is its own"


def _is_forecast(values: object, grids: Collection[str]) -> bool:
    """Whether this says of a DSO's own grids only what forecasts are made of."""
    described = values if isinstance(values, dict) else {"": None}
    return all(
        name in grids and isinstance(inner, dict) and inner.keys() <= set(OF_FORECASTS)
        for name, inner in described.items()
    )
