"""Where voltage has collapsed there is no power flow: load is lost, and overloads have ended."""

import numpy as np

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant

SECOND_US = 1_000_000


def collapsing() -> GridPlant:
    """First overloaded for ten seconds, then beyond what any voltage can carry."""
    description = GridDescription.model_validate({"network": "cigre_mv_der", "protection": None})
    plant = GridPlant("g", description, (ConnectionPoint("A", 9),))
    plant.set_point_power("A", 9.0)
    plant.protect()
    plant.advance(10 * SECOND_US)
    assert plant.protect() == ()
    plant.set_point_power("A", -900.0)
    return plant


def test_load_and_generation_are_lost_while_there_is_no_power_flow() -> None:
    plant = collapsing()
    state, own = plant.solve(), plant.untouched.actual(10 * SECOND_US)
    assert not state.converged
    assert state.lost_load_mw == np.round(own.load_p_mw.sum(), 6) > 20
    assert state.lost_generation_mw == np.round(own.sgen_p_mw.sum(), 6)  # what would have drawn at A is none
    assert state.interface_p_mw == 0
    plant.set_point_power("A", 0.0)
    assert plant.solve().converged
    assert (plant.solve().lost_load_mw, plant.solve().lost_generation_mw) == (0.0, 0.0)


def test_an_overload_ends_with_the_power_flow_and_does_not_go_on_counting() -> None:
    plant = collapsing()
    ended = plant.protect()
    assert ended
    assert {one.name for one in ended} == {"overload"}
    assert {one.figures["lasted_s"] for one in ended} == {10.0}
    plant.advance(60 * SECOND_US)
    assert plant.protect() == plant.close() == ()


def test_what_hangs_on_a_collapsed_grid_is_lost_until_there_is_a_power_flow_again() -> None:
    plant = collapsing()
    plant.protect()
    assert plant.lost_points == {"A"}
    plant.advance(20 * SECOND_US)
    plant.set_point_power("A", 0.0)
    plant.protect()
    assert plant.lost_points == frozenset()
