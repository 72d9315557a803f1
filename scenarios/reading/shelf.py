"""The built-in scenarios on their shelf: where they stand, and what they are called, without reading them as scenarios.

The command line lists them without importing what a scenario is made of.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

BASES = frozenset({"worked-example"})
_TITLE = re.compile(r"^title:.*$", re.MULTILINE)


def library() -> Path:
    """The folder of the built-in scenarios."""
    return Path(str(files("gridpact.scenarios") / "library"))


def library_names() -> tuple[str, ...]:
    """The names of all files on the shelf, bases too."""
    return tuple(sorted(path.stem for path in library().glob("*.yaml")))


def builtin_names() -> tuple[str, ...]:
    """The names of the built-in scenarios, those that are only a base left out."""
    return tuple(name for name in library_names() if name not in BASES)


def builtin_titles() -> dict[str, str]:
    """What the built-in scenarios are called and about; nothing of their files is parsed but the line that says so."""
    return {name: _title((library() / f"{name}.yaml").read_text("utf-8"), name) for name in builtin_names()}


def _title(text: str, name: str) -> str:
    from .source import parse_value

    found = _TITLE.search(text)
    return "" if found is None else str(parse_value(found[0], name).values["value"]["title"])


def known_scenarios(begun: str) -> list[str]:
    """The built-in names, and the YAML files here, that begin so: what a shell offers."""
    here = (str(path) for path in sorted(Path().glob("*.yaml")))
    return [name for name in (*builtin_names(), *here) if name.startswith(begun)]
