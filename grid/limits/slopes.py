"""How every constraint changes with injections, at one state of one case: first derivatives, bus by bus.

Branch currents are kept complex, so that the worst of many activations may turn a flow around: the loading is the
largest of the projections of the current on a dozen directions. Where a network's solver has no derivatives they are
taken from power flows with small injections, and flows keep their direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Complexes, Floats, Integers
from ..powerflow.fallback import PowerFlowSolver
from ..powerflow.solver import BatchSolver
from .cases import Hearing

DIRECTIONS = 12
SENSITIVITY_ACCURACY = 1e-3
SMALL_MW = 1e-3
_TURNS = np.exp(-2j * np.pi * np.arange(DIRECTIONS) / DIRECTIONS)


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Derivatives per MW (or Mvar) injected at a bus; signed and scaled as in `Constraints`.

    `base_current` (branches, percent), `current` (branches × columns): complex · `base_vm` (watched buses), `vm`
    (watched buses × columns): in 1e-2 pu · columns: MW at each bus, then, with `reactive`, Mvar at each bus ·
    `interface_mva` (interfaces × columns): change of import.
    """

    base_current: Complexes
    current: Complexes
    base_vm: Floats
    vm: Floats
    interface_mva: Complexes
    reactive: bool

    def rows(self) -> tuple[Floats, Floats, Integers]:
        """Return (base, derivatives, constraint) of every tangent: branches by direction, highest, lowest voltages."""
        turned = (_TURNS[:, None] * self.base_current[None, :]).real
        slopes = (_TURNS[:, None, None] * self.current[None, :, :]).real
        branches, buses = len(self.base_current), len(self.base_vm)
        base = np.concatenate([turned.ravel(), self.base_vm, -self.base_vm])
        derivatives = np.concatenate([slopes.reshape(-1, slopes.shape[2]), self.vm, -self.vm])
        constraint = np.concatenate([np.tile(np.arange(branches), DIRECTIONS), branches + np.arange(2 * buses)])
        return base, derivatives, constraint

    def starts(self) -> Floats:
        """Return, per tangent, where the way to its bound begins: no current, the voltage as it is."""
        no_current = np.zeros(DIRECTIONS * len(self.base_current))
        return np.concatenate([no_current, self.base_vm, -self.base_vm])

    def at_state(self) -> tuple[Floats, Floats]:
        """Return (value, derivatives) of every constraint as it stands: flows in the direction that they have."""
        size = np.abs(self.base_current)
        with np.errstate(all="ignore"):
            unit = np.where(size > 0, self.base_current.conj() / size, 1.0)
        loading = (unit[:, None] * self.current).real
        values = np.concatenate([size, self.base_vm, -self.base_vm])
        return values, np.concatenate([loading, self.vm, -self.vm])


def slopes_at(
    hearing: Hearing,
    change_mva: Complexes,
    *,
    reactive: bool,
    accuracy: float = SENSITIVITY_ACCURACY,
) -> Slopes | None:
    """Return the derivatives at a state given by its change (columns, MVA); None where it has no power flow."""
    at = hearing.model.columns.points
    moved = bool(change_mva.any())
    state = hearing.state.with_change_mva(change_mva, at) if moved else hearing.state
    solver = hearing.model.solver(state.taps, state.out)
    count = len(at)
    units = np.concatenate([np.ones(count), np.full(count if reactive else 0, 1j)])
    points = np.concatenate([at, at[: count if reactive else 0]])
    solution = solver.solve(state) if moved else hearing.at_rest
    if not solution.converged[0]:
        return None
    watched = hearing.model.ratings.buses
    base_vm = 100 * solution.vm_pu[0, watched]
    if not isinstance(solver, BatchSolver) or solution.voltage is None:
        return _differences(hearing, solver, change_mva, units, reactive=reactive)
    found = solver.sensitivity(state, solution.voltage[0], (points, units), accuracy)
    first = found.row_starts
    vm = 100 * found.vm_pu[watched]
    return Slopes(found.base[first], found.current[first], base_vm, vm, found.interface_mva, reactive)


def _differences(
    hearing: Hearing,
    solver: BatchSolver | PowerFlowSolver,
    change_mva: Complexes,
    units: Complexes,
    *,
    reactive: bool,
) -> Slopes:
    every = np.arange(len(units))
    batch = np.repeat(change_mva[None, :], 1 + len(units), axis=0)
    batch[1 + every, every % len(change_mva)] += SMALL_MW * units
    solution = solver.solve(hearing.state, batch, at=hearing.model.columns.points)
    watched = hearing.model.ratings.buses
    loading, vm = solution.loading_percent.astype(complex), 100 * solution.vm_pu[:, watched]
    flow = solution.interface_mva
    per_mw = [(each[1:] - each[0]).T / SMALL_MW for each in (loading, vm, flow)]
    slopes = [np.nan_to_num(each) for each in per_mw]
    return Slopes(loading[0], slopes[0], vm[0], slopes[1].real, slopes[2], reactive)
