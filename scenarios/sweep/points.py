"""The points of a sweep: every combination of the values of its axes, and of the seeds, in a fixed order.

--set bsps=10,100 --set links.loss=0,0.01 --seeds 1..3    ─▶    2 × 2 × 3 points
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ..errors import ScenarioError
from ..reading.source import parse_value

Axes = Mapping[str, Sequence[str]]
MOST_SEEDS = 1_000_000
_OPENING, _CLOSING = "[{(", "]})"


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a sweep: settings by dotted path, each written in YAML; `seed` is one of them."""

    settings: tuple[tuple[str, str], ...]

    def key(self, base: str) -> str:
        """A name that only this point of this base (scenario and version) has, however its values are written."""
        text = json.dumps([base, _plain(self.values)], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:24]

    @property
    def values(self) -> dict[str, Any]:
        """Its settings as plain values."""
        return {path: parse_value(text, path).values["value"] for path, text in self.settings}

    def __str__(self) -> str:
        """As it is told: `bsps=10, seed=2`."""
        return ", ".join(f"{path}={value}" for path, value in self.settings) or "as it stands"


def _plain(value: Any) -> Any:
    """The same value, with whole numbers as such: 0.0 is 0."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def points_of(axes: Axes) -> tuple[Point, ...]:
    """Every combination, the last axis first in turn."""
    named = [[(path, value) for value in values] for path, values in axes.items()]
    return tuple(Point(settings) for settings in itertools.product(*named))


def axes_of(settings: Iterable[str], seeds: str | None) -> dict[str, tuple[str, ...]]:
    """Axes from options: `PATH=A,B,C` each, and seeds as `1..30` or `1,5,7..9`. Raises ScenarioError."""
    axes: dict[str, tuple[str, ...]] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        path = path.strip()
        if not equals or not path or not text.strip():
            raise ScenarioError(f"--set {setting}: write PATH=A,B,C, for example --set links.loss=0,0.01,0.1")
        if path in axes:
            raise ScenarioError(f"--set {setting}: {path} is given twice; list all its values in one option")
        axes[path] = _distinct(split(text), f"--set {setting}")
    if seeds is None:
        return axes
    if "seed" in axes:
        raise ScenarioError(f"--seeds {seeds}: seed is already set by --set; use one of the two")
    return {**axes, "seed": _seeds(seeds)}


def split(text: str) -> tuple[str, ...]:
    """YAML values separated by commas; commas within brackets or quotes belong to a value."""
    parts, depth, quote, start = [], 0, "", 0
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in _OPENING or char in _CLOSING:
            depth += 1 if char in _OPENING else -1
        elif char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return tuple(part.strip() for part in (*parts, text[start:]))


def _distinct(values: Sequence[str], option: str) -> tuple[str, ...]:
    if "" in values:
        raise ScenarioError(f"{option}: a value is empty: write PATH=A,B,C without a comma too many")
    first: dict[str, str] = {}
    for value in values:
        plain = json.dumps(_plain(parse_value(value, option).values["value"]), sort_keys=True)
        if plain in first:
            also = "" if first[plain] == value else f", as {first[plain]} too"
            raise ScenarioError(f"{option}: {value} is given twice{also}")
        first[plain] = value
    return tuple(values)


def _seeds(text: str) -> tuple[str, ...]:
    option, seeds = f"--seeds {text}", []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        if not first.isdecimal() or (dots and not last.isdecimal()):
            raise ScenarioError(f"{option}: write 1..30, or a list as 1,5,7..9")
        begin, end = int(first), int(last if dots else first)
        if begin > end or end - begin >= MOST_SEEDS:
            raise ScenarioError(f"{option}: {part.strip()} is no range of at most {MOST_SEEDS} seeds, smallest first")
        seeds += [str(seed) for seed in range(begin, end + 1)]
    return _distinct(seeds, option)
