"""Telemetry of one host among several: what its agents know of themselves, and what the plants really do.

The columns are those of a run in one process; which host fills which of them is what differs:

    plants' host     frequency, ACE, demand of the area … every grid, and the meter of every participant
    agents' hosts    set-point as applied, limits in force; on the TSO's host the demand and the set-points ordered

What would have been without limits (`shadow`) needs both the grid and what the TSO withholds, so it is known only
where the plants run on the TSO's host; elsewhere it stays empty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ...agents.runtime.recording import Recorder
from ...agents.tso.agent import Tso
from .. import plants as physical
from ..nodes import played_by

if TYPE_CHECKING:
    from ...agents.runtime.node import Node
    from ...agents.runtime.physics import Physics
    from ...grid.plant import PlantState

class PartRecorder(Recorder, Protocol):
    """Keeps the record of one host."""

    def plants(self, at_us: int, values: Mapping[str, float]) -> None:
        """One tick of the area, of every meter and of every grid."""


METERED = ("p_mw", "q_mvar", "activated_mw", "baseline_mw")
AREA = ("frequency_hz", "ace_mw", "fcr_mw", "disturbance_mw")
Row = dict[str, float]


@dataclass
class PartialTelemetry:
    """Writes one row a tick of what is known here; `columns` says whose each column is."""

    nodes: Mapping[str, Node]
    providers: tuple[str, ...]
    delivering: tuple[str, ...]
    physics: Physics | None
    recorder: PartRecorder
    columns: dict[str, list[str]] = field(default_factory=dict)

    def agents(self, at_us: int) -> None:
        """Write what the agents know of themselves."""
        rows = {name: self._agent(node, at_us) for name, node in sorted(self.nodes.items())}
        self.recorder.telemetry(at_us, self._noted(rows))

    def plants(self, at_us: int) -> None:
        """Write what the plants really do."""
        assert self.physics is not None
        self.recorder.plants(at_us, self._noted(self._plants(self.physics, at_us)))

    def _noted(self, rows: Mapping[str, Row]) -> Row:
        for whose, row in rows.items():
            self.columns.setdefault(whose, list(row))
        return {key: value for row in rows.values() for key, value in row.items()}

    def _agent(self, node: Node, at_us: int) -> Row:
        agent, state = played_by(node)
        if not isinstance(agent, Tso):
            return {f"{agent.name}.{key}": value for key, value in agent.telemetry(state).items()}
        ordered = dict.fromkeys(self.delivering, 0.0)
        for participant, power_mw in agent.set_points(state, at_us):
            ordered[participant] += power_mw
        set_points = {f"{name}.set_point_mw": round(mw, 6) + 0.0 for name, mw in sorted(ordered.items())}
        return {"demand_mw": agent.telemetry(state)["demand_mw"], **set_points}

    def _plants(self, physics: Physics, at_us: int) -> dict[str, Row]:
        physics.advance(at_us)
        reading = physics.area.reading()
        rows: dict[str, Row] = {"area": {key: getattr(reading, key) for key in AREA}}
        for name in self.providers:
            own = physics.read(name, "meter", at_us)
            rows[f"meter of {name}"] = {f"{name}.{key}": getattr(own, key) for key in METERED}
        for grid, plant in sorted(physics.grids.items()):
            state = plant.solve()
            rows[f"grid {grid}"] = _grid(grid, state) | self._shadow(physics, grid, state, at_us)
            self.recorder.state(grid, at_us, plant.snapshot(at_us))
        return rows

    def _shadow(self, physics: Physics, grid: str, state: PlantState, at_us: int) -> Row:
        """The state with the orders that limits have taken away, as far as it is known here."""
        tso = next((node for node in self.nodes.values() if isinstance(played_by(node)[0], Tso)), None)
        keys = ("loading_percent", "vm_min_pu", "vm_max_pu")
        if tso is None:
            return {f"{grid}.shadow_{key}": math.nan for key in keys}
        agent, known = played_by(tso)
        assert isinstance(agent, Tso)
        added: dict[str, float] = {}
        for resource, power_mw in agent.withheld(known, at_us):
            holding = physics.holdings.get(resource)
            if holding is not None and holding.grid == grid:
                for point, share in physical.shares(holding.resource):
                    added[point] = added.get(point, 0.0) + share * power_mw
        shadow = physics.grids[grid].shadow_state(added) if added else state
        values = (shadow.worst_loading_percent, shadow.vm_min_pu, shadow.vm_max_pu)
        return {f"{grid}.shadow_{key}": value for key, value in zip(keys, values, strict=True)}


def _grid(grid: str, state: PlantState) -> Row:
    return {
        f"{grid}.interface_p_mw": state.interface_p_mw,
        f"{grid}.interface_q_mvar": state.interface_q_mvar,
        f"{grid}.worst_loading_percent": state.worst_loading_percent,
        f"{grid}.vm_min_pu": state.vm_min_pu,
        f"{grid}.vm_max_pu": state.vm_max_pu,
    }
