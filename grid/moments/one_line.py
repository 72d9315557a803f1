"""A grid as a one-line diagram: where its buses lie, what joins them, and how loaded all of it was at some moments.

    network (JSON) + rows of states ─▶ runpp per row ─▶ OneLine     voltages per bus, loadings per branch

Buses lie where the network says; if it does not say it of all of them, in layers by their distance from the source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..engine import quiet
from ..errors import NetworkError
from ..network.scan import refuse_foreign_modules
from .snapshot import with_row

ENDS = {"line": ("from_bus", "to_bus"), "trafo": ("hv_bus", "lv_bus"), "impedance": ("from_bus", "to_bus")}
WINDINGS = (("hv_bus", "mv_bus"), ("hv_bus", "lv_bus"))


@dataclass(frozen=True, slots=True)
class Branch:
    """Something that joins two buses, by their positions in the list of buses."""

    kind: str
    index: int
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class OneLine:
    """Buses, branches, sources, and per moment vm_pu (moments × buses) and loading_percent (moments × branches).

    `xy` (buses × 2) lies between 0 and 1, y upwards. Without supply, or without a power flow, values are NaN.
    """

    buses: tuple[str, ...]
    xy: Floats
    sources: tuple[int, ...]
    branches: tuple[Branch, ...]
    vm_pu: Floats
    loading_percent: Floats


def one_line(text: str, rows: Sequence[Mapping[str, float | int]], name: str = "network") -> OneLine:
    """Draw a network stored as JSON and solve it in the state of each row. Raises NetworkError."""
    import pandapower

    refuse_foreign_modules(text, name)
    with quiet():
        net = pandapower.from_json_string(text, convert=True)
    place = {int(bus): at for at, bus in enumerate(net.bus.index)}
    branches = _branches(net, place)
    solved = [_solved(net, row, branches) for row in rows]
    sources = tuple(place[int(bus)] for bus in net.ext_grid.bus)
    return OneLine(
        tuple(str(label or at) for at, label in zip(net.bus.index, net.bus.name, strict=True)),
        _scaled(_coordinates(net, branches, sources)),
        sources,
        branches,
        np.array([vm_pu for vm_pu, _ in solved]).reshape(len(rows), len(place)),
        np.array([loading for _, loading in solved]).reshape(len(rows), len(branches)),
    )


def _branches(net: Any, place: Mapping[int, int]) -> tuple[Branch, ...]:
    found = [
        Branch(table, int(at), str(row["name"] or f"{table} {at}"), place[int(row[start])], place[int(row[end])])
        for table, (start, end) in ENDS.items()
        for at, row in net[table].iterrows()
    ]
    found += [
        Branch("trafo3w", int(at), str(row["name"] or f"trafo3w {at}"), place[int(row[start])], place[int(row[end])])
        for at, row in net.trafo3w.iterrows()
        for start, end in WINDINGS
    ]
    fused = net.switch[(net.switch.et == "b") & net.switch.closed]
    found += [
        Branch(
            "switch", int(at), str(row["name"] or f"switch {at}"), place[int(row["bus"])], place[int(row["element"])]
        )
        for at, row in fused.iterrows()
    ]
    return tuple(found)


def _solved(net: Any, row: Mapping[str, float | int], branches: Sequence[Branch]) -> tuple[Floats, Floats]:
    """Voltages and loadings at one moment; NaN where nothing flows."""
    import pandapower

    then = with_row(net, row)
    with quiet():
        try:
            pandapower.runpp(then)
        except pandapower.LoadflowNotConverged:
            return np.full(len(net.bus), np.nan), np.full(len(branches), np.nan)
    vm_pu = then.res_bus.vm_pu.to_numpy(dtype=float)
    return vm_pu, np.array([_loading(then, branch, vm_pu) for branch in branches])


def _loading(net: Any, branch: Branch, vm_pu: Floats) -> float:
    results = net.get(f"res_{branch.kind}")
    if results is None or "loading_percent" not in results:
        return float("nan")
    supplied = np.isfinite(vm_pu[[branch.start, branch.end]]).all()
    joined = _switches_closed(net, branch)
    return float(results.loading_percent.at[branch.index]) if supplied and joined else float("nan")


def _switches_closed(net: Any, branch: Branch) -> bool:
    letter = {"line": "l", "trafo": "t", "trafo3w": "t3"}.get(branch.kind)
    own = net.switch[(net.switch.et == letter) & (net.switch.element == branch.index)]
    return bool(own.closed.all())


def _coordinates(net: Any, branches: Sequence[Branch], sources: Sequence[int]) -> Floats:
    texts = net.bus.get("geo", [])
    given = [json.loads(text)["coordinates"][:2] for text in texts if isinstance(text, str) and text]
    if len(given) == len(net.bus):
        return np.array(given, dtype=float)
    return _layers(len(net.bus), branches, sources)


def _layers(count: int, branches: Sequence[Branch], sources: Sequence[int]) -> Floats:
    """Down by steps from the source, across by the order in which the ends of feeders are met."""
    near: dict[int, list[int]] = {bus: [] for bus in range(count)}
    for branch in branches:
        near[branch.start].append(branch.end)
        near[branch.end].append(branch.start)
    depth: dict[int, int] = {}
    x: dict[int, float] = {}
    for root in (*sources, *range(count)):
        if root not in depth:
            _place(root, near, depth, x)
    return np.array([(x[bus], -float(depth[bus])) for bus in range(count)])


def _place(root: int, near: Mapping[int, Sequence[int]], depth: dict[int, int], x: dict[int, float]) -> None:
    """Walk in depth: an end of a feeder takes the next column, a branching stands over the middle of its feeders."""
    below: dict[int, list[int]] = {}
    depth[root], order, waiting = 0, [], [root]
    while waiting:
        bus = waiting.pop()
        order.append(bus)
        below[bus] = [other for other in dict.fromkeys(near[bus]) if other not in depth]
        depth.update(dict.fromkeys(below[bus], depth[bus] + 1))
        waiting += reversed(below[bus])
    column = max(x.values(), default=-1.0)
    for bus in order:
        if not below[bus]:
            column += 1
            x[bus] = column
    for bus in reversed(order):
        if below[bus]:
            x[bus] = sum(x[other] for other in below[bus]) / len(below[bus])


def _scaled(xy: Floats) -> Floats:
    """Return coordinates between 0 and 1, each axis by its own range."""
    if not np.isfinite(xy).all():
        raise NetworkError("the coordinates of the network's buses must be numbers")
    low, span = xy.min(axis=0), np.ptp(xy, axis=0)
    scaled: Floats = (xy - low) / np.where(span > 0, span, 1.0)
    return scaled
