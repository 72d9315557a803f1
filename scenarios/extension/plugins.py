"""The plugins that a scenario names: a user's own message types, protocols and behaviours, as Python modules.

    plugins: [my_module] ─▶ my_module.py beside the scenario (or in plugins/ there, or built in), else an installed one
                         ─▶ PROTOCOLS, BEHAVIOURS, STUDIES, RESULTS, ROLES, STRATEGIES ─▶ Extension

A plugin is code and can do whatever Python can: it is imported because the scenario names it, never because a message
does. The same text is the same module wherever it stands, so a run directory's copy is the plugin that ran.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...agents.errors import line_in
from ...protocols.errors import ProtocolError
from ...protocols.stages import PROTOCOLS
from ...protocols.vocabulary import BUSINESS_USE_CASE, ROLES, Vocabulary
from ..errors import ScenarioError
from ..reading.shelf import library
from .declaration import extension_of

if TYPE_CHECKING:
    from ...agents.extension import Extension
    from ..description.schema import Scenario

FOLDER = "plugins"


@dataclass(frozen=True)
class Plugin:
    """A plugin as it was found: its file (None for an installed module) and what it declares."""

    file: Path | None
    extension: Extension


def load_plugins(names: Iterable[str], folders: Iterable[Path]) -> tuple[Plugin, ...]:
    """Import plugins, looking into `folders` in their order, then among the built-in ones, then what is installed.

    Raises ScenarioError with what is wrong and what would be right.
    """
    places = (*folders, library())
    return tuple(_load(name, places) for name in names)


def extensions(scenario: Scenario) -> tuple[Extension, ...]:
    """What a scenario's plugins declare, in the order of the scenario."""
    return tuple(plugin.extension for plugin in load_plugins(scenario.plugins, scenario.folders))


def vocabulary(scenario: Scenario) -> Vocabulary:
    """What may be said in a scenario: the business use case, and what its plugins add."""
    return vocabulary_of(extensions(scenario))


def vocabulary_of(added: tuple[Extension, ...]) -> Vocabulary:
    """The business use case with extensions; ScenarioError if they contradict it or one another."""
    if not added:
        return BUSINESS_USE_CASE
    protocols = (*PROTOCOLS, *(protocol for each in added for protocol in each.protocols))
    roles: dict[str, frozenset[str]] = dict(ROLES)
    for each in added:
        roles |= {kind: roles.get(kind, frozenset()) | more for kind, more in sorted(each.roles.items())}
    try:
        return Vocabulary.of(protocols, roles)
    except ProtocolError as error:
        names = ", ".join(each.name for each in added)
        raise ScenarioError(f"plugins {names}: {error}") from None


def _load(name: str, places: tuple[Path, ...]) -> Plugin:
    for place in places:
        for file in (place / f"{name}.py", place / FOLDER / f"{name}.py"):
            if file.is_file():
                return Plugin(file, _declared(name, _from_file(name, file)))
    return Plugin(None, _declared(name, _installed(name, places)))


def _from_file(name: str, file: Path) -> ModuleType:
    source = file.read_bytes()
    unique = f"gridpact_plugin_{name}_{hashlib.sha256(source).hexdigest()[:12]}"
    if unique in sys.modules:
        return sys.modules[unique]
    module = ModuleType(unique)
    module.__file__ = str(file)
    sys.modules[unique] = module  # pydantic and dataclasses look their annotations up there
    try:
        # compiled here, not by an import from a path: a run directory must stay free of __pycache__
        exec(compile(source, str(file), "exec"), module.__dict__)  # noqa: S102 - the scenario names this code
    except BaseException as error:
        del sys.modules[unique]
        if not isinstance(error, Exception):
            raise
        raise ScenarioError(f"{file}{_line_in(file, error)}: {type(error).__name__}: {error}") from error
    return module


def _line_in(file: Path, error: Exception) -> str:
    """The last line of the file that the error came through."""
    if isinstance(error, SyntaxError):
        return f":{error.lineno}"
    line = line_in(str(file), error)
    return "" if line is None else f":{line}"


def _installed(name: str, places: tuple[Path, ...]) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ScenarioError(f"plugin {name} needs the module {error.name}, which is not installed") from None
        looked = f"{name}.py is not in {places[0]}" if len(places) > 1 else f"there is no {name}.py"
        raise ScenarioError(f"there is no plugin {name}: {looked}, and no module of that name is installed") from None


def _declared(name: str, module: ModuleType) -> Extension:
    declared: Mapping[str, Any] = vars(module)
    try:
        return _extension(name, module.__name__) if module.__name__ in sys.modules else extension_of(name, declared)
    except ProtocolError as error:
        raise ScenarioError(f"plugin {name}: {error}") from None


@cache
def _extension(name: str, module: str) -> Extension:
    """One Extension a module, so that whoever asks gets the very same tables."""
    return extension_of(name, vars(sys.modules[module]))
