"""What elements other than loads, generators with given P and Q, and storages inject: needed for a grid's losses.

gen, motor, ward, xward    constant P          shunt, ward, xward    constant impedance: P at 1 pu, times |V|²

DC lines are not among them: what they lose between their ends belongs to the losses of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from .slack import slack_generators


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Per bus, in the order of the network: MW injected whatever the voltage, and MW drawn at 1 pu (times |V|²)."""

    constant_mw: Floats
    nominal_mw: Floats

    def injected_mw(self, vm_pu: Floats) -> Floats:
        """Return what they inject in each state (n), from voltages (n × buses, NaN without supply)."""
        if not (self.constant_mw.any() or self.nominal_mw.any()):
            return np.zeros(len(vm_pu))
        injected = np.where(np.isfinite(vm_pu), self.constant_mw - self.nominal_mw * vm_pu**2, 0.0)
        return np.asarray(injected.sum(axis=1))


def others_of(net: Any) -> Others:
    """Read them off a prepared network; generators that are a source count as interfaces (pandapower's tables)."""
    constant, nominal = np.zeros(len(net.bus)), np.zeros(len(net.bus))
    if len(net.gen):
        given = net.gen.p_mw * net.gen.scaling.fillna(1.0)
        _add(constant, net, "gen", given.to_numpy(dtype=float) * ~slack_generators(net))
    if len(net.motor):
        motor = net.motor
        mechanical = motor.pn_mech_mw * motor.loading_percent / 100 * motor.scaling
        _add(constant, net, "motor", -(mechanical / (motor.efficiency_percent / 100)).to_numpy(dtype=float))
    for table in ("ward", "xward"):
        if len(net[table]):
            _add(constant, net, table, -net[table].ps_mw.to_numpy(dtype=float))
            _add(nominal, net, table, net[table].pz_mw.to_numpy(dtype=float))
    if len(net.shunt):
        rated = net.bus.vn_kv.loc[net.shunt.bus].to_numpy(dtype=float)
        ratio = rated / net.shunt.vn_kv.where(net.shunt.vn_kv > 0, rated)
        _add(nominal, net, "shunt", (net.shunt.p_mw * net.shunt.step * ratio**2).to_numpy(dtype=float))
    return Others(constant, nominal)


def _add(totals: Floats, net: Any, table: str, power_mw: Floats) -> None:
    frame = net[table]
    at = net.bus.index.get_indexer(frame.bus)
    np.add.at(totals, at, np.where(frame.in_service.to_numpy(dtype=np.bool_), power_mw, 0.0))
