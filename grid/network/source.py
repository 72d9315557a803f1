"""Where a pandapower network comes from: a name that ships with pandapower, a SimBench code, or the user's JSON file.

    network: oberrhein ─▶ shipped       simbench: 1-MV-rural--0-sw ─▶ simbench (if it is installed)
    file: net.json ─▶ scan ─▶ pandapower's reader, old formats converted

The last few are kept, and copied: many grids of a scenario are often alike, and to make a network anew takes twenty
times as long. Nothing but JSON is read: pickles and Excel execute or trust what they hold.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..description.grid import GridDescription
from ..engine import quiet
from ..errors import NetworkError, near_names
from .copies import copied, with_booleans
from .scan import refuse_foreign_modules
from .shipped import shipped


def load(description: GridDescription) -> Any:
    """Return the pandapower network that a description names, as shipped; the caller's own. Raises NetworkError."""
    digest = "" if description.file is None else file_digest(description.file)
    with quiet():
        return copied(_made(description.network, description.simbench, description.file, digest))


@lru_cache(maxsize=4)
def _made(network: str | None, simbench: str | None, file: str | None, _digest: str) -> Any:
    if file is not None:
        return with_booleans(_read(Path(file)))
    return with_booleans(_simbench(simbench) if simbench is not None else shipped(str(network)))


def file_digest(path: str) -> str:
    """Return the SHA-256 of a network file, so that an edited file is not taken for the one before.

    Raises NetworkError if it cannot be read.
    """
    try:
        return sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise NetworkError(f"network file {path} cannot be read: {error.strerror}") from error


def simbench_package() -> Any:
    """Return the module simbench; raises NetworkError where it is not installed."""
    try:
        with quiet():
            import simbench
    except ImportError as error:
        text = "SimBench networks need the package simbench: pip install gridpact[simbench]"
        raise NetworkError(f"{text} ({error})") from error
    return simbench


def _simbench(code: str) -> Any:
    package = simbench_package()
    codes = package.collect_all_simbench_codes()
    if code not in codes:
        raise NetworkError(f'"{code}" is no SimBench code{near_names(code, codes)}')
    return package.get_simbench_net(code)


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise NetworkError(f"network file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NetworkError(f"network file {path} is not text; give a network saved by pandapower.to_json") from error
    return network_of(text, str(path))


def network_of(text: str, name: str) -> Any:
    """Return the pandapower network of a JSON text; `name`: the file, for errors. Raises NetworkError."""
    import pandapower
    from pandapower.io_utils import DeserializationNotAllowed

    refuse_foreign_modules(text, name)
    refused = (ValueError, KeyError, TypeError, AttributeError, LookupError, ImportError, UserWarning)
    try:
        with quiet():
            net = pandapower.from_json_string(text, convert=True)
    except (*refused, NotImplementedError, DeserializationNotAllowed) as error:
        raise NetworkError(f"network file {name} is not a readable pandapower network: {error}") from error
    if not isinstance(net, pandapower.pandapowerNet):
        raise NetworkError(f"network file {name} holds {type(net).__name__}, not a pandapower network")
    return net
