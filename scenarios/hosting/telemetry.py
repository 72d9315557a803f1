"""Telemetry of one host among several: what its agents know of themselves, and what the plants really do.

The columns are those of a run in one process; which host fills which of them is what differs:

    plants' host     frequency, ACE, demand of the area … every grid, and the meter of every participant
    agents' hosts    set-point as applied, limits in force; on the TSO's host the demand and the set-points ordered

What would have been without limits (`shadow`) needs both the grid and what the TSO withholds, so it is known only
where the plants run on the TSO's host; elsewhere it stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ...agents.runtime.memory.recording import Recorder
from ..operation.grid_log import by_grid
from ..operation.telemetry import Row, agent_row, area_row, grid_row, meter_row, withheld

if TYPE_CHECKING:
    from ...agents.runtime.node import Node
    from ...agents.runtime.plants.meters import Meters


class PartRecorder(Recorder, Protocol):
    """Keeps the record of one host."""

    def plants(self, at_us: int, values: Mapping[str, float]) -> None:
        """One tick of the area, of every meter and of every grid."""


@dataclass
class PartialTelemetry:
    """Writes one row a tick of what is known here; `columns` says whose each column is."""

    nodes: Mapping[str, Node]
    providers: tuple[str, ...]
    delivering: Mapping[str, bool]
    meters: Meters | None
    recorder: PartRecorder
    columns: dict[str, list[str]] = field(default_factory=dict)

    def agents(self, at_us: int) -> None:
        """Write what the agents know of themselves."""
        rows = {name: agent_row(node, self.delivering, at_us) for name, node in sorted(self.nodes.items())}
        row = self._noted(rows)
        self.recorder.telemetry(at_us, tuple(row), tuple(row.values()))

    def plants(self, at_us: int) -> None:
        """Write what the plants really do."""
        assert self.meters is not None
        physics = self.meters.physics
        physics.advance(at_us)
        rows = {"area": area_row(physics)}
        rows |= {f"meter of {name}": meter_row(self.meters, name, at_us) for name in self.providers}
        limited = by_grid(physics, withheld(self.nodes, at_us))
        for grid, plant in sorted(physics.grids.items()):
            rows[f"grid {grid}"] = grid_row(physics, grid, limited[grid])
            self.recorder.state(grid, at_us, plant.columns, plant.snapshot_values(at_us))
        self.recorder.plants(at_us, self._noted(rows))

    def _noted(self, rows: Mapping[str, Row]) -> Row:
        for whose, row in rows.items():
            self.columns.setdefault(whose, list(row))
        return {key: value for row in rows.values() for key, value in row.items()}
