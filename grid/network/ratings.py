"""What a network's states are judged by: names and limits of branches, buses and interfaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Booleans, Floats, Integers
from .slack import slack_generators


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Names and limits of what a state is judged by: branches (lines, transformers) and the buses below the source.

    `buses` are positions in the bus table; `interface_mw` is what the branches at each interface can carry.
    """

    branches: tuple[str, ...]
    loading_percent: Floats
    buses: Integers
    bus_names: tuple[str, ...]
    vm_min_pu: Floats
    vm_max_pu: Floats
    interfaces: tuple[str, ...]
    interface_mw: tuple[float, ...]


def ratings_of(net: Any, watched: Booleans, interfaces: Sequence[Integers]) -> Ratings:
    """Return the ratings of a prepared network.

    `watched`: which of its buses are judged · `interfaces`: the positions of the buses of each.
    """
    buses = np.flatnonzero(watched)
    bus = net.bus.iloc[buses]
    at_interface = [[int(bus) for bus in net.bus.index[at]] for at in interfaces]
    return Ratings(
        branches=_branch_names(net),
        loading_percent=_loading_limits(net),
        buses=buses.astype(np.int64),
        bus_names=tuple(f"bus {index}" for index in bus.index),
        vm_min_pu=bus.min_vm_pu.to_numpy(dtype=float),
        vm_max_pu=bus.max_vm_pu.to_numpy(dtype=float),
        interfaces=tuple(_interface_name(net, each) for each in at_interface),
        interface_mw=tuple(_interface_rating_mw(net, each) for each in at_interface),
    )


def _branch_names(net: Any) -> tuple[str, ...]:
    names = [f"line {a}-{b}" for a, b in zip(net.line.from_bus, net.line.to_bus, strict=True)]
    names += [f"transformer {a}-{b}" for a, b in zip(net.trafo.hv_bus, net.trafo.lv_bus, strict=True)]
    names += [f"transformer {t.hv_bus}-{t.mv_bus}-{t.lv_bus}" for t in net.trafo3w.itertuples()]
    indices = [*net.line.index, *net.trafo.index, *net.trafo3w.index]
    count = Counter(names)
    return tuple(f"{n} #{k}" if count[n] > 1 else n for n, k in zip(names, indices, strict=True))


def _loading_limits(net: Any) -> Floats:
    return np.concatenate(
        [each.max_loading_percent.to_numpy(dtype=float) for each in (net.line, net.trafo, net.trafo3w)]
    )


def _interface_name(net: Any, buses: list[int]) -> str:
    at = net.ext_grid[net.ext_grid.bus.isin(buses) & net.ext_grid.in_service]
    at = at if len(at) else net.gen[net.gen.bus.isin(buses) & slack_generators(net)]
    name = at.name.iloc[0]
    return name if isinstance(name, str) and name else f"external grid {at.bus.iloc[0]}"


def _interface_rating_mw(net: Any, buses: list[int]) -> float:
    """Return what the branches from these buses can carry; those within the same set carry nothing out of it."""
    trafo, line, wide = net.trafo, net.line, net.trafo3w
    at = trafo[(trafo.hv_bus.isin(buses) ^ trafo.lv_bus.isin(buses)) & trafo.in_service]
    rated_mw = (at.sn_mva * at.parallel * at.df * at.max_loading_percent / 100).sum()
    at = wide[wide.hv_bus.isin(buses) & wide.in_service]
    rated_mw += (at.sn_hv_mva * at.max_loading_percent / 100).sum()
    at = line[(line.from_bus.isin(buses) ^ line.to_bus.isin(buses)) & line.in_service]
    rated_ka = (at.max_i_ka * at.df * at.parallel * at.max_loading_percent / 100).sum()
    return float(rated_mw + rated_ka * net.bus.vn_kv.loc[buses[0]] * np.sqrt(3.0))
