"""Overload has consequences: what is large and lasts trips, and what has no supply any more is lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from gridpact.grid.description.grid import GridDescription, Protection
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.model import GridModel
from gridpact.grid.moments.snapshot import network_from
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.plant.protection import Incident, Relays
from gridpact.grid.studies.studies import GridStudies

SECOND_US = 1_000_000
LINE = "line 3-8"


def overloaded(plant: GridPlant) -> GridPlant:
    for name in "ABC":
        plant.set_point_power(name, 2.5)
    return plant


def watched(plant: GridPlant, until_s: int, tick_s: int = 4, from_s: int = 0) -> list[Incident]:
    found: list[Incident] = []
    for second in range(from_s, until_s + 1, tick_s):
        plant.advance(second * SECOND_US)
        found += plant.protect()
    return found


def relays(**changes: object) -> Relays:
    return Relays(("a", "b"), np.array([100.0, 100.0]), Protection.model_validate(changes))


def trips(found: list[Incident]) -> list[tuple[str, float]]:
    return [(one.element, one.at_us / SECOND_US) for one in found if one.name == "protection trip"]


def test_an_overload_of_128_percent_trips_the_line_after_60_seconds(plant: GridPlant) -> None:
    found = watched(overloaded(plant), 100)
    assert trips(found) == [(LINE, 60.0)]
    assert plant.out_of_service == (LINE,)


@pytest.mark.parametrize("tick_s", [1, 2, 10])
def test_the_trip_does_not_depend_on_the_tick(tick_s: int, plant: GridPlant) -> None:
    assert trips(watched(overloaded(plant), 70, tick_s)) == [(LINE, 60.0)]


def test_what_is_behind_a_tripped_line_is_lost_and_the_rest_lives(plant: GridPlant) -> None:
    watched(overloaded(plant), 60)
    state = plant.solve()
    assert state.converged
    assert {"A", "B", "C"} <= plant.lost_points
    assert "L3" not in plant.lost_points
    assert state.lost_load_mw > 1.0
    assert state.lost_generation_mw >= 7.5
    assert state.violations == ()
    assert 0.9 < state.vm_min_pu < state.vm_max_pu < 1.1


def test_pandapower_agrees_with_the_grid_after_a_trip(plant: GridPlant) -> None:
    import pandapower

    watched(overloaded(plant), 60)
    net = network_from(plant.network_json(), plant.snapshot(60 * SECOND_US))
    pandapower.runpp(net, numba=False)
    state = plant.solve()
    assert net.res_ext_grid.p_mw.sum() == pytest.approx(state.interface_p_mw, abs=1e-4)
    assert net.res_bus.vm_pu.min() == pytest.approx(state.vm_min_pu, abs=1e-5)
    assert net.res_bus.vm_pu.isna().sum() == np.isnan(state.vm_pu).sum() > 0


def test_all_of_a_grid_may_be_lost_and_it_still_has_a_solution(model: GridModel, plant: GridPlant) -> None:
    state = plant._wanted().with_out([k for k, name in enumerate(model.ratings.branches) if name.startswith("trans")])
    solution = model.solve(state)
    assert solution.converged[0]
    assert abs(solution.interface_mva[0]).sum() == pytest.approx(0.0, abs=1e-6)


def test_without_protection_nothing_trips(vary: Callable[..., GridDescription], plant: GridPlant) -> None:
    free = overloaded(GridPlant("g", vary(protection=None), plant.model.points))
    assert trips(watched(free, 100)) == []


def test_an_overload_that_falls_to_the_reset_level_begins_its_time_anew() -> None:
    own, found = relays(threshold_percent=120, after_s=60, reset_percent=110), list[Incident]()
    for second, loading in ((0, 130.0), (40, 115.0), (50, 130.0), (55, 110.0), (60, 130.0), (119, 130.0), (120, 130.0)):
        found += own.look(second * SECOND_US, np.array([loading, 0.0]))
    assert trips(found) == [("a", 120.0)]


def test_a_line_comes_back_after_the_reclosing_time_if_there_is_one(vary: Callable[..., GridDescription]) -> None:
    protection = {"threshold_percent": 120, "after_s": 60, "reclose_after_s": 30}
    plant = overloaded(GridPlant("g", vary(protection=protection), overloaded_points()))
    found = watched(plant, 60)
    for name in "ABC":
        plant.set_point_power(name, 0.0)
    found += watched(plant, 100, from_s=61)
    assert [(one.name, one.element) for one in found if one.name != "overload"] == [
        ("protection trip", LINE),
        ("reclosing", LINE),
    ]
    assert plant.solve().lost_load_mw == 0.0


def overloaded_points() -> tuple[object, ...]:
    from gridpact.grid.network.points import ConnectionPoint

    return tuple(ConnectionPoint(name, bus) for name, bus in (("A", 9), ("B", 11), ("C", 8)))


def test_overload_is_counted_in_percent_seconds_per_element() -> None:
    own, found = relays(), list[Incident]()
    for second, loading in ((0, 110.0), (10, 105.0), (14, 100.0)):
        found += own.look(second * SECOND_US, np.array([loading, 99.0]))
    assert [(one.name, one.element, one.figures["percent_seconds"]) for one in found] == [("overload", "a", 120.0)]
    assert own.close(20 * SECOND_US) == ()


def test_an_overload_that_goes_on_is_told_at_the_end() -> None:
    own = relays()
    own.look(0, np.array([100.5, 0.0]))
    (told,) = own.close(10 * SECOND_US)
    assert told.figures["percent_seconds"] == 5.0


def test_a_protection_that_would_trip_what_is_allowed_is_refused(vary: Callable[..., GridDescription]) -> None:
    with pytest.raises(ValidationError, match="90 is below the limit of 100 %: what is allowed must not trip"):
        vary(protection={"threshold_percent": 90})
    with pytest.raises(ValidationError, match="reset_percent 130 must not be above threshold_percent 120"):
        vary(protection={"reset_percent": 130})


def test_the_dso_sees_that_a_line_is_out_and_allows_nothing_behind_it(
    plant: GridPlant, studies: GridStudies, abc: tuple[Activation, ...]
) -> None:
    watched(overloaded(plant), 60)
    readings = plant.readings(60 * SECOND_US)
    assert readings.out == (LINE,)
    assert studies.assess(readings).violations == ()
    allowed = studies.curtail(readings, (*abc, Activation("L3", (("L3", 1.0),), 0.5)))
    assert [one.p_mw for one in allowed] == [0.0, 0.0, 0.0, 0.5]
