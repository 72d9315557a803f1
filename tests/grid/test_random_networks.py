"""Whatever network is drawn – radial or meshed, two voltage levels, switches, fused buses, shunts – the batch solver
agrees with pandapower at every bus and branch to 1e-7 pu; `make soak` draws more of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandapower
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridpact.grid.engine import run_power_flow
from gridpact.grid.errors import SolverError
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.powerflow.solver import BatchSolver

CABLES = ("NA2XS2Y 1x185 RM/25 12/20 kV", "NA2XS2Y 1x95 RM/25 12/20 kV", "48-AL1/8-ST1A 20.0")


@st.composite
def networks(draw: st.DrawFn) -> Any:
    """A tree of 3 to 12 buses below a transformer, with up to three more lines, some of them switched."""
    net = pandapower.create_empty_network()
    source, top = pandapower.create_bus(net, 110.0), pandapower.create_bus(net, 20.0)
    pandapower.create_ext_grid(net, source, vm_pu=draw(st.floats(0.97, 1.05)))
    pandapower.create_transformer(net, source, top, "25 MVA 110/20 kV", tap_pos=draw(st.integers(-4, 4)))
    buses = [top]
    for _ in range(draw(st.integers(2, 11))):
        bus = pandapower.create_bus(net, 20.0)
        line(net, draw, draw(st.sampled_from(buses)), bus)
        buses.append(bus)
    for _ in range(draw(st.integers(0, 3))):
        ends = draw(st.lists(st.sampled_from(buses), min_size=2, max_size=2, unique=True))
        tie = line(net, draw, *ends)
        if draw(st.booleans()):
            pandapower.create_switch(net, ends[0], tie, et="l", closed=draw(st.booleans()))
    if draw(st.booleans()):
        fused = pandapower.create_bus(net, 20.0)
        pandapower.create_switch(net, draw(st.sampled_from(buses)), fused, et="b", closed=True)
        buses.append(fused)
    connect(net, draw, buses)
    return net


def line(net: Any, draw: st.DrawFn, start: int, end: int) -> int:
    length_km = draw(st.floats(0.05, 5.0))
    return int(pandapower.create_line(net, start, end, length_km, draw(st.sampled_from(CABLES))))


def connect(net: Any, draw: st.DrawFn, buses: list[int]) -> None:
    for bus in buses:
        if draw(st.booleans()):
            pandapower.create_load(net, bus, draw(st.floats(0, 0.8)), draw(st.floats(-0.1, 0.3)))
        if draw(st.integers(0, 3)) == 0:
            pandapower.create_sgen(net, bus, draw(st.floats(0, 1.5)), draw(st.floats(-0.2, 0.2)))
    if draw(st.booleans()):
        pandapower.create_shunt(net, draw(st.sampled_from(buses)), q_mvar=draw(st.floats(-1, 1)))
    if draw(st.integers(0, 2)) == 0:
        pandapower.create_storage(net, draw(st.sampled_from(buses)), draw(st.floats(-0.5, 0.5)), max_e_mwh=1.0)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(networks())
def test_any_drawn_network_agrees_with_pandapower_at_every_bus_and_branch(net: Any) -> None:
    assert run_power_flow(net)
    powers = {f"{t}_{c}": net[t][c].to_numpy(float) for t in ("load", "sgen", "storage") for c in ("p_mw", "q_mvar")}
    try:
        solver = BatchSolver(net, np.zeros((len(net.load), 4)))
    except SolverError as error:
        raise AssertionError(f"not represented: {error}") from error
    solution = solver.solve(OperatingPoint(**powers, taps=(), point_names=(), out=()))
    assert np.abs(solution.vm_pu[0] - net.res_bus.vm_pu).max() <= 1e-7
    theirs = np.nan_to_num(np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent]))
    assert np.abs(solution.loading_percent[0] - theirs).max() <= 1e-5
    assert abs(solution.interface_mva[0, 0] - complex(net.res_ext_grid.p_mw[0], net.res_ext_grid.q_mvar[0])) <= 1e-6
