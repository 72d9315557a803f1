"""A grid as a one-line diagram: where its buses lie, what joins them, and how loaded all of it was at some moments.

    network (JSON) + rows of states ─▶ runpp per row ─▶ OneLine     voltages per bus, loadings per branch
    OneLine + a plant's solved state ─▶ moment                      the same without a power flow, while a run goes on

Buses lie where the network says; if it does not say it of all of them, in layers by their distance from the source.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Floats
from ..engine import has_controllers, run_power_flow
from ..errors import NetworkError
from ..network.building import POINT_TYPE
from ..network.source import network_of
from .snapshot import set_row, with_row

ENDS = {"line": ("from_bus", "to_bus"), "trafo": ("hv_bus", "lv_bus"), "impedance": ("from_bus", "to_bus")}
RATED = ("line", "trafo", "trafo3w")  # what a plant's state has loadings of, in its order
SWITCHED = {"l": "line", "t": "trafo", "t3": "trafo3w"}
WINDINGS = (("hv_bus", "mv_bus"), ("hv_bus", "lv_bus"))


@dataclass(frozen=True, slots=True)
class Branch:
    """Something that joins two buses, by their positions in the list of buses; `joined`: not by an open switch.

    `most_percent`: the loading that it may have; NaN where there is none.
    """

    kind: str
    index: int
    name: str
    start: int
    end: int
    joined: bool = True
    most_percent: float = math.nan


class Point(NamedTuple):
    """A connection point of a market party, and the position of its bus in the list of buses."""

    name: str
    bus: int


@dataclass(frozen=True, slots=True, eq=False)
class OneLine:
    """Buses, branches, sources, and per moment vm_pu (moments × buses) and loading_percent (moments × branches).

    `xy` (buses × 2) lies between 0 and 1, y upwards; `allowed_pu` (buses × 2): lowest and highest voltage allowed, NaN
    where none is. Without supply, or without a power flow, values are NaN.
    """

    buses: tuple[str, ...]
    xy: Floats
    sources: tuple[int, ...]
    branches: tuple[Branch, ...]
    allowed_pu: Floats
    vm_pu: Floats
    loading_percent: Floats
    points: tuple[Point, ...] = ()


def one_line(text: str, rows: Sequence[Mapping[str, float | int]], name: str = "network") -> OneLine:
    """Draw a network stored as JSON and solve it in the state of each row. Raises NetworkError."""
    net = network_of(text, name)
    place = {int(bus): at for at, bus in enumerate(net.bus.index)}
    branches = _branches(net, place)
    then = deepcopy(net)
    solved = [_solved(then, row, branches) for row in rows]
    sources = tuple(place[int(bus)] for bus in net.ext_grid.bus)
    return OneLine(
        tuple(str(label or at) for at, label in zip(net.bus.index, net.bus.name, strict=True)),
        _scaled(_coordinates(net, branches, sources)),
        sources,
        branches,
        net.bus[["min_vm_pu", "max_vm_pu"]].to_numpy(dtype=float),
        np.array([vm_pu for vm_pu, _ in solved]).reshape(len(rows), len(place)),
        np.array([loading for _, loading in solved]).reshape(len(rows), len(branches)),
        _points(net, place),
    )


def _points(net: Any, place: Mapping[int, int]) -> tuple[Point, ...]:
    own = net.sgen[net.sgen["type"] == POINT_TYPE]
    return tuple(Point(str(name), place[int(bus)]) for name, bus in zip(own["name"], own["bus"], strict=True))


def moment(drawn: OneLine, vm_pu: Floats, loading_percent: Floats, out: Collection[int] = ()) -> Floats:
    """Return the loadings of a diagram's branches from those of a plant's state (lines, then transformers).

    `vm_pu`: the state's voltages per bus · `out`: positions of branches that are out of service in that state.
    """
    values, places = np.full(len(drawn.branches), np.nan), _places(drawn.branches)
    for at, branch in enumerate(drawn.branches):
        place = places.get((branch.kind, branch.index))
        supplied = np.isfinite(vm_pu[[branch.start, branch.end]]).all()
        if place is not None and place not in out and branch.joined and supplied:
            values[at] = loading_percent[place]
    return values


def _places(branches: Sequence[Branch]) -> dict[tuple[str, int], int]:
    """Return where each line and transformer stands in a plant's state: lines first, then the others by table."""
    known = dict.fromkeys((b.kind, b.index) for kind in RATED for b in branches if b.kind == kind)
    return {key: at for at, key in enumerate(known)}


def _branches(net: Any, place: Mapping[int, int]) -> tuple[Branch, ...]:
    parted = _parted(net)
    ends = [*ENDS.items(), *(("trafo3w", pair) for pair in WINDINGS)]
    found = [
        Branch(
            table,
            int(at),
            str(row["name"] or f"{table} {at}"),
            place[int(row[start])],
            place[int(row[end])],
            (table, int(at)) not in parted,
            float(row.get("max_loading_percent", math.nan)),
        )
        for table, (start, end) in ends
        for at, row in net[table].iterrows()
    ]
    return (*found, *_fused(net, place))


def _fused(net: Any, place: Mapping[int, int]) -> Iterator[Branch]:
    """Buses that are joined by nothing but a closed switch."""
    for at, row in net.switch[(net.switch.et == "b") & net.switch.closed].iterrows():
        yield Branch("switch", int(at), str(row["name"] or f"switch {at}"), place[row["bus"]], place[row["element"]])


def _solved(then: Any, row: Mapping[str, float | int], branches: Sequence[Branch]) -> tuple[Floats, Floats]:
    """Voltages and loadings at one moment, into which the network is brought; NaN where nothing flows."""
    if has_controllers(then):
        then = with_row(then, row)
    else:
        set_row(then, row)
    if not run_power_flow(then):
        return np.full(len(then.bus), np.nan), np.full(len(branches), np.nan)
    vm_pu = then.res_bus.vm_pu.to_numpy(dtype=float)
    parted = _parted(then)
    return vm_pu, np.array([_loading(then, branch, vm_pu, parted) for branch in branches])


def _loading(net: Any, branch: Branch, vm_pu: Floats, parted: Collection[tuple[str, int]]) -> float:
    results = net.get(f"res_{branch.kind}")
    if results is None or "loading_percent" not in results:
        return float("nan")
    supplied = np.isfinite(vm_pu[[branch.start, branch.end]]).all()
    joined = (branch.kind, branch.index) not in parted
    return float(results.loading_percent.at[branch.index]) if supplied and joined else float("nan")


def _parted(net: Any) -> frozenset[tuple[str, int]]:
    """What joins nothing: (table, index) of branches out of service, or behind an open switch."""
    opened = net.switch[~net.switch.closed.astype(bool) & net.switch.et.isin(list(SWITCHED))]
    found = {(SWITCHED[et], int(element)) for et, element in zip(opened.et, opened.element, strict=True)}
    for table in (*ENDS, "trafo3w"):
        found |= {(table, int(at)) for at in net[table].index[~net[table].in_service.astype(bool)]}
    return frozenset(found)


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
