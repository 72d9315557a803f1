"""What a plant shows of itself: a solved moment, and what meters read of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Complexes, Floats, Integers
from ..errors import ProfileError
from ..limits.constraints import Binding, Constraints
from ..network.elements import Elements
from ..network.ratings import Ratings
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution

Metered = tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class PlantState:
    """A solved moment: voltages per bus and loadings per branch in the model's order, interface powers + = import.

    Without a power flow (`converged` false) the grid counts as lost: no power at the interface, voltages NaN. `lost_…`:
    what loads would draw at 1 pu, and generators inject, where protection has left no supply.
    """

    solution: Solution
    interface: tuple[tuple[str, float, float], ...]
    converged: bool
    violations: tuple[Binding, ...]
    worst_element: str
    worst_loading_percent: float
    vm_min_pu: float
    vm_max_pu: float
    lost_load_mw: float = 0.0
    lost_generation_mw: float = 0.0

    @property
    def vm_pu(self) -> Floats:
        """Voltages per bus to 1e-6 pu."""
        return np.asarray(np.round(self.solution.vm_pu[0], 6))

    @property
    def loading_percent(self) -> Floats:
        """Loadings per branch to 1e-4 %."""
        return np.asarray(np.round(self.solution.loading_percent[0], 4))

    @property
    def interface_p_mw(self) -> float:
        """Import over all interfaces in MW."""
        return sum(p_mw for _, p_mw, _ in self.interface)

    @property
    def interface_q_mvar(self) -> float:
        """Import over all interfaces in Mvar."""
        return sum(q_mvar for _, _, q_mvar in self.interface)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A solved moment: the grid's own powers, what participants add at their connection points, and what follows."""

    own: OperatingPoint
    added_mva: Complexes
    solution: Solution
    shown: PlantState

    def state(self) -> OperatingPoint:
        """Return everything that is drawn and injected, loads as they would be at 1 pu."""
        return self.own.with_change_mva(self.added_mva)


class Gauge:
    """Reads a state of one grid off a solution."""

    def __init__(self, ratings: Ratings, constraints: Constraints) -> None:
        self._ratings, self._constraints = ratings, constraints

    def read(self, solution: Solution) -> PlantState:
        """Return the state that is the solution's only row: MW to 1 W, voltages to 1e-6 pu, loadings to 1e-4 %."""
        ratings = self._ratings
        converged = bool(solution.converged[0])
        flows = solution.interface_mva[0].tolist() if converged else [0j] * len(ratings.interfaces)
        loading, watched = solution.loading_percent[0], solution.vm_pu[0, ratings.buses]
        worst = int((loading / ratings.loading_percent).argmax()) if converged and len(loading) else -1
        low, high = _extremes(watched, converged)
        rounded = [(round(s.real, 6) + 0.0, round(s.imag, 6) + 0.0) for s in flows]
        return PlantState(
            solution=solution,
            interface=tuple([(name, p, q) for name, (p, q) in zip(ratings.interfaces, rounded, strict=True)]),
            converged=converged,
            violations=self._constraints.violations(solution, "")[0],
            worst_element=ratings.branches[worst] if worst >= 0 else "",
            worst_loading_percent=round(float(loading[worst]), 4) if worst >= 0 else 0.0,
            vm_min_pu=round(low, 6),
            vm_max_pu=round(high, 6),
        )


def _extremes(vm_pu: Floats, converged: bool) -> tuple[float, float]:
    """The lowest and the highest voltage of buses with supply; NaN if there is none."""
    if not len(vm_pu):
        return float("nan"), float("nan")
    low, high = float(vm_pu.min()), float(vm_pu.max())
    if not converged or math.isfinite(low):
        return low, high
    supplied = vm_pu[np.isfinite(vm_pu)]
    return _extremes(supplied, converged)


class Metering:
    """Reads what is metered: P and Q of elements, to 1 W; powers that hang on no voltage are read once."""

    def __init__(self, elements: Elements, names: Sequence[str]) -> None:
        """Raises ProfileError for what is neither a group nor an element; connection points are neither."""
        self._places = metered(elements, names)
        self._steady = all(table != "load" for table, _, _ in self._places)
        self._known: tuple[OperatingPoint, Metered] | None = None

    def read(self, own: OperatingPoint, solution: Solution) -> Metered:
        """Return (element, MW, Mvar) in the order of the tables; the same object while it shows the same for sure."""
        if self._steady and self._known is not None and self._known[0] is own:
            return self._known[1]
        powers, found = drawn(own, solution), list[tuple[str, float, float]]()
        for table, names, places in self._places:
            both = (np.round(power[places], 6) + 0.0 for power in powers[table])
            found += zip(names, *(shown.tolist() for shown in both), strict=True)
        self._known = own, tuple(found)
        return self._known[1]


def drawn(state: OperatingPoint, solution: Solution) -> dict[str, tuple[Floats, Floats]]:
    """Return P and Q per table as a meter shows them; without a power flow loads draw nothing."""
    factor = np.nan_to_num(solution.load_factor[0])
    loads = state.load_p_mw * factor.real, state.load_q_mvar * factor.imag
    storages = state.storage_p_mw, state.storage_q_mvar
    return {"load": loads, "sgen": (state.sgen_p_mw, state.sgen_q_mvar), "storage": storages}


def metered(elements: Elements, names: Sequence[str]) -> tuple[tuple[str, tuple[str, ...], Integers], ...]:
    """Return (table, elements, their positions) of everything metered, each once, in the order of the tables.

    Raises ProfileError for what is neither a group nor an element.
    """
    found: dict[str, set[int]] = {}
    try:
        for name in names:
            for table, positions in elements.find(name) if name != "interface" else ():
                found.setdefault(table, set()).update(int(k) for k in positions)
    except ProfileError as error:
        raise ProfileError(f"metered: {error}") from None
    placed = {table: sorted(places) for table, places in sorted(found.items())}
    return tuple(
        (table, tuple(elements.names[table][k] for k in places), np.array(places, dtype=np.int64))
        for table, places in placed.items()
    )
