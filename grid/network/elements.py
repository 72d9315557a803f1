"""Loads, generators and storages by the names that a scenario uses: groups, or an element's own name.

    load, storage, wind, pv     all loads, all storages, the generators whose type or name says so
    household, commerce         all loads but those whose type, name or SimBench profile says commerce; and those
    type:PV, zone:south         what has that type; what stands at a bus of that zone
    Load R1, load 3             one element, by its name, or by table and index

The more specific name has the last word, in this order. Connection points of market parties belong to no group: what
they do is never a profile of the grid.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Booleans, Floats, Integers
from ..description.grid import GROUPS
from ..errors import ProfileError, near_names
from .building import POINT_TYPE, TABLES

GROUP_NAMES = (*GROUPS, "household", "commerce")
_CLUES = ("type", "profile", "name")
_WIND = re.compile(r"\b(wp|wind\w*|wka|wea|wt)\b", re.IGNORECASE)
_COMMERCE = re.compile(r"\b(ci\d*|g\d|commerc\w*|industr\w*|gewerbe\w*|handel\w*)\b", re.IGNORECASE)
_PV = re.compile(r"\b(pv|solar\w*|photovoltaic\w*)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """What profiles and readings may name, with the powers that the network's file says (MW, Mvar)."""

    names: dict[str, tuple[str, ...]]
    file_p_mw: dict[str, Floats]
    file_q_mvar: dict[str, Floats]
    wind: Integers
    pv: Integers
    commerce: Integers
    points: Booleans
    types: dict[str, tuple[str, ...]]
    zones: dict[str, tuple[str, ...]]
    shared: dict[str, tuple[str, ...]]  # names that several elements have, and how each of these is called instead

    def find(self, key: str) -> tuple[tuple[str, Integers], ...]:
        """Return (table, positions) of a group or an element. Raises ProfileError if there is none."""
        if key in ("load", "storage"):
            return ((key, np.arange(len(self.names[key]))),)
        if key in ("wind", "pv"):
            return (("sgen", self.wind if key == "wind" else self.pv),)
        if key in ("household", "commerce"):
            households = np.setdiff1d(np.arange(len(self.names["load"])), self.commerce)
            return (("load", self.commerce if key == "commerce" else households),)
        if key.startswith(("type:", "zone:")):
            return self._labelled(key)
        for table in TABLES:
            if key in self.names[table] and not (table == "sgen" and self.points[self.names[table].index(key)]):
                return ((table, np.array([self.names[table].index(key)])),)
        if key in self.shared:
            raise ProfileError(f'"{key}" is the name of several elements; write {" or ".join(self.shared[key])}')
        known = [*GROUP_NAMES, *self._own_names()]
        raise ProfileError(f'"{key}" is neither a group nor an element of the network{near_names(key, known)}')

    def _labelled(self, key: str) -> tuple[tuple[str, Integers], ...]:
        kind, _, wanted = key.partition(":")
        labels = self.types if kind == "type" else self.zones
        found = []
        for table in TABLES:
            own = np.array([label == wanted for label in labels[table]], dtype=np.bool_)
            at = np.flatnonzero(own & ~self.points if table == "sgen" else own).astype(np.int64)
            found += [(table, at)] if len(at) else []
        if not found:
            known = sorted({label for table in TABLES for label in labels[table]} - {"", POINT_TYPE})
            raise ProfileError(f'no element of the network has the {kind} "{wanted}"{near_names(wanted, known)}')
        return tuple(found)

    def group_positions(self) -> tuple[tuple[str, str, Integers], ...]:
        """Return (group, table, positions) of the groups that do not overlap: load, wind, pv, storage."""
        found = [(group, *self.find(group)[0]) for group in GROUPS]
        return tuple(each for each in found if len(each[2]))

    def _own_names(self) -> list[str]:
        generators = [name for name, point in zip(self.names["sgen"], self.points, strict=True) if not point]
        return [*generators, *self.names["load"], *self.names["storage"]]


def elements_of(net: Any) -> Elements:
    """Read the elements of a prepared network; what has no name of its own is called `load 3`, `sgen 5`, …"""
    given = Counter(str(name) for table in TABLES for name in net[table].name if isinstance(name, str) and name)
    twice = {name for name, count in given.items() if count > 1}
    kinds = [f"{sgen.type} {sgen.name}".replace("_", " ") for sgen in net.sgen.itertuples()]
    loads = [" ".join(each) for each in zip(*(_texts(net.load.get(c), len(net.load)) for c in _CLUES), strict=True)]
    zone = net.bus.zone if "zone" in net.bus else {}
    points = (net.sgen.type == POINT_TYPE).to_numpy(dtype=bool)
    return Elements(
        names={table: _names(net[table], table, twice) for table in TABLES},
        file_p_mw={table: net[table].file_p_mw.to_numpy(dtype=float) for table in TABLES},
        file_q_mvar={table: net[table].file_q_mvar.to_numpy(dtype=float) for table in TABLES},
        wind=_matching(_WIND, kinds, points),
        pv=_matching(_PV, kinds, points),
        commerce=_matching(_COMMERCE, loads, np.zeros(len(loads), dtype=np.bool_)),
        points=points,
        types={table: _texts(net[table].get("type"), len(net[table])) for table in TABLES},
        zones={table: _texts(net[table].bus.map(zone), len(net[table])) for table in TABLES},
        shared={name: tuple(_called(net, name)) for name in sorted(twice)},
    )


def _called(net: Any, shared: str) -> Iterator[str]:
    for table in TABLES:
        yield from (f"{table} {index}" for index, name in net[table].name.items() if name == shared)


def specificity(name: str) -> int:
    """Return how specific a name is: 0 for groups that cover all, 3 for a single element; the last word wins."""
    if name in GROUPS:
        return 0
    if name in GROUP_NAMES:
        return 1
    return 2 if name.startswith(("type:", "zone:")) else 3


def _texts(column: Any, count: int) -> tuple[str, ...]:
    return ("",) * count if column is None else tuple(each if isinstance(each, str) else "" for each in column)


def _names(frame: Any, table: str, twice: set[str]) -> tuple[str, ...]:
    pairs = zip(frame.index, frame.name, strict=True)
    return tuple(str(n) if isinstance(n, str) and n and n not in twice else f"{table} {k}" for k, n in pairs)


def _matching(pattern: re.Pattern[str], kinds: list[str], points: Booleans) -> Integers:
    found = [k for k, kind in enumerate(kinds) if pattern.search(kind) and not points[k]]
    return np.array(found, dtype=np.int64)
