"""One row per moment that makes the grid reproducible: injections, taps, switches and outages under fixed column names.

Loads are written as the power that they really drew, so that the network of any moment is one of constant powers, and
pandapower's own treatment of voltage-dependent loads does not enter. The network is stored once, the rows per moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from sys import intern
from typing import Any

import numpy as np

from ..arrays import Complexes, Floats
from ..engine import has_controllers, quiet, run_power_flow
from ..errors import NetworkError
from ..model import BRANCH_TABLES, in_service_of
from ..network.building import TABLES, ZIP_COLUMNS
from ..network.others import others_of
from ..network.source import network_of
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution

Row = dict[str, float | int]
_SIGNS = {"sgen": 1, "load": -1, "storage": -1}


def columns(net: Any) -> tuple[str, ...]:
    """Return the column names of a network's rows, in order, e.g. `load.3.p_mw`, `trafo.0.tap_pos`."""
    names = ["converged"]
    for table in TABLES:
        names += [f"{table}.{index}.{column}" for index in net[table].index for column in ("p_mw", "q_mvar")]
    names += [f"trafo.{index}.tap_pos" for index in net.trafo.index]
    names += [f"switch.{index}.closed" for index in net.switch.index]
    names += [f"{table}.{index}.in_service" for table in BRANCH_TABLES for index in net[table].index]
    return (*names, *(f"ext_grid.{index}.vm_pu" for index in net.ext_grid.index))


class Rows:
    """The rows of one network: what never changes is looked up once, what changes with outages once for each.

    Rows of the same own powers of the grid differ only in what hangs on voltages and on participants.
    """

    def __init__(self, net: Any) -> None:
        self.names = tuple(map(intern, columns(net)))
        self._net = net
        self._others = others_of(net)
        self._gives = np.array([_SIGNS.get(name.partition(".")[0], 0) * name.endswith(".p_mw") for name in self.names])
        self._closed = [int(closed) for closed in net.switch.closed]
        self._source_pu = [float(vm) for vm in net.ext_grid.vm_pu]
        self._standing: dict[tuple[int, ...], Floats] = {}
        self._known: tuple[OperatingPoint, Floats, Floats] | None = None  # a state, its row, its powers unrounded

    def of(self, own: OperatingPoint, added_mva: Complexes, solution: Solution) -> Floats:
        """Return the rows of solved states (n × names): MW and Mvar rounded to 1 W, signed as in each element's table.

        `own`: the grid's own powers, `added_mva` (n × points): what is injected at the connection points beyond them.
        Where there is no power flow, `converged` is 0 and loads are written at nominal voltage.
        """
        if self._known is None or self._known[0] is not own:
            self._known = self._still(own)
        count, still, powers = len(added_mva), *self._known[1:]
        loads, generators = 2 * len(own.load_p_mw), 2 * (len(own.load_p_mw) + len(own.sgen_p_mw))
        points = slice(generators - 2 * added_mva.shape[1], generators)
        rows = np.empty((count, len(still)))
        rows[:] = still
        rows[:, 0] = solution.converged
        factor = np.where(solution.converged[:, None], solution.load_factor, 1 + 1j)
        _put(rows[:, 1 : 1 + loads], powers[:loads] * np.ascontiguousarray(factor).view(float))
        _put(rows[:, 1 + points.start : 1 + points.stop], powers[points] + np.ascontiguousarray(added_mva).view(float))
        return rows

    def losses_mw(self, rows: Floats, solution: Solution) -> Floats:
        """Return the losses of rows that `of` made: what enters less what is drawn; 0 without a power flow (n, MW)."""
        entered = solution.interface_mva.real.sum(axis=1) + self._others.injected_mw(solution.vm_pu)
        return np.where(solution.converged, np.round(entered + rows @ self._gives, 6), 0.0)

    def _still(self, own: OperatingPoint) -> tuple[OperatingPoint, Floats, Floats]:
        """A state, its row without a power flow, and its powers as pairs, not rounded."""
        active = np.concatenate((own.load_p_mw, own.sgen_p_mw, own.storage_p_mw))
        reactive = np.concatenate((own.load_q_mvar, own.sgen_q_mvar, own.storage_q_mvar))
        powers = np.stack((active, reactive), axis=1).ravel()
        row = np.concatenate(([0.0], powers, own.taps, self._standing_with(own.out)))
        _put(row[1 : 1 + len(powers)], powers)
        return own, row, powers

    def _standing_with(self, out: tuple[int, ...]) -> Floats:
        """Switches, branches in service, and sources, with these branches out."""
        if out not in self._standing:
            in_service = in_service_of(self._net, out).values()
            branches = [int(one) for table in in_service for one in table]
            self._standing[out] = np.array([*self._closed, *branches, *self._source_pu], dtype=float)
        return self._standing[out]


