"""What is written at every tick: the area, every participant side by side, every grid as it is and as it would be.

`shadow` columns say what would have been had the TSO's orders not been limited: a power flow of the true
grid with the orders that the merit order list alone would have given, fully on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..agents.bsp.agent import Bsp
from ..agents.bsp.delivery import METER
from ..agents.dso.agent import Dso
from ..agents.tso.agent import Tso
from ..agents.tso.state import TsoState
from . import plants
from .nodes import played_by

if TYPE_CHECKING:
    from ..agents.runtime.meters import Meters
    from ..agents.runtime.node import Node
    from ..agents.runtime.physics import Physics
    from ..agents.runtime.recording import Recorder
    from ..grid.plant_state import PlantState


@dataclass(frozen=True)
class Telemetry:
    """Writes one row a tick, and the state of every grid."""

    nodes: Mapping[str, Node]
    meters: Meters
    recorder: Recorder

    @property
    def physics(self) -> Physics:
        """What is read."""
        return self.meters.physics

    @cached_property
    def _operators(self) -> tuple[Node, ...]:
        """The nodes of TSOs."""
        return tuple(node for node in self.nodes.values() if isinstance(played_by(node)[0], Tso))

    def __call__(self, at_us: int) -> None:
        """Write the tick at `at_us`, after everybody has decided."""
        self.physics.advance(at_us)
        row: dict[str, float] = {}
        reading = self.physics.area.reading()
        row |= {"frequency_hz": reading.frequency_hz, "ace_mw": reading.ace_mw, "fcr_mw": reading.fcr_mw}
        row["disturbance_mw"] = reading.disturbance_mw
        row["lowest_hz"], row["highest_hz"] = self.physics.area.extremes_hz()
        for area, other in self.physics.area.neighbours().items():
            row |= {
                "tie_mw": reading.tie_mw,
                f"{area}.frequency_hz": other.frequency_hz,
                f"{area}.ace_mw": other.ace_mw,
            }
        for name, node in sorted(self.nodes.items()):
            row |= self._participant(name, node, at_us)
        for grid, plant in sorted(self.physics.grids.items()):
            row |= self._grid(grid, at_us)
            self.recorder.state(grid, at_us, plant.snapshot(at_us))
        self.recorder.telemetry(at_us, row)

    def _participant(self, name: str, node: Node, at_us: int) -> dict[str, float]:
        agent, state = played_by(node)
        values = {f"{name}.{key}": value for key, value in agent.telemetry(state).items()}
        if isinstance(agent, Tso):
            limited = agent.redispatch(state, at_us)
            own = {"redispatched_mw": limited.withheld_mw, "redispatch_eur_per_h": limited.eur_per_h}
            points = self._set_points(agent, state, at_us)
            return {**agent.telemetry(state), **own, **points, **self._channels(agent, state)}
        if isinstance(agent, Bsp):
            meter = self.meters.read(name, METER, at_us)
            keys = ("p_mw", "q_mvar", "activated_mw", "baseline_mw")
            values |= {f"{name}.{key}": getattr(meter, key) for key in keys}
        return values

    def _set_points(self, tso: Tso, state: TsoState, at_us: int) -> dict[str, float]:
        """The TSO's set-point of every provider in force from this tick on."""
        ordered = {name: 0.0 for name, other in self.nodes.items() if isinstance(played_by(other)[0], Bsp | Dso)}
        for participant, power_mw in tso.set_points(state, at_us):
            ordered[participant] += power_mw
        return {f"{name}.set_point_mw": round(mw, 6) + 0.0 for name, mw in sorted(ordered.items())}

    def _channels(self, tso: Tso, state: TsoState) -> dict[str, float]:
        """The acceptance channel of everybody who is qualified for aFRR."""
        agents = [(name, played_by(node)[0]) for name, node in sorted(self.nodes.items())]
        asked = [name for name, agent in agents if isinstance(agent, Bsp) and agent.profile.product == "aFRR"]
        row = {f"{name}.channel_{bound}_mw": float("nan") for name in asked for bound in ("low", "high")}
        for name, low_mw, high_mw in tso.channels(state):
            row |= {f"{name}.channel_low_mw": low_mw, f"{name}.channel_high_mw": high_mw}
        return row

    def _grid(self, grid: str, at_us: int) -> dict[str, float]:
        plant = self.physics.grids[grid]
        state = plant.solve()
        shadow = self._shadow(grid, state, at_us)
        return {
            f"{grid}.interface_p_mw": state.interface_p_mw,
            f"{grid}.interface_q_mvar": state.interface_q_mvar,
            f"{grid}.worst_loading_percent": state.worst_loading_percent,
            f"{grid}.vm_min_pu": state.vm_min_pu,
            f"{grid}.vm_max_pu": state.vm_max_pu,
            f"{grid}.load_recovery_mw": round(plant.load_recovery_mw, 6) + 0.0,
            f"{grid}.out_of_service": float(len(plant.out_of_service)),
            f"{grid}.lost_load_mw": state.lost_load_mw,
            f"{grid}.lost_generation_mw": state.lost_generation_mw,
            f"{grid}.shadow_loading_percent": shadow.worst_loading_percent,
            f"{grid}.shadow_vm_min_pu": shadow.vm_min_pu,
            f"{grid}.shadow_vm_max_pu": shadow.vm_max_pu,
        }

    def _shadow(self, grid: str, state: PlantState, at_us: int) -> PlantState:
        """The state with the orders that limits have taken away."""
        added: dict[str, float] = {}
        for node in self._operators:
            agent, known = played_by(node)
            if isinstance(agent, Tso):
                for resource, power_mw in agent.withheld(known, at_us):
                    holding = self.physics.holdings.get(resource)
                    if holding is not None and holding.grid == grid:
                        for point, share in plants.shares(holding.resource):
                            added[point] = added.get(point, 0.0) + share * power_mw
        return self.physics.grids[grid].shadow_state(added) if added else state
