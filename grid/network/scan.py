"""What a network file may name: the user's JSON is searched before pandapower reads it, and nothing is imported.

pandapower's reader imports the modules that a file names before it looks at its own list of what is allowed, and hands
some strings on to other readers. So every `_module` and `_class` is checked here – in encoded objects within strings
too, at any depth – and what cannot be read for certain is refused rather than skipped.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import NetworkError

ALLOWED_MODULES = ("pandapower", "pandas", "numpy", "networkx", "builtins")
_BUILTINS = ("complex", "tuple", "set", "frozenset", "int", "float", "bool", "str", "list", "dict")
_CODE = ("function", "method", "exec", "eval")
_HIDDEN = re.compile(r"_module|\\u", re.IGNORECASE)
_Pairs = list[tuple[str, Any]]


def refuse_foreign_modules(text: str, name: str) -> None:
    """Raise NetworkError if a network's JSON is malformed, or names a module or class that data do not need.

    `name`: the file, for the error's text. Nothing is imported.
    """
    try:
        pending = [_parsed(text, name)]
        while pending:
            pending.extend(_inner(pending.pop(), name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise NetworkError(f"network file {name} is not JSON that can be read: {error}") from error


def _parsed(text: str, name: str) -> Any:
    return json.loads(text, strict=False, object_pairs_hook=lambda pairs: _once(pairs, name))


def _once(pairs: _Pairs, name: str) -> dict[str, Any]:
    """Readers differ in which of two equal keys counts, so those that matter may stand only once."""
    keys = [key for key, _ in pairs]
    twice = next((key for key in ("_module", "_class", "_object") if keys.count(key) > 1), None)
    if twice is not None:
        raise NetworkError(f"network file {name} has an object with two entries {twice}; only one can be meant")
    return dict(pairs)


def _inner(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict):
        _refuse(value, name)
        return list(value.values())
    if isinstance(value, list):
        return value
    return _within(value, name) if isinstance(value, str) else []


def _within(text: str, name: str) -> list[Any]:
    """What a string holds, if it is JSON itself; another reader may be more lenient than ours."""
    try:
        held = _parsed(text, name) if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[", '"') else None
    except json.JSONDecodeError:
        held = None
    if held is None and _HIDDEN.search(text):
        raise NetworkError(f"network file {name} has a string that may hide an object: {text[:60]!r}")
    return [] if held is None else [held]


def _refuse(value: dict[str, Any], name: str) -> None:
    module, kind = value.get("_module"), value.get("_class")
    if module is None and kind is None:
        return
    if not isinstance(module, str) or module.split(".")[0] not in ALLOWED_MODULES:
        allowed = ", ".join(ALLOWED_MODULES)
        raise NetworkError(f"network file {name} names the module {module!r}; only {allowed} may be named")
    if kind in _CODE or (module == "builtins" and kind not in _BUILTINS):
        raise NetworkError(f"network file {name} names {module}.{kind}, which is code; a network holds only data")
    table = value.get("_object")
    if kind in ("DataFrame", "Series") and isinstance(table, str) and not table.lstrip().startswith(("{", "[")):
        raise NetworkError(f"network file {name} refers to another file, {table[:60]!r}; tables must stand in the file")
