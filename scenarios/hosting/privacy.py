"""What everybody knows of a scenario, and what only the host of an agent, or of the plants, knows.

private to a provider's host     what it offers, at which price
private to the plants' host      what really happens: disturbances, and profiles as they come true

The public scenario is the rest; its digest tells whether two hosts speak of the same one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..schema import Scenario
from ..source import Located, Steps, read_yaml

PRIVATE_OF_PROVIDERS = "offers"
Values = dict[str, Any]


def public_values(scenario: Scenario) -> Values:
    """The values of a scenario without anything private."""
    values = scenario.model_dump(mode="json", exclude={"gridpact_version"})
    for name in scenario.providers:
        values["participants"][name].pop(PRIVATE_OF_PROVIDERS, None)
    values["area"].pop("disturbances", None)
    for grid in values["grids"].values():
        for profile in (grid.get("profiles") or {}).values():
            profile.pop("actual", None)
    return values


def private_values(scenario: Scenario, agents: Collection[str], *, plants: bool) -> Values:
    """What is private to the host of some agents, and of the plants if they are there."""
    own = scenario.model_dump(mode="json")
    values: Values = {}
    offers = {
        name: {PRIVATE_OF_PROVIDERS: own["participants"][name][PRIVATE_OF_PROVIDERS]}
        for name in scenario.providers
        if name in agents
    }
    if offers:
        values["participants"] = offers
    if plants:
        values["area"] = {"disturbances": own["area"]["disturbances"]}
        values["grids"] = {name: {"profiles": grid["profiles"]} for name, grid in own["grids"].items()}
    return values


def digest(scenario: Scenario) -> str:
    """SHA-256 of the public scenario; files of the user's own count by their content, not by where they lie."""
    contents = {file: hashlib.sha256(file.source.read_bytes()).hexdigest() for file in scenario.files()}
    values = public_values(scenario.with_files({file.steps: content for file, content in contents.items()}))
    added = sorted(content for file, content in contents.items() if not file.steps)
    return hashlib.sha256(json.dumps([values, added], sort_keys=True).encode()).hexdigest()


def read_private(path: Path, agents: Collection[str], *, plants: bool) -> Located:
    """A private file, to be laid on the public scenario; ScenarioError if it speaks of what is not this host's."""
    located = read_yaml(path, str(path))
    for steps, text in _foreign(located.values, agents, plants=plants):
        raise ScenarioError(f"{located.place(steps)}: {'.'.join(map(str, steps))}: {text}")
    return located


def _foreign(values: Values, agents: Collection[str], *, plants: bool) -> Iterator[tuple[Steps, str]]:
    for key, inner in values.items():
        if key in ("area", "grids"):
            if not plants:
                yield (key,), "what really happens is private to the host of the plants, which is another one"
        elif key != "participants" or not isinstance(inner, dict):
            yield (key,), "a private file holds participants (and area and grids, on the host of the plants) only"
        else:
            for name in inner:
                if name not in agents:
                    yield ("participants", name), f"{name} does not run on this host, so nothing here is its own"