def _put(where: Floats, powers: Floats) -> None:
    """Rounded to 1 W, and no -0.0."""
    np.round(powers, 6, out=where)
    where += 0.0


def network_json(net: Any) -> str:
    """Return a prepared network as pandapower JSON, for storage beside its rows.

    Of networks that share all but their connection points (`building.reconnected`) only these are written anew.
    """
    for other, text in _told:
        if _differ_in_points(net, other):
            return text.replace(_block(other), _block(net))
    _told.append((net, _to_json(net)))
    return _told[-1][1]


POINTS = "sgen"  # the table of the connection points
_told: deque[tuple[Any, str]] = deque(maxlen=4)


def _block(net: Any) -> str:
    """The table of the connection points, as it stands in the JSON of its network."""
    first, _, block = _to_json({POINTS: net[POINTS]}).partition("\n")
    assert first == "{"
    return ("\n" + block.removesuffix("\n}")).replace("\n", "\n  ")


def _differ_in_points(net: Any, other: Any) -> bool:
    """Whether two networks are the very same but for the table of the connection points."""
    return list(net) == list(other) and all(net[name] is other[name] for name in net if name != POINTS)


def _to_json(net: Any) -> str:
    import pandapower

    with quiet():
        return str(pandapower.to_json(net))


def network_from(text: str, row: Mapping[str, float | int], name: str = "network") -> Any:
    """Return the network stored as JSON in the state of a row; runpp on it shows what was. Raises NetworkError."""
    return with_row(network_of(text, name), row)


def with_row(net: Any, row: Mapping[str, float | int]) -> Any:
    """Return a copy of a prepared network in the state of a row, loads as constant power. Raises NetworkError.

    The buses of the source get no voltage limits: only those below it are judged. The network's own controllers have
    acted, and are out of service.
    """
    result = deepcopy(net)
    set_row(result, row)
    if has_controllers(result):
        run_power_flow(result, controlled=True)
        result.controller["in_service"] = False
    for table in TABLES:
        result[table] = result[table].drop(columns=["file_p_mw", "file_q_mvar"])
    return result


def set_row(result: Any, row: Mapping[str, float | int]) -> None:
    """Bring a copy of a prepared network into the state of a row, from that of any other; see `with_row`."""
    missing = [name for name in columns(result) if name not in row]
    if missing:
        raise NetworkError(f"the row lacks {missing[0]} and {len(missing) - 1} other columns of this network")
    for table in TABLES:
        for column in ("p_mw", "q_mvar"):
            result[table][column] = [float(row[f"{table}.{k}.{column}"]) for k in result[table].index]
    result.load[list(ZIP_COLUMNS)] = 0.0
    if len(result.trafo):
        result.trafo["tap_pos"] = [float(row[f"trafo.{k}.tap_pos"]) for k in result.trafo.index]
    if len(result.switch):
        result.switch["closed"] = [bool(row[f"switch.{k}.closed"]) for k in result.switch.index]
    for table in BRANCH_TABLES:
        if len(result[table]):
            result[table]["in_service"] = [bool(row[f"{table}.{k}.in_service"]) for k in result[table].index]
    result.ext_grid["vm_pu"] = [float(row[f"ext_grid.{k}.vm_pu"]) for k in result.ext_grid.index]
    result.bus.loc[result.ext_grid.bus, ["min_vm_pu", "max_vm_pu"]] = np.nan
