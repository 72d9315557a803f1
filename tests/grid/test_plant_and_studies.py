"""Truth and belief apart: the plant has the true profiles and taps, the DSO forecasts, readings and what it is told."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from gridpact.grid.clock import StepFunction, clock_text, clock_us
from gridpact.grid.description.grid import GridDescription
from gridpact.grid.errors import GridError, NetworkError, ProfileError
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.studies.studies import GridStudies

SECOND_US = 1_000_000
GUST_US = clock_us("12:35:00")
TRAFO = "transformer 0-1"


def test_the_gust_is_in_the_plant_and_not_in_the_studies(plant: GridPlant, studies: GridStudies) -> None:
    before, after = plant.readings(GUST_US - 1), plant.readings(GUST_US)
    assert (before.p_mw, after.p_mw) == ((("WKA 7", 0.3, 0.0),), (("WKA 7", 1.5, 0.0),))
    assert "actual" not in studies.description.model_dump_json(exclude_none=True)
    assert studies.interface_forecast(GUST_US) == studies.interface_forecast(0)
    assert plant.untouched.scheduled_interface_p_mw(GUST_US) == studies.interface_forecast(GUST_US)[0][1]


def test_an_unmetered_gust_is_believed_by_nobody(vary: Callable[..., GridDescription], studies: GridStudies) -> None:
    plant = GridPlant("g", vary(metered=["interface"]), studies.model.points)
    readings = plant.readings(GUST_US)
    assert readings.p_mw == ()
    assessment = studies.assess(readings)
    assert assessment.interface_p_mw == studies.interface_forecast(GUST_US)[0][1]
    assert assessment.interface_gap_mw == pytest.approx(33.693 - 34.869, abs=0.002)


def test_metered_loads_are_read_as_drawn_and_believed_as_they_are(vary: Callable[..., GridDescription]) -> None:
    profiles = {"load": {"forecast": 0.8, "actual": 0.6}, "wind": {"forecast": 0.2}}
    description = vary(profiles=profiles, metered=["load", "interface"])
    plant, studies = GridPlant("g", description, ()), GridStudies("g", description, ())
    assessment = studies.assess(plant.readings(0))
    assert assessment.interface_p_mw == pytest.approx(plant.solve().interface_p_mw, abs=0.05)


def test_a_tap_changer_steps_in_its_own_time_whatever_the_tick(plant: GridPlant) -> None:
    plant.set_tap_target(TRAFO, 2, 0)
    positions = []
    for second in (9, 10, 19, 20, 60):
        plant.advance(second * SECOND_US)
        positions.append(plant.taps[0])
    assert positions == [0, 1, 1, 2, 2]
    plant.set_tap_target(TRAFO, 0, 61 * SECOND_US)
    plant.advance(200 * SECOND_US)
    assert plant.taps == (0, 0)


def test_a_tap_target_outside_the_range_or_of_no_transformer_is_refused(plant: GridPlant) -> None:
    with pytest.raises(NetworkError, match="10 is outside the range -9 … 9"):
        plant.set_tap_target(TRAFO, 10, 0)
    with pytest.raises(NetworkError, match="near: transformer 0-1"):
        plant.set_tap_target("transformer 0-2", 1, 0)


def test_time_never_goes_back(plant: GridPlant) -> None:
    plant.advance(SECOND_US)
    with pytest.raises(GridError, match="cannot go back from 00:00:01 to 00:00:00"):
        plant.advance(0)


def test_a_state_is_solved_once_until_something_changes(plant: GridPlant) -> None:
    first = plant.solve()
    plant.advance(SECOND_US)
    assert plant.solve() is first
    plant.set_point_power("A", 1.0)
    assert plant.solve() is not first


def test_the_shadow_shows_what_would_have_been_and_changes_nothing(plant: GridPlant) -> None:
    plant.set_point_power("A", 2.5)
    before = plant.solve()
    assert plant.shadow_state({"B": 2.5, "C": 2.5}).worst_loading_percent == pytest.approx(128.2, abs=0.1)
    assert plant.solve() is before


def test_a_grid_without_solution_counts_as_lost(plant: GridPlant) -> None:
    plant.set_point_power("A", -1000.0)
    state = plant.solve()
    assert not state.converged
    assert state.interface_p_mw == 0.0
    assert state.violations[0].kind == "no_solution"
    assert plant.snapshot(0)["converged"] == 0


def test_an_assessment_of_a_lost_grid_is_near_and_finite(studies: GridStudies, plant: GridPlant) -> None:
    assessment = studies.assess(plant.readings(0), (("A", -1000.0),))
    assert assessment.near
    assert assessment.violations[0].kind == "no_solution"
    assert assessment.interface_p_mw == 0.0


def test_an_assessment_is_the_same_whatever_is_asked_of_it_first(studies: GridStudies, plant: GridPlant) -> None:
    readings = plant.readings(0)
    one, other = studies.assess(readings, [("A", 2.5)]), studies.assess(readings, [("A", 2.5)])
    assert other.worst_element == "transformer 0-12"
    assert one == pickle.loads(pickle.dumps(one)) == other  # noqa: S301 - what was dumped here
    assert (repr(one), hash(one)) == (repr(other), hash(other))
    assert one.interface_p_mw < studies.assess(readings).interface_p_mw
    with pytest.raises(AttributeError, match="Assessment has no worst_bus"):
        _ = one.worst_bus  # type: ignore[attr-defined]


def test_the_same_question_at_another_time_names_that_time(
    studies: GridStudies, plant: GridPlant, abc: tuple[Activation, ...]
) -> None:
    early, late = plant.readings(60_000_000), plant.readings(120_000_000)
    both = [studies.curtail(readings, abc) for readings in (early, late)]
    cases = [{each.binding.case for each in found if each.binding is not None} for found in both]
    assert cases == [{clock_text(60_000_000)}, {clock_text(120_000_000)}]
    assert [each.p_mw for each in both[0]] == [each.p_mw for each in both[1]]
    assert studies.curtail(late, abc[:1]) != both[1]


def test_what_was_asked_last_is_not_computed_again_but_told_of_the_new_time(
    studies: GridStudies, plant: GridPlant, abc: tuple[Activation, ...]
) -> None:
    overload, readings = [("A", 9.0)], [plant.readings(60_000_000), plant.readings(120_000_000)]
    early, late = (studies.assess(each, overload) for each in readings)
    assert {each.case for each in late.violations} == {clock_text(120_000_000)}
    assert replace(late, at_us=early.at_us, violations=early.violations) == early
    assert studies.assess(readings[1], [("A", 8.0)]) != late
    free = [studies.headroom(each, overload, abc) for each in readings]
    assert free[0] is free[1]
    assert studies.headroom(readings[1], [("A", 1.0)], abc) != free[0]


def test_what_is_qualified_already_takes_room(studies: GridStudies, abc: tuple[Activation, ...]) -> None:
    free, taken = (studies.prequalify(abc[1:2], "all", already)[0].p_mw for already in ((), abc[:1]))
    assert free == 2.5
    assert taken == pytest.approx(0.41, abs=0.05)
    assert studies.prequalify(abc[1:2], "single", abc[:1])[0].p_mw == 2.5


def test_unknown_points_are_told_in_their_order(studies: GridStudies) -> None:
    assert studies.unknown_points(["Z", "A", "Y"]) == ("Z", "Y")


def test_the_interface_forecast_gives_the_limit_of_its_transformers(studies: GridStudies) -> None:
    ((name, p_mw, q_mvar, limit_mw),) = studies.interface_forecast(0)
    assert (name, limit_mw) == ("external grid 0", 50.0)
    assert (p_mw, q_mvar) == (pytest.approx(34.869, abs=0.001), pytest.approx(11.704, abs=0.001))


def test_the_studies_use_the_taps_that_were_read(plant: GridPlant, studies: GridStudies) -> None:
    readings = replace(plant.readings(0), taps=(-1, -1))
    gained = studies.assess(readings).interface_p_mw - studies.assess(plant.readings(0)).interface_p_mw
    assert gained == pytest.approx(0.622, abs=0.001)


def test_metering_something_unknown_is_refused(vary: Callable[..., GridDescription]) -> None:
    with pytest.raises(ProfileError, match=r'"winds" is neither.*near: wind'):
        GridPlant("g", vary(metered=["winds"]), (ConnectionPoint("A", 9),))


def test_results_are_frozen_and_hashable(studies: GridStudies, plant: GridPlant, abc: tuple[Activation, ...]) -> None:
    readings = plant.readings(0)
    results = (
        readings,
        studies.assess(readings),
        studies.prequalify(abc),
        studies.cvr(0),
        studies.curtail(readings, abc),
    )
    assert isinstance(hash(results), int)


def test_clock_times_and_step_functions() -> None:
    assert clock_text(clock_us("36:00")) == "36:00:00"
    assert clock_us("00:00:01.5") == 1_500_000
    steps = StepFunction(0.1, {"06:00": 0.5, "12:00": 0.7}).followed_by({"12:00": 1.0, "13:00": 0.2})
    assert [steps.at(clock_us(t)) for t in ("05:59", "06:00", "11:59:59", "12:00", "13:00")] == [
        0.1,
        0.5,
        0.5,
        1.0,
        0.2,
    ]
    with pytest.raises(ProfileError, match='"25" must read HH:MM'):
        clock_us("25")
