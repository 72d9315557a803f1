"""Copies of a network that share what nobody changes: its empty tables, and the library of standard types.

A pandapower network has some 120 tables, most of them empty and 10 kB each. Grids of a large scenario are mostly copies
of a few networks; without sharing each of them would take a megabyte before it holds anything of its own. Once a
network is prepared and nobody changes it any more, tables with rows are shared too, where they are equal.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from weakref import ReferenceType, ref

# what is scaled, completed or added to when a network is prepared, so it is each copy's own, empty or not
OWN = frozenset({"bus", "load", "sgen", "storage", "line", "trafo", "trafo3w", "gen", "ext_grid"})
STANDARD = "std_types"
MOST_ALIKE = 8  # different tables of one name and length that are known at a time


def copied(net: Any) -> Any:
    """Return a copy of a pandapower network whose tables with rows, and those in OWN, are its own."""
    shared = [part for name, part in net.items() if name == STANDARD or _is_shared(str(name), part)]
    return deepcopy(net, {id(part): part for part in shared})


def beside(net: Any, own: str) -> Any:
    """Return a copy of a pandapower network that shares all but one table, which is to be set anew."""
    shared = {str(name): part for name, part in net.items() if name != own}
    other = deepcopy(net, {id(part): part for part in shared.values()})
    for name, part in shared.items():  # pandapower copies tables of objects by its own rules
        dict.__setitem__(other, name, part)
    return other


def with_booleans(net: Any) -> Any:
    """Return the network; an empty table read from JSON has `in_service` of no type, which cannot be negated."""
    for name in sorted(str(key) for key in net):
        frame = net[name]
        if getattr(frame, "columns", None) is not None and "in_service" in frame and frame.in_service.dtype != bool:
            frame["in_service"] = frame.in_service.fillna(value=True).astype(bool)
    if "_ppc" in net:
        net["_ppc"] = None  # of a power flow before it was stored: large, and nobody's business
    return net


def _is_shared(name: str, part: Any) -> bool:
    return name not in OWN and getattr(part, "columns", None) is not None and not len(part)


def sharing(net: Any) -> Any:
    """Return the network, its tables those of another one that is in use where they are equal; never change it then."""
    for name in sorted(str(key) for key in net):
        if getattr(net[name], "columns", None) is not None:
            dict.__setitem__(net, name, _one_of_equals(name, net[name]))
    return net


_tables: dict[tuple[str, int], list[ReferenceType[Any]]] = {}


def _one_of_equals(name: str, frame: Any) -> Any:
    """A table that is in use and equal, types and all, or this one."""
    known = [(kept, table) for kept in _tables.get((name, len(frame)), ()) if (table := kept()) is not None]
    for _, table in known:
        if table.dtypes.equals(frame.dtypes) and table.index.equals(frame.index) and table.equals(frame):
            return table
    _tables[name, len(frame)] = [*(kept for kept, _ in known[-MOST_ALIKE + 1 :]), ref(frame)]
    return frame
