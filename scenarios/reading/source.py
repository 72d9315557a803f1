"""Reads YAML so that every value knows where it stands: text ──▶ nodes ──▶ plain values + a place for each path.

Only plain mappings, lists and scalars come out (dates stay text), whatever tags the file has; a key given twice, a tab,
a binary file or anything that is no mapping is told in one sentence with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..errors import ScenarioError

Steps = tuple[str | int, ...]
MOST_NODES, MOST_DEEP = 200_000, 100
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value comes from: a line of a file, or an option of the command line (line 0)."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass
class Located:
    """Plain values with the place of every path in them; the empty path is the file itself."""

    values: dict[str, Any]
    places: dict[Steps, Place] = field(default_factory=dict)

    def place(self, path: Steps) -> Place:
        """Where the value at `path` stands, or the nearest thing around it."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places[path]


def read_yaml(path: Path, shown: str) -> Located:
    """Read a file as a located mapping; `shown` names it in error texts. Raises ScenarioError."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ScenarioError(f"{shown}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{shown}:1: this is a binary file, but a scenario is a YAML text in UTF-8") from None
    if "\x00" in text:
        raise ScenarioError(f"{shown}:1: this is a binary file, but a scenario is a YAML text in UTF-8")
    return _located(_compose(text, shown), shown)


def parse_value(text: str, shown: str) -> Located:
    """Parse one YAML value, as given on the command line, under the path () of a wrapper; see `value_of`."""
    node = _compose(text, shown)
    reader = _Reader(shown, counts_lines=False)
    return Located({"value": None if node is None else reader.value(node, ())}, {(): Place(shown)})


def _compose(text: str, shown: str) -> Node | None:
    """The nodes of a text, which nobody changes."""
    _no_tabs(text, shown)
    try:
        return _nodes(text) if "\n" in text else _nodes.__wrapped__(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        problem = " ".join(str(error.problem or error.context or "it is no YAML").split())
        raise ScenarioError(f"{shown}:{line}: this is not valid YAML: {problem}") from None
    except (YAMLError, ValueError) as error:
        raise ScenarioError(f"{shown}:1: this is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ScenarioError(f"{shown}:1: this is nested deeper than any scenario") from None


@lru_cache(maxsize=32)
def _nodes(text: str) -> Node | None:
    """What many scenarios extend or many records copy is parsed once; single lines would only be in the way."""
    node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


def _no_tabs(text: str, shown: str) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise ScenarioError(f"{shown}:{number}: the line is indented with a tab, but YAML wants spaces")


def _located(node: Node | None, shown: str) -> Located:
    if not isinstance(node, MappingNode):
        line = 1 if node is None else node.start_mark.line + 1
        raise ScenarioError(f"{shown}:{line}: a scenario is a mapping of keys such as name, time, grids, participants")
    reader = _Reader(shown)
    values = reader.value(node, ())
    return Located(values, {**reader.places, (): Place(shown, 1)})


class _Reader:
    """Turns nodes into plain values and notes where each stands."""

    def __init__(self, shown: str, *, counts_lines: bool = True) -> None:
        self.shown = shown
        self.places: dict[Steps, Place] = {}
        self._counts_lines = counts_lines
        self._nodes = 0
        self._open: list[int] = []

    def value(self, node: Node, path: Steps) -> Any:
        """The plain value of a node; notes the places of everything in it."""
        self._nodes += 1
        if self._nodes > MOST_NODES or id(node) in self._open:
            raise ScenarioError(f"{self._place(node)}: this YAML refers to itself or is larger than any scenario")
        if len(self._open) > MOST_DEEP:
            raise ScenarioError(f"{self._place(node)}: this is nested deeper than any scenario")
        self.places.setdefault(path, self._place(node))
        self._open.append(id(node))
        value = self._plain(node, path)
        self._open.pop()
        return value

    def _plain(self, node: Node, path: Steps) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return _scalar(str(node.tag), str(node.value))

    def _mapping(self, node: MappingNode, path: Steps) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, ScalarNode):
                raise ScenarioError(f"{self._place(key_node)}: a key must be a plain text")
            key = key_node.value
            if key in values:
                raise ScenarioError(f'{self._place(key_node)}: the key "{key}" is given twice; keep one of them')
            self.places[(*path, key)] = self._place(key_node)
            values[key] = self.value(child, (*path, key))
        return values

    def _place(self, node: Node) -> Place:
        return Place(self.shown, node.start_mark.line + 1 if self._counts_lines else 0)


def _scalar(tag: str, text: str) -> Any:
    kind = str(tag)
    if kind == "tag:yaml.org,2002:null":
        return None
    if kind == "tag:yaml.org,2002:bool":
        return _BOOLEANS.get(text.lower(), text)
    if kind in _NUMBERS:
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    plain = text.replace("_", "")
    for convert in (lambda t: int(t, 0), int, float):
        try:
            return convert(plain)
        except ValueError:
            continue
    return {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}.get(plain.lower(), text)


def merged(base: Located, over: Located) -> Located:
    """`over` laid on `base`: mappings merge deeply, an empty one clears, lists and scalars replace, null removes."""
    places = dict(base.places)
    values = _merge(base.values, over.values, (), (places, over.places))
    return Located(values, {**places, (): over.places[()]})


def _merge(
    base: Mapping[str, Any], over: Mapping[str, Any], path: Steps, places: tuple[dict[Steps, Place], dict[Steps, Place]]
) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        here = (*path, key)
        below = base.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and value:
            places[0][here] = places[1].get(here, places[0][here])  # what was changed last is to blame
            result[key] = _merge(below, value, here, places)
            continue
        _replace_places(here, places)
        result.pop(key, None) if value is None and key in base else result.update({key: value})
    return result


def _replace_places(path: Steps, places: tuple[dict[Steps, Place], dict[Steps, Place]]) -> None:
    into, source = places
    for old in [known for known in into if known[: len(path)] == path]:
        del into[old]
    into.update({known: place for known, place in source.items() if known[: len(path)] == path})
