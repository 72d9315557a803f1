"""From a name or a file to a scenario: built-in or YAML file ─▶ extends ─▶ --set ─▶ validation.

An error names the file and line in which the value stands, be it the file itself, one that it extends, or the option.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from ..description.buses import wrong_buses
from ..description.recordings import wrong_recording, wrong_series
from ..description.schema import Scenario
from ..errors import ScenarioError, right_names
from ..extension.strategies import wrong_strategies
from ..swarm import undrawn
from .complaints import checked, known_keys
from .shelf import builtin_names, library, library_names
from .source import Located, Place, Steps, merged, parse_value, read_yaml

if TYPE_CHECKING:
    from ...agents.extension import Extension

BUILT = (("grids",), ("participants",), ("market",))  # about what stands there something may be told later


def load_scenario(
    name_or_path: str | Path, overrides: Mapping[str, object] | None = None, *, private: Located | None = None
) -> Scenario:
    """Load a built-in scenario or a YAML file; `overrides` maps dotted paths to values (a text is read as YAML).

    `private` is laid on top: what only this host knows (`hosting/privacy.py`).

    Raises ScenarioError with one sentence per finding: file and line (or option), key, and what would be right.
    """
    path, shown = _find(str(name_or_path), Path())
    folders: list[Path] = []
    located = _extended(path, shown, (), folders)
    if private is not None:
        located = merged(located, private)
    for key, value in (overrides or {}).items():
        _override(located, key, value if isinstance(value, str) else json.dumps(value))
    return _complete(checked(located).placed_in(*dict.fromkeys(folders), places=_places(located)), located)


def _complete(scenario: Scenario, located: Located) -> Scenario:
    """The scenario, whose buses and plugins are known to exist."""
    found = [f"{located.place(path)}: {'.'.join(map(str, path))}: {text}" for path, text in wrong_buses(scenario)]
    files = (*wrong_recording(scenario), *wrong_series(scenario))
    found += [f"{located.place(path)}: {'.'.join(map(str, path))}: {text}" for path, text in files]
    try:
        wrong = tuple(wrong_strategies(scenario, _added(scenario)))
        found += [f"{located.place(path)}: {'.'.join(path)}: {text}" for path, text in wrong]
    except ScenarioError as error:
        found.append(f"{located.place(('plugins',))}: plugins: {error}")
    if found:
        raise ScenarioError(*found)
    return scenario


def _added(scenario: Scenario) -> tuple[Extension, ...]:
    """What its plugins declare, in no contradiction; without any no protocol is imported to check a scenario."""
    if not scenario.plugins:
        return ()
    from ..extension.plugins import extensions, vocabulary_of

    added = extensions(scenario)
    vocabulary_of(added)
    return added


def _places(located: Located) -> dict[Steps, str]:
    return {path: str(place) for path, place in located.places.items() if path[:1] in BUILT}


def changed_scenario(scenario: str | Path | Scenario, changes: Mapping[str, object]) -> Scenario:
    """A scenario with changes by dotted path; values are plain Python values. Raises ScenarioError.

    One that was built in Python is checked as one from a file is; its files and plugins are meant from the folder in
    which it is run.
    """
    if not isinstance(scenario, Scenario):
        texts = {key: json.dumps(value) for key, value in changes.items()}
        return load_scenario(scenario, texts)
    return changed_texts(scenario, {key: json.dumps(value) for key, value in changes.items()})


def changed_texts(scenario: Scenario, overrides: Mapping[str, str]) -> Scenario:
    """A scenario with changes by dotted path; values are written in YAML. Raises ScenarioError."""
    located = Located(undrawn(scenario), {(): Place(scenario.name)})
    for key, text in overrides.items():
        _override(located, key, text)
    changed = checked(located)
    return _complete(changed.placed_in(*(scenario.folders or (Path(),)), places=_places(located)), located)


def scenario_yaml(scenario: Scenario) -> str:
    """A scenario as YAML with every default filled in, a swarm as its numbers; loading it gives the same scenario."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(undrawn(scenario), stream)
    return stream.getvalue()


