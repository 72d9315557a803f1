"""A grid that is ready for questions: the prepared network, its names and limits, and a solver per tap position.

A model knows the structure and no profile, so that a DSO's studies and the physical plant may share one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .description.grid import GridDescription
from .engine import quiet
from .errors import BlackoutError, NetworkError, SolverError, near_names
from .network.building import POINT_TYPE, TABLES, ZIP_COLUMNS, Prepared, build, reconnected, zip_shares
from .network.columns import columns_of
from .network.copies import copied, sharing
from .network.points import ConnectionPoint
from .network.ratings import ratings_of
from .network.source import file_digest
from .network.taps import tap_ranges, tap_senses
from .powerflow.blackout import dark
from .powerflow.fallback import PowerFlowSolver, needs_power_flow
from .powerflow.operating_point import OperatingPoint
from .powerflow.solution import Solution
from .powerflow.solver import BatchSolver

Solver = BatchSolver | PowerFlowSolver
BRANCH_TABLES = ("line", "trafo", "trafo3w")
# A solver holds matrices of buses × buses complex numbers: some 250 MB of one matrix each, and a few solvers anyhow.
FEWEST_SOLVERS, KEPT_ENTRIES = 8, 2**24


class GridModel:
    """A compiled grid: `net` is the prepared pandapower network; never change it.

    `fallback_reason`: why states are solved by pandapower's own power flow and not in batches; None if they are not.
    """

    def __init__(
        self, description: GridDescription, points: Sequence[ConnectionPoint] = (), alike: GridModel | None = None
    ) -> None:
        """Build and compile; raises NetworkError or SolverError.

        `alike`: a model of the same description with other connection points: what does not hang on these is taken
        from it, so that one more copy of a network costs a fifth of the first.
        """
        if alike is not None and alike.fallback_reason is not None:
            alike = None
        prepared = self._prepared(description, points, alike)
        self.net = prepared.net
        self.points = tuple(points)
        self.point_names = tuple(point.name for point in points)
        self.margin = description.limits.margin
        self.short_time_percent = description.limits.short_time_percent
        self.point_buses = self.net.sgen.bus.to_numpy(dtype=np.int64)[len(self.net.sgen) - len(self.points) :]
        self.columns = columns_of(self.point_buses)
        self.positions = {name: k for k, name in enumerate(self.point_names)}
        self._zip_percent = zip_shares(self.net)
        self._solvers: dict[tuple[tuple[int, ...], tuple[int, ...]], Solver] = {}
        self._dark: dict[tuple[int, ...], bool] = {}
        self.fallback_reason: str | None = needs_power_flow(self.net)
        self.initial_taps = tuple(int(tap) for tap in self.net.trafo.tap_pos.fillna(0.0))
        if alike is None:
            self._compile(prepared.notes)
        else:
            self._compile_like(alike)

    @staticmethod
    def _prepared(description: GridDescription, points: Sequence[ConnectionPoint], alike: GridModel | None) -> Prepared:
        with quiet():
            if alike is not None:
                return Prepared(reconnected(alike.net, len(alike.points), points), alike.notes)
            made = build(description, points)
        return Prepared(sharing(made.net), made.notes)

    def _compile(self, notes: tuple[str, ...]) -> None:
        self.tap_ranges = tap_ranges(self.net)
        self.tap_senses = tap_senses(self.net)
        placed = self.placed(self.initial_taps, ())
        initial = self._solvers[self.initial_taps, ()] = self._compiled(placed)
        _refuse_stranded(self.net, initial)
        self.ratings = ratings_of(self.net, initial.supplied & ~initial.reference, initial.interface_buses)
        self.notes = (*notes, *self._told(placed))

    def _compile_like(self, alike: GridModel) -> None:
        """With admittances, ratings and taps of another model of the same network."""
        self.tap_ranges, self.tap_senses, self.ratings = alike.tap_ranges, alike.tap_senses, alike.ratings
        other = alike.solver(self.initial_taps)
        assert isinstance(other, BatchSolver)
        self._solvers[self.initial_taps, ()] = BatchSolver(self.net, self._zip_percent, alike=other)
        _refuse_stranded(self.net, other)
        self.notes = alike.notes

    def solver(self, taps: tuple[int, ...], out: tuple[int, ...] = ()) -> Solver:
        """Return the solver for tap positions (one per transformer) and branches that are out; compiled once, 30 ms.

        Raises NetworkError for a wrong number of taps, SolverError where pandapower finds no power flow at all.
        """
        if len(taps) != len(self.initial_taps):
            raise NetworkError(f"{len(self.initial_taps)} tap positions are needed, got {len(taps)}")
        if self._dark.get(out):  # tried before, and as dear as a solver
            raise BlackoutError
        if (taps, out) not in self._solvers:
            self._make_room()
            self._solvers[taps, out] = self._compiled(self.placed(taps, out))
        return self._solvers[taps, out]

    def _make_room(self) -> None:
        """Give up the solvers that were compiled first, but never the initial one, so that no run grows for ever."""
        most = max(FEWEST_SOLVERS, KEPT_ENTRIES // len(self.net.bus) ** 2)
        for position in list(self._solvers)[1 : max(1, len(self._solvers) + 2 - most)]:
            del self._solvers[position]

    def placed(self, taps: tuple[int, ...], out: tuple[int, ...]) -> Any:
        """Return a copy of the network in a position, with constant-power loads: what is compiled."""
        with quiet():
            net = copied(self.net)
        net.load[list(ZIP_COLUMNS)] = 0.0
        net.trafo["tap_pos"] = [float(tap) for tap in taps]
        for table, in_service in in_service_of(self.net, out).items():
            net[table]["in_service"] = np.array(in_service, dtype=np.bool_)
        return net

    def _compiled(self, net: Any) -> Solver:
        """Return the batch solver, or where it cannot represent the network, pandapower's own power flow."""
        if self.fallback_reason is None:
            try:
                return BatchSolver(net, self._zip_percent)
            except BlackoutError:
                raise
            except SolverError as error:
                slow = PowerFlowSolver(net, self._zip_percent)
                self.fallback_reason = str(error)
                return slow
        return PowerFlowSolver(net, self._zip_percent)

    def _told(self, placed: Any) -> tuple[str, ...]:
        told = _beyond_capability(placed)
        if self.fallback_reason is None:
            return told
        slow = f"every state is solved by pandapower's runpp, which is slow, because of {self.fallback_reason}"
        return (*told, slow)

    def solve(self, state: OperatingPoint) -> Solution:
        """Solve one state; what its branches out of service leave without supply has no power."""
        if self._is_dark(state.out):
            return dark(self.solver(self.initial_taps), state)
        solver = self.solver(state.taps, state.out)
        state = solver.supplied_part(state) if state.out else state
        return solver.solve(state)

    def energised(self, state: OperatingPoint) -> OperatingPoint:
        """Return a state without the power of what its branches out of service leave without supply."""
        if self._is_dark(state.out):
            return state.without_power()
        return self.solver(state.taps, state.out).supplied_part(state) if state.out else state

    def _is_dark(self, out: tuple[int, ...]) -> bool:
        """Whether these outages leave nothing but the source with supply, which no solver can be compiled for."""
        if out and out not in self._dark:
            try:
                self.solver(self.initial_taps, out)
                self._dark[out] = False
            except BlackoutError:
                self._dark[out] = True
        return bool(out) and self._dark[out]

    def unsupplied_points(self, out: tuple[int, ...]) -> frozenset[str]:
        """Return the connection points that have no supply with these branches out."""
        if not out:
            return frozenset()
        if self._is_dark(out):
            return frozenset(self.point_names)
        live = self.solver(self.initial_taps, out).live("sgen")[-len(self.points) :] if self.points else ()
        return frozenset(name for name, is_live in zip(self.point_names, live, strict=True) if not is_live)

    def branch(self, name: str) -> int:
        """Return the position of a line or transformer named as in the ratings; raises NetworkError."""
        if name not in self.ratings.branches:
            raise NetworkError(f'"{name}" is not in this grid{near_names(name, self.ratings.branches)}')
        return self.ratings.branches.index(name)

    def point(self, name: str) -> int:
        """Return the number of a connection point; raises NetworkError if it is not in this grid."""
        if name not in self.positions:
            raise NetworkError(f'connection point "{name}" is not in this grid{near_names(name, self.point_names)}')
        return self.positions[name]

    def transformer(self, name: str) -> int:
        """Return the position of a transformer named as in the ratings; raises NetworkError."""
        names = self.transformer_names
        if name not in names:
            raise NetworkError(f'"{name}" is not in this grid{near_names(name, names)}')
        return names.index(name)

    @property
    def tap_step_percent(self) -> float:
        """Return the largest step of the tap changers that can move, in %; 0 where there is none."""
        sizes = zip(self.net.trafo.tap_step_percent.abs(), self.tap_ranges, strict=True)
        return max((float(size) for size, (low, high) in sizes if low < high and size > 0), default=0.0)

    @property
    def transformer_names(self) -> tuple[str, ...]:
        """Return the names of the two-winding transformers, in the order of tap tuples."""
        first = len(self.net.line)
        return self.ratings.branches[first : first + len(self.net.trafo)]


