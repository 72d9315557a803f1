"""What is written of one grid: its moments as they come, made into numbers many at once.

tick ─▶ moment, and what only this instant knows ─▶ … ─▶ flush: states/<grid>, and the grid's columns of the telemetry
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...grid.last import Last
from ...grid.plant.state import FIGURES
from . import plants

if TYPE_CHECKING:
    from ...agents.runtime.plants.physics import Physics
    from ...grid.arrays import Floats
    from ...grid.plant.plant import GridPlant
    from ...grid.plant.state import Moment, PlantState

OWN = ("load_recovery_mw", "out_of_service", "lost_load_mw", "lost_generation_mw")
GRID = (*FIGURES[:5], "losses_mw", *OWN, *FIGURES[5:])
SHADOW = ("shadow_loading_percent", "shadow_vm_min_pu", "shadow_vm_max_pu", "shadow_violations", "shadow_limit_percent")
UNKNOWN = (math.nan,) * len(SHADOW)
Limited = Iterable[tuple[str, float]] | None


class Noted(NamedTuple):
    """One tick: the moment, OWN, and SHADOW where it is another state (None: the same)."""

    moment: Moment
    own: tuple[float, ...]
    shadow: tuple[float, ...] | None


class GridLog:
    """The ticks of one grid that have not been written yet."""

    def __init__(self, physics: Physics, grid: str) -> None:
        """Nothing has been noted yet."""
        self.plant = physics.grids[grid]
        self._physics, self._grid = physics, grid
        self._noted: list[Noted] = []
        self._shadow = Last[tuple[float, ...] | None]()

    def note(self, limited: Limited) -> None:
        """Take note of the grid as it is now; `limited`: as for `shadow_of`."""
        plant = self.plant
        moment = plant.moment()
        shadow = self._shadow.of((limited, moment.shown), lambda: shadow_of(self._physics, self._grid, limited))
        self._noted.append(Noted(moment, own_of(plant, moment.shown), shadow))

    def flush(self) -> tuple[Floats, Floats]:
        """Return what has been noted as rows of its state (n × columns), and as GRID and SHADOW; it is forgotten."""
        noted, self._noted = self._noted, []
        states, figures, losses_mw = self.plant.tabulated([one.moment for one in noted])
        own = np.array([one.own for one in noted])
        shadow = figures[:, 2:].copy()
        for row, one in enumerate(noted):
            if one.shadow is not None:
                shadow[row] = one.shadow
        return states, np.concatenate((figures[:, :5], losses_mw[:, None], own, figures[:, 5:], shadow), axis=1)


def own_of(plant: GridPlant, state: PlantState) -> tuple[float, ...]:
    """What only the plant of this instant knows: OWN."""
    recovery_mw, out = round(plant.load_recovery_mw, 6) + 0.0, float(len(plant.out_of_service))
    return recovery_mw, out, state.lost_load_mw, state.lost_generation_mw


def by_grid(physics: Physics, limited: Limited) -> Mapping[str, Limited]:
    """What limits take away (resource, MW), of every grid its own; None if that is not known."""
    if limited is None:
        return dict.fromkeys(physics.grids)
    found: dict[str, list[tuple[str, float]]] = {grid: [] for grid in physics.grids}
    for resource, power_mw in limited:
        holding = physics.holdings.get(resource)
        if holding is not None and holding.grid is not None:
            found[holding.grid].append((resource, power_mw))
    return found


def shadow_of(physics: Physics, grid: str, limited: Limited) -> tuple[float, ...] | None:
    """SHADOW: the state with the orders that limits have taken away, (resource, MW); None if that is the state itself.

    `limited`: of this grid (`by_grid`); None if it is not known what limits have taken away.
    """
    if limited is None:
        return UNKNOWN
    added: dict[str, float] = {}
    for resource, power_mw in limited:
        for point, share in plants.shares(physics.holdings[resource].resource):
            added[point] = added.get(point, 0.0) + share * power_mw
    return shadow_figures(physics.grids[grid].shadow_state(added)) if added else None


def shadow_figures(state: PlantState) -> tuple[float, ...]:
    """SHADOW of a state."""
    worst = state.worst_loading_percent, state.vm_min_pu, state.vm_max_pu
    return *worst, float(len(state.violations)), state.loading_limit_percent
