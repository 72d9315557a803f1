"""One more copy of a network takes what does not hang on its connection points from the first, and is the same."""

from __future__ import annotations

import numpy as np
import pandapower
import pytest

from gridpact.agents.dso.studies import Monitor
from gridpact.grid.description.grid import GridDescription
from gridpact.grid.errors import BlackoutError
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.model import GridModel
from gridpact.grid.moments.snapshot import network_json
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.readings import Readings
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies

FIRST = (ConnectionPoint("A", 9, "load", -0.2), ConnectionPoint("B", 11))
SECOND = (ConnectionPoint("C", 8), ConnectionPoint("D", 5, "load", -0.1), ConnectionPoint("E", 9))


@pytest.mark.parametrize("name", ["cigre_mv_der", "case33bw"])
def test_a_model_made_like_another_is_the_one_made_by_itself(name: str) -> None:
    description = GridDescription(network=name)
    first, alone = GridModel(description, FIRST), GridModel(description, SECOND)
    alike = GridModel(description, SECOND, first)
    assert alike.net.line is first.net.line
    assert alike.net.sgen.equals(alone.net.sgen)
    assert alike.notes == alone.notes
    states = [model.solve(Profiles(model, description).actual(0)) for model in (alike, alone)]
    assert np.abs(states[0].vm_pu - states[1].vm_pu).max() < 1e-9
    assert np.abs(states[0].interface_mva - states[1].interface_mva).max() < 1e-6


def test_the_stored_text_of_a_copy_is_what_pandapower_writes(worked_example: GridDescription) -> None:
    first = GridModel(worked_example, FIRST)
    alike = GridModel(worked_example, SECOND, first)
    assert network_json(first.net) == pandapower.to_json(first.net)
    assert network_json(alike.net) == pandapower.to_json(alike.net)


def test_a_grid_in_the_dark_is_found_out_once(worked_example: GridDescription) -> None:
    model = GridModel(worked_example, FIRST)
    out = tuple(range(len(model.net.line) + len(model.net.trafo)))
    assert model.unsupplied_points(out) == {"A", "B"}
    with pytest.raises(BlackoutError):
        model.solver(model.initial_taps, out)
    assert (model.initial_taps, out) not in model._solvers


def test_an_outage_alone_asks_for_no_limit_but_an_order_without_supply_does(worked_example: GridDescription) -> None:
    studies = GridStudies("north", worked_example, (ConnectionPoint("A", 9), ConnectionPoint("L", 2)))
    readings = Readings(0, (), studies.expected(0).taps, out=("line 3-8",))
    lit, lost = (Activation(name, ((name, 1.0),), 0.1) for name in "LA")
    assert Monitor("north", readings, (), (lit,), False, None).run(studies).allowed is None
    allowed = Monitor("north", readings, (), (lit, lost), False, None).run(studies).allowed
    assert allowed is not None
    assert [each.p_mw for each in allowed] == [0.1, 0.0]