Key = tuple[str, tuple[ConnectionPoint, ...], str]
_in_use: WeakValueDictionary[Key, GridModel] = WeakValueDictionary()
_first: WeakValueDictionary[tuple[str, str], GridModel] = WeakValueDictionary()  # of a structure, whatever the points
_recent: deque[GridModel] = deque(maxlen=16)


def load_model(description: GridDescription, points: Sequence[ConnectionPoint] = ()) -> GridModel:
    """Return the model of a grid; equal structures (profiles and planning cases aside) share one compiled model.

    However many grids a scenario has, a plant and the studies of the same grid share one; of those that nobody uses
    any more a few are kept.
    """
    content = "" if description.file is None else file_digest(description.file)
    key = description.structure().model_dump_json(), tuple(points), content
    model = _in_use.get(key)
    if model is None:
        alike = _first.get((key[0], content))
        model = _in_use[key] = GridModel(GridDescription.model_validate_json(key[0]), points, alike)
        _first.setdefault((key[0], content), model)
    if model not in _recent:
        _recent.append(model)
    return model


def in_service_of(net: Any, out: Sequence[int]) -> dict[str, list[bool]]:
    """Return, per table of branches, which are in service when these (by position over all tables) are out."""
    found, first = {}, 0
    for table in BRANCH_TABLES:
        given = [bool(value) for value in net[table].in_service]
        found[table] = [value and first + k not in out for k, value in enumerate(given)]
        first += len(given)
    return found


