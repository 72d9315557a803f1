"""What a plant shows of itself: a solved moment, and what meters read of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from ..errors import ProfileError
from ..limits.constraints import Binding, Constraints
from ..moments.snapshot import Rows
from ..network.elements import Elements
from ..network.ratings import Ratings
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution
from ..powerflow.vicinity import stacked

Metered = tuple[tuple[str, float, float], ...]


class PlantState:
    """A solved moment: voltages per bus and loadings per branch in the model's order, interface powers + = import.

    Without a power flow (`converged` false) the grid is lost: no power at the interface, voltages NaN. `lost_mw`:
    what loads would draw at 1 pu, and generators inject, where protection has left no supply, or voltage has collapsed.
    What costs something is computed when it is asked for.
    """

    def __init__(self, gauge: Gauge, solution: Solution, lost_mw: tuple[float, float] = (0.0, 0.0)) -> None:
        """`solution` has one row."""
        self.solution, self._gauge = solution, gauge
        self.converged = bool(solution.converged[0])
        self.interface = gauge.interface(solution, 0) if self.converged else gauge.nothing
        self.interface_p_mw = sum([p_mw for _, p_mw, _ in self.interface])  # import over all interfaces
        self.lost_load_mw, self.lost_generation_mw = lost_mw

    @property
    def vm_pu(self) -> Floats:
        """Voltages per bus to 1e-6 pu."""
        return np.asarray(np.round(self.solution.vm_pu[0], 6))

    @property
    def loading_percent(self) -> Floats:
        """Loadings per branch to 1e-4 %."""
        return np.asarray(np.round(self.solution.loading_percent[0], 4))

    @cached_property
    def violations(self) -> tuple[Binding, ...]:
        """Every limit that is violated, worst first."""
        return self._gauge.constraints.violations(self.solution, "")[0]

    @cached_property
    def _figures(self) -> tuple[int, list[float]]:
        places, rows = self._gauge.figures(self.solution)
        return int(places[0]), rows[0].tolist()

    @property
    def worst_element(self) -> str:
        """The line or transformer that is loaded most, by its limit."""
        return self._gauge.ratings.branches[self._figures[0]] if self._figures[0] >= 0 else ""

    @property
    def worst_loading_percent(self) -> float:
        """How much it is loaded."""
        return self._figures[1][2]

    @property
    def vm_min_pu(self) -> float:
        """The lowest voltage of the buses below the source."""
        return self._figures[1][3]

    @property
    def vm_max_pu(self) -> float:
        """The highest voltage of the buses below the source."""
        return self._figures[1][4]

    @property
    def loading_limit_percent(self) -> float:
        """What the most loaded line or transformer may be loaded with; NaN if there is none."""
        return self._figures[1][6]

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


class Gauge:
    """Reads what is recorded of the states of one grid off their solutions."""

    def __init__(self, ratings: Ratings, constraints: Constraints) -> None:
        self.ratings, self.constraints = ratings, constraints
        self.nothing = tuple((name, 0.0, 0.0) for name in ratings.interfaces)

    def interface(self, solution: Solution, row: int) -> tuple[tuple[str, float, float], ...]:
        """Return (interface, MW, Mvar) of a state that has a power flow, rounded to 1 W, + = import."""
        flows = zip(self.ratings.interfaces, solution.interface_mva[row].tolist(), strict=True)
        return tuple([(name, round(flow.real, 6) + 0.0, round(flow.imag, 6) + 0.0) for name, flow in flows])

    def figures(self, solution: Solution) -> tuple[Integers, Floats]:
        """Return, per state, the branch loaded most by its limit (−1: none), and FIGURES to 1e-6, loadings to 1e-4."""
        converged, loading = solution.converged, solution.loading_percent
        watched = solution.vm_pu[:, self.ratings.buses]
        found = np.zeros((len(converged), len(FIGURES)))
        flows = np.where(converged[:, None], solution.interface_mva, 0.0)
        found[:, 0] = np.round(flows.real, 6).sum(axis=1)
        found[:, 1] = np.round(flows.imag, 6).sum(axis=1)
        found[:, 6] = np.nan
        worst = np.full(len(converged), -1)
        if loading.shape[1]:
            worst = np.where(converged, (loading / self.ratings.loading_percent).argmax(axis=1), -1)
            found[:, 2] = np.where(worst >= 0, np.round(loading[np.arange(len(worst)), worst], 4), 0.0)
            found[:, 6] = np.where(worst >= 0, self.ratings.loading_percent[worst], np.nan)
        found[:, 3:5] = np.round(np.stack(_extremes(watched, converged), axis=1), 6)
        found[:, 5] = [len(each) for each in self.constraints.violations(solution, "")]
        return worst, found


def tabulated(rows: Rows, gauge: Gauge, moments: Sequence[Moment]) -> tuple[Floats, Floats, Floats]:
    """Return rows (n × their names), figures (n × FIGURES), losses (n, MW) of moments of one grid, in order of time."""
    values, figures, losses = [], [], []
    for _, group in groupby(moments, key=_kind):
        counts = Counter(group)
        solution = stacked([moment.solution for moment in counts])
        added_mva, times = np.stack([moment.added_mva for moment in counts]), list(counts.values())
        found = rows.of(next(iter(counts)).own, added_mva, solution)
        values.append(np.repeat(found, times, axis=0))
        losses.append(np.repeat(rows.losses_mw(found, solution), times))
        figures.append(np.repeat(gauge.figures(solution)[1], times, axis=0))
    return np.concatenate(values), np.concatenate(figures), np.concatenate(losses)


def _kind(moment: Moment) -> tuple[int, type[Solution]]:
    """The first moment of own powers is solved by itself, those after it along a chord."""
    return id(moment.own), type(moment.solution)


FIGURES = (
    *("interface_p_mw", "interface_q_mvar", "worst_loading_percent", "vm_min_pu", "vm_max_pu"),
    *("violations", "loading_limit_percent"),
)


def _extremes(vm_pu: Floats, converged: Booleans) -> tuple[Floats, Floats]:
    """The lowest and the highest voltage of buses with supply (states each); NaN if there is none."""
    if not vm_pu.shape[1]:
        return np.full(len(vm_pu), np.nan), np.full(len(vm_pu), np.nan)
    low, high = vm_pu.min(axis=1), vm_pu.max(axis=1)
    for row in np.flatnonzero(converged & ~np.isfinite(low)):
        supplied = vm_pu[row][np.isfinite(vm_pu[row])]
        low[row], high[row] = (supplied.min(), supplied.max()) if len(supplied) else (np.nan, np.nan)
    return low, high


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
