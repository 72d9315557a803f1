"""Where a pandapower network comes from: a name of a benchmark grid, or the user's JSON file.

pandapower's reader imports the modules that a file names before it looks at its own list of what is allowed, so every
`_module` is checked here first – in nested, encoded objects too – and nothing but JSON is read.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from .description import GridDescription
from .engine import quiet
from .errors import NetworkError

ALLOWED_MODULES = ("pandapower", "pandas", "numpy", "networkx", "builtins")


def load(description: GridDescription) -> Any:
    """Return the pandapower network that a description names, as shipped. Raises NetworkError."""
    with quiet():
        return _read(Path(description.file)) if description.file is not None else _built_in(str(description.network))


def file_digest(path: str) -> str:
    """Return the SHA-256 of a network file, so that an edited file is not taken for the one before.

    Raises NetworkError if it cannot be read.
    """
    try:
        return sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise NetworkError(f"network file {path} cannot be read: {error.strerror}") from error


def _built_in(name: str) -> Any:
    from pandapower import networks

    builders = {
        "cigre_mv": lambda: networks.create_cigre_network_mv(with_der=False),
        "cigre_mv_der": lambda: networks.create_cigre_network_mv(with_der="all"),
        "cigre_lv": networks.create_cigre_network_lv,
        "oberrhein": networks.mv_oberrhein,
        "case33bw": networks.case33bw,
    }
    return builders[name]()


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise NetworkError(f"network file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NetworkError(f"network file {path} is not text; give a network saved by pandapower.to_json") from error
    refuse_foreign_modules(text, str(path))
    return _decoded(text, path)


def _decoded(text: str, path: Path) -> Any:
    import pandapower

    try:
        net = pandapower.from_json_string(text, convert=True)
    except (ValueError, KeyError, TypeError, AttributeError, LookupError, ImportError, UserWarning) as error:
        raise NetworkError(f"network file {path} is not a readable pandapower network: {error}") from error
    if not isinstance(net, pandapower.pandapowerNet):
        raise NetworkError(f"network file {path} holds {type(net).__name__}, not a pandapower network")
    return net


def refuse_foreign_modules(text: str, name: str) -> None:
    """Raise NetworkError if a network's JSON is malformed or names a module outside ALLOWED_MODULES.

    Nothing is imported. Strings that hold JSON themselves are searched too, at any depth.
    """
    try:
        pending = [json.loads(text)]
        while pending:
            pending.extend(_inner(pending.pop(), name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise NetworkError(f"network file {name} is not JSON that can be read: {error}") from error


def _inner(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict):
        _refuse(value.get("_module"), name)
        return list(value.values())
    if isinstance(value, list):
        return value
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        return _parsed(value)
    return []


def _parsed(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return []


def _refuse(module: object, name: str) -> None:
    if module is None or (isinstance(module, str) and module.split(".")[0] in ALLOWED_MODULES):
        return
    allowed = ", ".join(ALLOWED_MODULES)
    raise NetworkError(f"network file {name} names the module {module!r}; only {allowed} may be named")
