"""Every network that ships with pandapower, and many that are drawn: each agrees with pandapower, or says that it has
no solution.
"""

from __future__ import annotations

import numpy as np
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import run_power_flow
from gridpact.grid.model import load_model
from gridpact.grid.network.shipped import NAMES
from gridpact.grid.network.source import load
from gridpact.grid.series.profiles import Profiles

WITHOUT_SOLUTION = {"case11_iwamoto"}


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_network_agrees_with_pandapower(name: str) -> None:
    description = GridDescription(network=name)
    model = load_model(description)
    solution = model.solve(Profiles(model, description).actual(0))
    assert bool(solution.converged[0]) is (name not in WITHOUT_SOLUTION)
    if not solution.converged[0]:
        return
    net = load(description)
    assert run_power_flow(net)
    run_power_flow(net, warm=True, tolerance_mva=1e-12)
    supplied = np.isfinite(solution.vm_pu[0])
    assert np.abs(solution.vm_pu[0] - net.res_bus.vm_pu)[supplied].max() <= 1e-7
    theirs = np.nan_to_num(np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent]))
    rated = np.concatenate([net.line.max_i_ka < 9999, np.ones(len(net.trafo), dtype=bool)])
    ours = solution.loading_percent[0, : len(theirs)]
    assert (np.abs(ours - theirs)[rated] / np.maximum(100.0, theirs[rated])).max(initial=0.0) <= 1e-7
