"""One row per moment that makes the grid reproducible: injections, taps, switches and outages under fixed column names.

Loads are written as the power that they really drew, so that the network of any moment is one of constant powers, and
pandapower's own treatment of voltage-dependent loads does not enter. The network is stored once, the rows per moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from ..arrays import Floats
from ..engine import quiet
from ..errors import NetworkError
from ..model import BRANCH_TABLES, in_service_of
from ..network.building import ZIP_COLUMNS
from ..network.elements import TABLES
from ..network.scan import refuse_foreign_modules
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution

Row = dict[str, float | int]


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
    """The rows of one network: what never changes is looked up once, what changes with outages once for each."""

    def __init__(self, net: Any) -> None:
        self.names = columns(net)
        self._net = net
        self._closed = [int(closed) for closed in net.switch.closed]
        self._source_pu = [float(vm) for vm in net.ext_grid.vm_pu]
        self._standing: dict[tuple[int, ...], Floats] = {}

    def of(self, state: OperatingPoint, solution: Solution) -> Floats:
        """Return the row of a solved state: MW and Mvar rounded to 1 W, in the sign of each element's table.

        Where there is no power flow, `converged` is 0 and loads are written at nominal voltage.
        """
        converged = bool(solution.converged[0])
        factor = solution.load_factor[0] if converged else np.full(len(state.load_p_mw), 1 + 1j)
        drawn = state.load_p_mw * factor.real, state.load_q_mvar * factor.imag
        pairs = (drawn, (state.sgen_p_mw, state.sgen_q_mvar), (state.storage_p_mw, state.storage_q_mvar))
        powers = np.empty((sum(len(active) for active, _ in pairs), 2))
        first = 0
        for active, reactive in pairs:
            last = first + len(active)
            powers[first:last, 0], powers[first:last, 1], first = active, reactive, last
        standing = self._standing_with(state.out)
        return np.concatenate([[converged], np.round(powers, 6).ravel() + 0.0, state.taps, standing])

    def _standing_with(self, out: tuple[int, ...]) -> Floats:
        """Switches, branches in service, and sources, with these branches out."""
        if out not in self._standing:
            in_service = in_service_of(self._net, out).values()
            branches = [int(one) for table in in_service for one in table]
            self._standing[out] = np.array([*self._closed, *branches, *self._source_pu], dtype=float)
        return self._standing[out]


def network_json(net: Any) -> str:
    """Return a prepared network as pandapower JSON, for storage beside its rows."""
    import pandapower

    with quiet():
        return str(pandapower.to_json(net))


def network_from(text: str, row: Mapping[str, float | int], name: str = "network") -> Any:
    """Return the network stored as JSON in the state of a row; runpp on it shows what was. Raises NetworkError."""
    import pandapower

    refuse_foreign_modules(text, name)
    with quiet():
        net = pandapower.from_json_string(text, convert=True)
    return with_row(net, row)


def with_row(net: Any, row: Mapping[str, float | int]) -> Any:
    """Return a copy of a prepared network in the state of a row, loads as constant power. Raises NetworkError.

    The buses of the source get no voltage limits: only those below it are judged.
    """
    missing = [name for name in columns(net) if name not in row]
    if missing:
        raise NetworkError(f"the row lacks {missing[0]} and {len(missing) - 1} other columns of this network")
    result = deepcopy(net)
    for table in TABLES:
        for column in ("p_mw", "q_mvar"):
            result[table][column] = [float(row[f"{table}.{k}.{column}"]) for k in result[table].index]
        result[table] = result[table].drop(columns=["file_p_mw", "file_q_mvar"])
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
    return result