def _beyond_capability(net: Any) -> tuple[str, ...]:
    """Say which generators hold their voltage only with more reactive power than they have, in the file's own state."""
    gen, q_mvar = net.gen, net.res_gen.q_mvar if len(net.res_gen) == len(net.gen) else None
    if q_mvar is None or not len(gen) or "max_q_mvar" not in gen or "min_q_mvar" not in gen:
        return ()
    beyond = int(((q_mvar > gen.max_q_mvar + 1e-6) | (q_mvar < gen.min_q_mvar - 1e-6)).sum())
    text = (
        f"{beyond} of {len(gen)} generators hold their voltage with reactive power beyond their limits (not enforced)"
    )
    return (text,) if beyond else ()


def _refuse_stranded(net: Any, solver: Solver) -> None:
    lost = set(net.bus.index[~solver.supplied])
    for table in TABLES:
        frame = net[table]
        active = frame[frame.bus.isin(lost) & ((frame.file_p_mw != 0) | (frame.file_q_mvar != 0))]
        points = frame[frame.bus.isin(lost) & (frame.type == POINT_TYPE)] if table == "sgen" else active
        for index, row in [*active.iterrows(), *points.iterrows()]:
            is_point = row["type"] == POINT_TYPE
            what = row["name"] if is_point else f'{table} {index} ("{row["name"]}")'
            right = "name another bus in the scenario" if is_point else "connect it, or set its in_service to False"
            raise NetworkError(f"{what} at bus {row['bus']} has no connection to an external grid; {right}")