def _find(name: str, folder: Path) -> tuple[Path, str]:
    if name in library_names():
        return library() / f"{name}.yaml", f"{name}.yaml"
    path = folder / name
    if path.is_dir():
        raise ScenarioError(f"{name}: this is a folder, but a scenario is a YAML file")
    if not path.exists():
        raise ScenarioError(f"{name}: there is no such file or built-in scenario; {_hint(name, path.suffix)}")
    return path, str(path)


def _hint(name: str, suffix: str) -> str:
    hint = right_names(name, builtin_names()) if not suffix else ""
    known = f"built-in are: {', '.join(builtin_names())}"
    return f"{hint} ({known})" if hint.startswith("did") else known


def _extended(path: Path, shown: str, chain: tuple[Path, ...], folders: list[Path]) -> Located:
    """A file on top of what it extends; `folders` takes where each of them stands, the outermost first."""
    located = read_yaml(path, shown)
    folders.append(path.parent)
    if path.resolve() in chain:
        raise ScenarioError(f"{located.place(('extends',))}: extends goes round in a circle back to {shown}")
    parent = located.values.pop("extends", None)
    if parent is None:
        return located
    place = located.place(("extends",))
    if not isinstance(parent, str):
        raise ScenarioError(f"{place}: extends: name one built-in scenario or one file, not {parent!r}")
    try:
        base_path, base_shown = _find(parent, path.parent)
    except ScenarioError as error:
        raise ScenarioError(f"{place}: extends: {error}") from None
    return merged(_extended(base_path, base_shown, (*chain, path.resolve()), folders), located)


def _override(located: Located, key: str, text: str) -> None:
    option = f"--set {key}={text}"
    value = parse_value(text, option).values["value"]
    steps = _steps(_in_full(located.values, key), option)
    parent: Any = located.values
    for depth in range(1, len(steps)):
        parent = _inner(parent, steps[:depth], option)
    _assign(parent, steps, value, option)
    here = _typed(located.values, steps)
    for old in [path for path in located.places if path[: len(here)] == here]:
        del located.places[old]
    located.places[here] = Place(option)


def _in_full(values: Mapping[str, Any], key: str) -> str:
    """A path whose first step may be a short name of the scenario's own."""
    short, dot, rest = key.partition(".")
    names = values.get("short_names")
    full = names.get(short, short) if isinstance(names, Mapping) else short
    return f"{full}{dot}{rest}"


def _steps(key: str, option: str) -> tuple[str, ...]:
    steps = tuple(key.split("."))
    if not all(steps):
        raise ScenarioError(f"{option}: a path reads like coordination.scheme or market.needs.0.quantity_mw")
    return steps


def _inner(parent: Any, path: tuple[str, ...], option: str) -> Any:
    step = path[-1]
    if isinstance(parent, list):
        return parent[_index(parent, path, option)]
    if not isinstance(parent, dict):
        raise ScenarioError(f"{option}: {'.'.join(path[:-1])} is a single value and has nothing below it")
    if not isinstance(parent.get(step), dict | list):
        if step in parent and parent[step] is not None:
            raise ScenarioError(f"{option}: {'.'.join(path)} is a single value and has nothing below it")
        known = known_keys(path[:-1])
        if step not in known:
            raise ScenarioError(f'{option}: unknown key "{step}"; {right_names(step, known or parent)}')
        parent[step] = {}
    return parent[step]


def _assign(parent: Any, steps: tuple[str, ...], value: Any, option: str) -> None:
    if isinstance(parent, list):
        parent[_index(parent, steps, option)] = value
        return
    if value is None and steps[-1] in parent:
        del parent[steps[-1]]
        return
    parent[steps[-1]] = value


def _index(parent: list[Any], path: tuple[str, ...], option: str) -> int:
    step, last = path[-1], len(parent) - 1
    if last < 0:
        raise ScenarioError(f"{option}: {'.'.join(path[:-1])} is an empty list; set all of it, as [..., ...]")
    if not step.isdecimal() or int(step) > last:
        raise ScenarioError(f"{option}: {'.'.join(path[:-1])} is a list; {step} should be an index from 0 to {last}")
    return int(step)


def _typed(values: Any, steps: Iterable[str]) -> Steps:
    path: list[str | int] = []
    for step in steps:
        path.append(int(step) if isinstance(values, list) else step)
        values = values[int(step)] if isinstance(values, list) else values.get(step)
    return tuple(path)
