"""Copies of a network that share what nobody changes: its empty tables, and the library of standard types.

A pandapower network has some 120 tables, most of them empty and 10 kB each. Grids of a large scenario are mostly copies
of a few networks; without sharing each of them would take a megabyte before it holds anything of its own.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

# what is scaled, completed or added to when a network is prepared, so it is each copy's own, empty or not
OWN = frozenset({"bus", "load", "sgen", "storage", "line", "trafo", "trafo3w", "gen", "ext_grid"})
STANDARD = "std_types"


def copied(net: Any) -> Any:
    """Return a copy of a pandapower network whose tables with rows, and those in OWN, are its own."""
    shared = [part for name, part in net.items() if name == STANDARD or _is_shared(str(name), part)]
    return deepcopy(net, {id(part): part for part in shared})


def with_booleans(net: Any) -> Any:
    """Return the network; an empty table read from JSON has `in_service` of no type, which cannot be negated."""
    for name in sorted(str(key) for key in net):
        frame = net[name]
        if getattr(frame, "columns", None) is not None and "in_service" in frame and frame.in_service.dtype != bool:
            frame["in_service"] = frame.in_service.fillna(value=True).astype(bool)
    return net


def _is_shared(name: str, part: Any) -> bool:
    return name not in OWN and getattr(part, "columns", None) is not None and not len(part)
