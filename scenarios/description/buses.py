"""Which buses a grid has, without pandapower, so that a wrong bus is told at once and with its line.

The benchmark grids never change, so their buses are listed here (a test compares them with pandapower); a file's are
read from its JSON. How a whole network is checked when it is built is `grid/`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ...grid.description.grid import GridDescription
from ...grid.errors import NetworkError
from ...grid.network.points import bus_index
from ..errors import ScenarioError
from .consistency import Finding
from .schema import Scenario

Buses = tuple[tuple[int, str], ...]
_CIGRE_LV = ("0", *(f"R{n}" for n in range(19)), *(f"I{n}" for n in range(3)), *(f"C{n}" for n in range(21)))
_OBERRHEIN_SPANS = (
    (0, 8), (29, 58), (64, 65), (71, 86), (94, 95), (98, 98), (100, 104), (106, 111), (116, 120), (126, 126),
    (129, 129), (131, 134), (136, 138), (140, 150), (153, 153), (155, 155), (157, 157), (159, 159), (161, 162),
    (167, 174), (176, 176), (178, 178), (181, 181), (184, 184), (186, 186), (188, 190), (192, 192), (194, 201),
    (205, 205), (207, 207), (210, 210), (213, 213), (215, 216), (219, 219), (221, 221), (223, 224), (227, 227),
    (229, 229), (231, 231), (235, 248), (253, 253), (269, 269), (271, 271), (273, 273), (275, 275), (281, 281),
    (285, 290), (298, 298), (301, 301), (303, 305), (312, 319),
)  # fmt: skip
_OBERRHEIN = tuple(bus for first, last in _OBERRHEIN_SPANS for bus in range(first, last + 1))
BUILT_IN: dict[str, Buses] = {
    "cigre_mv": tuple((k, f"Bus {k}") for k in range(15)),
    "cigre_mv_der": tuple((k, f"Bus {k}") for k in range(15)),
    "cigre_lv": tuple((k, f"Bus {name}") for k, name in enumerate(_CIGRE_LV)),
    "oberrhein": tuple((bus, f"Bus {k}") for k, bus in enumerate(_OBERRHEIN)),
    "case33bw": tuple((k, str(k)) for k in range(33)),
}
# where the slack of each stands: no participant is placed there by a swarm
SOURCES: dict[str, frozenset[int]] = {
    "cigre_mv": frozenset({0}),
    "cigre_mv_der": frozenset({0}),
    "cigre_lv": frozenset({0}),
    "oberrhein": frozenset({58, 318}),
    "case33bw": frozenset({0}),
}


def wrong_buses(scenario: Scenario) -> Iterator[Finding]:
    """Every bus that its grid does not have, and every network file that cannot be read, with its path."""
    standing = _by_grid(scenario)
    for grid in scenario.grids:
        try:
            buses = buses_of(scenario.located_grid(grid))
        except ScenarioError as error:
            yield ("grids", grid, "file"), str(error)
            continue
        if buses is None:
            continue
        for name, path, bus in standing.get(grid, ()):
            try:
                bus_index(bus, buses)
            except NetworkError as error:
                yield ("participants", name, *path), f"grid {grid}: {error}"


def _by_grid(scenario: Scenario) -> dict[str, list[tuple[str, tuple[str | int, ...], int | str]]]:
    """(participant, path, bus) of every connection, by grid."""
    found: dict[str, list[tuple[str, tuple[str | int, ...], int | str]]] = {}
    for name, provider in scenario.connected.items():
        found.setdefault(provider.grid, []).extend((name, path, bus) for path, bus in _connections(provider))
    return found


def _connections(provider: object) -> Iterator[tuple[tuple[str | int, ...], int | str]]:
    from .participants import AggregatorDescription, BspDescription

    if isinstance(provider, AggregatorDescription):
        for index, bus in enumerate(provider.pool.buses):
            yield ("pool", "buses", index), bus
    if isinstance(provider, BspDescription):
        for index, unit in enumerate(provider.units):
            if unit.bus is not None:
                yield ("units", index, "bus"), unit.bus


def buses_of(grid: GridDescription) -> Buses | None:
    """(index, name) of every bus of a grid; None where only building it would tell.

    Raises ScenarioError if its file is no network saved by pandapower.
    """
    if grid.file is None:
        return BUILT_IN.get(str(grid.network))
    path = Path(str(grid.file))
    try:
        table = json.loads(json.loads(path.read_text("utf-8"))["_object"]["bus"]["_object"])
        column = table["columns"].index("name")
        rows = zip(table["index"], table["data"], strict=True)
        return tuple((int(index), "" if row[column] is None else str(row[column])) for index, row in rows)
    except OSError as error:
        raise ScenarioError(f"the network file {grid.file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError):
        hint = "save one with pandapower.to_json"
        raise ScenarioError(f"{grid.file} is no pandapower network in JSON; {hint}") from None
