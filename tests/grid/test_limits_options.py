"""Reactive power, pools in order, shared caps, ratings, interfaces, outages: what a limit may also be asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gridpact.grid.description.grid import GridDescription, GridLimits
from gridpact.grid.errors import GridError
from gridpact.grid.limits.allowing import Activation, check, limit
from gridpact.grid.limits.cases import Case, hearings
from gridpact.grid.limits.judging import STATES_AT_ONCE, Judge
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies

NOON_US = 12 * 3_600_000_000
Cases = list[Case]


@pytest.mark.parametrize("count", [STATES_AT_ONCE, STATES_AT_ONCE + 1])
def test_how_far_a_state_jumps_is_seen_across_the_parts_that_a_batch_is_judged_in(
    model: GridModel, profiles: Profiles, count: int
) -> None:
    judge = Judge(hearings(model, [Case("now", profiles.forecast(NOON_US))], "continuous"), np.zeros(6, dtype=complex))
    change = np.zeros((count + 1, 6), dtype=complex)
    change[count:] = 3.0
    for path in (True, False):
        jumps = judge.judge(change, path=path).jump_pu
        assert jumps[count] > 0.01
        assert jumps[:count].max() < 1e-8


@pytest.fixture
def forecast(profiles: Profiles) -> Cases:
    return [Case("forecast", profiles.forecast(NOON_US))]


def test_a_cap_is_shared_in_proportion_or_in_order(
    model: GridModel, forecast: Cases, abc: tuple[Activation, ...]
) -> None:
    asked = [Activation("A", (("A", 1.0),), 3.0), *abc[1:]]
    for scope in ("prefix", "subset"):
        shared = limit(model, forecast, asked, scope, split="pro_rata")
        parts = [each.p_mw / offer.p_mw for each, offer in zip(shared, asked, strict=True)]
        assert parts == pytest.approx([parts[0]] * 3, rel=1e-4)
        assert sum(each.p_mw for each in shared) == pytest.approx(5.93, abs=0.05)
        assert {each.binding.element for each in shared if each.binding} == {"line 3-8"}


def test_who_ends_below_its_minimum_steps_back_for_the_others(model: GridModel, forecast: Cases) -> None:
    asked = [Activation(name, ((name, 1.0),), 2.5, min_mw=2.2) for name in "ABC"]
    shared = limit(model, forecast, asked, "prefix", split="pro_rata")
    assert [each.p_mw for each in shared] == [2.5, 2.5, 0.0]
    assert shared[2].binding is not None


def test_a_range_of_reactive_power_counts_at_its_worst(vary: Callable[..., GridDescription]) -> None:
    description = vary(profiles={"load": {"forecast": 0.4}, "wind": {"forecast": 1.0}})
    points = tuple(ConnectionPoint(name, bus) for name, bus in (("A", 9), ("B", 11), ("C", 8)))
    model = load_model(description, points)
    cases = [("light", Profiles(model, description).forecast(NOON_US))]
    fixed = [
        sum(each.p_mw for each in limit(model, cases, [Activation(n, ((n, 1.0),), 2.5, q_per_p=q) for n in "ABC"]))
        for q in (-0.3, 0.3)
    ]
    asked = [Activation(n, ((n, 1.0),), 2.5, q_range_per_p=(-0.3, 0.3)) for n in "ABC"]
    for scope in ("prefix", "subset"):
        free = limit(model, cases, asked, scope)
        assert sum(each.p_mw for each in free) <= min(fixed) + 1e-3
        on = [Activation(o.id, o.points, a.p_mw, q_range_per_p=(-0.3, 0.3)) for o, a in zip(asked, free, strict=True)]
        assert check(model, cases, on) is None


def test_a_pool_in_order_begins_with_its_first_resource(model: GridModel, forecast: Cases) -> None:
    points = (("A", 0.4), ("B", 0.3), ("C", 0.3))
    in_order, even = (
        limit(model, forecast, [Activation("pool", points, 8.0, spread=spread)])[0]
        for spread in ("merit", "proportional")
    )
    assert in_order.p_mw == pytest.approx(even.p_mw, abs=0.2)
    small = Activation("pool", points, 8.0, spread="merit")
    other = Activation("A too", (("A", 1.0),), 2.0)
    with_other = limit(model, forecast, [other, small], "subset")
    assert with_other[0].p_mw == 2.0
    assert 3.0 < with_other[1].p_mw < in_order.p_mw


def test_a_short_time_rating_allows_more_and_a_violation_says_which_it_is(
    vary: Callable[..., GridDescription], abc: tuple[Activation, ...]
) -> None:
    description = vary(limits={"short_time_percent": 120, "short_time_minutes": 15})
    model = load_model(description, tuple(ConnectionPoint(n, bus) for n, bus in (("A", 9), ("B", 11), ("C", 8))))
    cases = [("forecast", Profiles(model, description).forecast(NOON_US))]
    always, for_a_while = (limit(model, cases, abc, rating=rating)[2] for rating in ("continuous", "short_time"))
    assert for_a_while.p_mw > always.p_mw + 0.8
    assert for_a_while.binding is not None
    assert (for_a_while.binding.limit, for_a_while.binding.rating) == (120.0, "short_time")
    assert always.binding is not None
    assert (always.binding.limit, always.binding.rating) == (100.0, "continuous")
    assert check(model, cases, abc, rating="short_time") is not None
    again = limit(model, cases, abc, rating="short_time", spent=(always.binding.element,))[2]
    assert (again.p_mw, again.binding) == (always.p_mw, always.binding)


def test_a_case_may_be_an_outage_with_limits_of_its_own(
    model: GridModel, forecast: Cases, abc: tuple[Activation, ...]
) -> None:
    normal = limit(model, forecast, abc)
    state = forecast[0].state.with_out((model.branch("line 9-10"),))
    outage = Case("without line 9-10", state, limits=GridLimits(loading_percent=80, vm_max_pu=1.06))
    secured = limit(model, [*forecast, outage], abc)
    assert sum(each.p_mw for each in secured) < sum(each.p_mw for each in normal) - 0.5
    assert {each.binding.case for each in secured if each.binding} == {"without line 9-10"}


def test_a_case_with_limits_of_its_own_keeps_the_grids_margin_unless_it_gives_one(
    vary: Callable[..., GridDescription], model: GridModel, forecast: Cases
) -> None:
    careful = load_model(vary(limits={"margin": 0.05}), model.points)
    (asked, state) = [Activation("A", (("A", 1.0),), 8.0)], forecast[0].state
    plain, own, bold = (
        limit(careful, [Case("now", state, limits=limits)], asked)[0].p_mw
        for limits in (None, GridLimits(loading_percent=100), GridLimits(loading_percent=100, margin=0.0))
    )
    assert own == plain < bold - 0.2


def test_an_outage_may_come_as_a_model_but_with_the_same_points(
    model: GridModel, forecast: Cases, vary: Callable[..., GridDescription], abc: tuple[Activation, ...]
) -> None:
    weaker = load_model(vary(source_vm_pu=1.045), model.points)
    raised = limit(model, [Case("raised", forecast[0].state, model=weaker)], abc)
    assert {each.binding.kind for each in raised if each.binding} <= {"vm_max_pu", "loading_percent"}
    other = load_model(vary(), model.points[:2])
    with pytest.raises(GridError, match="must have the same connection points"):
        limit(model, [Case("other", forecast[0].state, model=other)], abc)


def test_what_is_allowed_is_told_at_the_interface_beside_the_connection_point(
    model: GridModel, forecast: Cases, abc: tuple[Activation, ...]
) -> None:
    allowed = limit(model, forecast, abc)
    on = [Activation(o.id, o.points, a.p_mw) for o, a in zip(abc, allowed, strict=True)]
    change = np.array([[each.p_mw for each in on] + [0.0] * (len(model.point_names) - 3)], dtype=complex)
    solver = model.solver(forecast[0].state.taps)
    before, after = solver.solve(forecast[0].state), solver.solve(forecast[0].state, change)
    at_interface = sum(p_mw for each in allowed for _, p_mw in each.interface_mw)
    lost = before.interface_mva.sum().real - after.interface_mva.sum().real
    assert at_interface == pytest.approx(lost, abs=1e-4)
    assert at_interface < sum(each.p_mw for each in allowed)


def test_two_interfaces_and_two_grids_are_told_apart(
    model: GridModel, forecast: Cases, abc: tuple[Activation, ...]
) -> None:
    description = GridDescription.model_validate({"network": "oberrhein"})
    south = load_model(description, (ConnectionPoint("S", 223),))
    cases = [("now", Profiles(south, description).forecast(0))]
    (there,) = limit(south, cases, [Activation("S", (("S", 1.0),), 2.0)], "subset")
    assert len(there.interface_mw) == 2
    assert sum(p_mw for _, p_mw in there.interface_mw) == pytest.approx(2.0, abs=0.2)
    here = limit(model, forecast, abc)[0]
    assert len(here.interface_mw) == 1
    assert {name for name, _ in here.interface_mw}.isdisjoint({"S"})


def test_headroom_both_ways_passes_ac_and_a_little_more_does_not(studies: GridStudies, model: GridModel) -> None:
    from gridpact.grid.readings import Readings

    readings = Readings(NOON_US, (), (0, 0))
    on = (("A", 2.5), ("B", 2.4), ("C", 0.5))
    units = [Activation(name, ((name, 1.0),), 3.0) for name in "ABC"]
    found = {each.id: each for each in studies.headroom(readings, on, units)}
    assert 0 < found["C"].up_mw < 1.0
    assert found["A"].down_mw == 3.0
    for name in "ABC":
        more = {**dict(on), name: dict(on)[name] + found[name].up_mw}
        assert not studies.assess(readings, tuple(more.items())).violations
        too_much = {**dict(on), name: dict(on)[name] + found[name].up_mw + 0.1}
        assert studies.assess(readings, tuple(too_much.items())).violations
    assert not studies.assess(readings).near
