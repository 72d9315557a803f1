"""What a plant shows of itself: a solved moment, and what meters read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Integers
from ..errors import ProfileError
from ..limits.constraints import Binding
from ..network.elements import Elements
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution


@dataclass(frozen=True, slots=True, eq=False)
class PlantState:
    """A solved moment: voltages per bus and loadings per branch in the model's order, interface powers + = import.

    Without a power flow (`converged` false) the grid counts as lost: no power at the interface, voltages NaN. `lost_…`:
    what loads would draw at 1 pu, and generators inject, where protection has left no supply.
    """

    vm_pu: Floats
    loading_percent: Floats
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
    def interface_p_mw(self) -> float:
        """Import over all interfaces in MW."""
        return sum(p_mw for _, p_mw, _ in self.interface)

    @property
    def interface_q_mvar(self) -> float:
        """Import over all interfaces in Mvar."""
        return sum(q_mvar for _, _, q_mvar in self.interface)


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
