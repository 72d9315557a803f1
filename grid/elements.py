"""Loads, generators and storages by the names that a scenario uses: groups, or an element's own name.

Groups: `load` all loads, `storage` all storages, `wind` and `pv` the generators whose type or name says so. Connection
points of market parties belong to no group: what they do is never a profile of the grid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Booleans, Floats, Integers
from .errors import ProfileError, near_names
from .network import POINT_TYPE

TABLES = ("load", "sgen", "storage")
_WIND = re.compile(r"\b(wp|wind\w*|wka|wea|wt)\b", re.IGNORECASE)
_PV = re.compile(r"\b(pv|solar\w*|photovoltaic\w*)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """What profiles and readings may name, with the powers that the network's file says (MW, Mvar)."""

    names: dict[str, tuple[str, ...]]
    file_p_mw: dict[str, Floats]
    file_q_mvar: dict[str, Floats]
    wind: Integers
    pv: Integers
    points: Booleans

    def find(self, key: str) -> tuple[tuple[str, Integers], ...]:
        """Return (table, positions) of a group or an element. Raises ProfileError if there is none."""
        if key in ("load", "storage"):
            return ((key, np.arange(len(self.names[key]))),)
        if key in ("wind", "pv"):
            positions = self.wind if key == "wind" else self.pv
            return (("sgen", positions),)
        for table in TABLES:
            if key in self.names[table] and not (table == "sgen" and self.points[self.names[table].index(key)]):
                return ((table, np.array([self.names[table].index(key)])),)
        known = ["load", "storage", "wind", "pv", *self._own_names()]
        raise ProfileError(f'"{key}" is neither a group nor an element of the network{near_names(key, known)}')

    def _own_names(self) -> list[str]:
        generators = [name for name, point in zip(self.names["sgen"], self.points, strict=True) if not point]
        return [*generators, *self.names["load"], *self.names["storage"]]


def elements_of(net: Any) -> Elements:
    """Read the elements of a prepared network; what has no name of its own is called `load 3`, `sgen 5`, …"""
    given = [str(name) for table in TABLES for name in net[table].name if isinstance(name, str) and name]
    twice = {name for name in given if given.count(name) > 1}
    kinds = [f"{sgen.type} {sgen.name}".replace("_", " ") for sgen in net.sgen.itertuples()]
    points = (net.sgen.type == POINT_TYPE).to_numpy(dtype=bool)
    return Elements(
        names={table: _names(net[table], table, twice) for table in TABLES},
        file_p_mw={table: net[table].file_p_mw.to_numpy(dtype=float) for table in TABLES},
        file_q_mvar={table: net[table].file_q_mvar.to_numpy(dtype=float) for table in TABLES},
        wind=_matching(_WIND, kinds, points),
        pv=_matching(_PV, kinds, points),
        points=points,
    )


def _names(frame: Any, table: str, twice: set[str]) -> tuple[str, ...]:
    pairs = zip(frame.index, frame.name, strict=True)
    return tuple(str(n) if isinstance(n, str) and n and n not in twice else f"{table} {k}" for k, n in pairs)


def _matching(pattern: re.Pattern[str], kinds: list[str], points: Booleans) -> Integers:
    found = [k for k, kind in enumerate(kinds) if pattern.search(kind) and not points[k]]
    return np.array(found, dtype=np.int64)
