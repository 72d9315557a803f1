"""What a grid loses is what its lines, transformers and the like lose, whatever kinds of elements inject and draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandapower
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.dispatch.feeder import Feeder
from gridpact.grid.engine import quiet, run_power_flow
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant

Net = Any
LOSSES = ("line", "trafo", "trafo3w", "impedance", "dcline")


def village() -> Net:
    """110 kV source, transformer, two cables, a load and a generator."""
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 20.0, 20.0)]
    pandapower.create_ext_grid(net, buses[0], vm_pu=1.02)
    pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV")
    for start, end in ((1, 2), (2, 3)):
        pandapower.create_line(net, buses[start], buses[end], 4.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    pandapower.create_load(net, 3, 2.0, 0.5)
    pandapower.create_sgen(net, 2, 1.0)
    return net


def three_windings(net: Net) -> None:
    low = pandapower.create_bus(net, 10.0)
    pandapower.create_transformer3w(net, 0, 1, low, std_type="63/25/38 MVA 110/20/10 kV")
    pandapower.create_motor(net, low, pn_mech_mw=0.8, cos_phi=0.9, efficiency_percent=94, loading_percent=80)


ELEMENTS: dict[str, Callable[[Net], object]] = {
    "nothing else": lambda net: None,
    "generator": lambda net: pandapower.create_gen(net, 3, p_mw=1.5, vm_pu=1.01),
    "slack generator": lambda net: pandapower.create_gen(net, 0, p_mw=0.3, vm_pu=1.02, slack=True),
    "shunt": lambda net: pandapower.create_shunt(net, 2, q_mvar=-0.5, p_mw=0.2, step=2),
    "shunt of another voltage": lambda net: pandapower.create_shunt(net, 2, q_mvar=-0.5, p_mw=0.2, vn_kv=22.0),
    "ward": lambda net: pandapower.create_ward(net, 3, ps_mw=0.4, qs_mvar=0.1, pz_mw=0.3, qz_mvar=0.1),
    "ward out of service": lambda net: pandapower.create_ward(net, 3, 0.4, 0.1, 0.3, 0.1, in_service=False),
    "xward": lambda net: pandapower.create_xward(net, 3, 0.2, 0.1, 0.4, 0.1, r_ohm=1e-6, x_ohm=5.0, vm_pu=1.0),
    "motor on three windings": three_windings,
    "impedance": lambda net: pandapower.create_impedance(net, 1, 3, 0.02, 0.05, 10.0),
    "dcline": lambda net: pandapower.create_dcline(net, 1, 3, 1.0, 1.0, 0.01, vm_from_pu=1.0, vm_to_pu=1.0),
    "storage": lambda net: pandapower.create_storage(net, 3, p_mw=0.7, max_e_mwh=1.0),
    "bus without supply": lambda net: pandapower.create_ward(net, pandapower.create_bus(net, 20.0), 0.4, 0.1, 0.3, 0.1),
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_losses_are_those_of_lines_and_transformers(name: str, tmp_path: Path) -> None:
    net = village()
    ELEMENTS[name](net)
    with quiet():
        pandapower.to_json(net, str(tmp_path / "net.json"))
    description = GridDescription.model_validate({"file": str(tmp_path / "net.json")})
    plant = GridPlant("g", description, (ConnectionPoint("P", 3),))
    pandapower.create_sgen(net, 3, 0.0)
    lost = []
    for mw in (0.0, 0.5, -0.5):
        net.sgen.loc[net.sgen.index[-1], "p_mw"] = mw
        assert run_power_flow(net)
        lost.append(sum(net[f"res_{table}"].pl_mw.sum() for table in LOSSES))
    feeder = Feeder(plant.model, plant.untouched.actual(0))
    assert feeder.outcome(np.array([[0.0], [0.5], [-0.5]], dtype=complex)).losses_mw == pytest.approx(lost, abs=1e-6)
    plant.set_point_power("P", 0.5)
    assert plant.tabulated([plant.moment()])[2] == pytest.approx(lost[1:2], abs=5e-6)
    assert min(lost) > 0
