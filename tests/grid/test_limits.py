"""Rules of allowed MW that hold for all inputs, and the cases that are easy to get wrong."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridpact.grid.errors import GridError, NetworkError
from gridpact.grid.limits.allowing import Activation, check, limit
from gridpact.grid.model import GridModel
from gridpact.grid.series.profiles import Profiles

QUICK = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
NAMES = ("A", "B", "C", "L6", "L10", "L3")
offers = st.lists(
    st.tuples(st.sampled_from(NAMES), st.floats(-6, 6, allow_nan=False), st.sampled_from([0.0, 0.5])), max_size=6
)


def activations(drawn: list[tuple[str, float, float]]) -> list[Activation]:
    return [Activation(f"o{k}", ((name, 1.0),), p, min_mw) for k, (name, p, min_mw) in enumerate(drawn)]


@QUICK
@given(drawn=offers)
def test_together_is_never_less_strict_than_separately(
    model: GridModel, profiles: Profiles, drawn: list[tuple[str, float, float]]
) -> None:
    asked, cases = activations(drawn), profiles.planning_cases()
    alone, together = (limit(model, cases, asked, scope) for scope in ("single", "all"))
    for offer, one, joint in zip(asked, alone, together, strict=True):
        assert abs(joint.p_mw) <= abs(one.p_mw) + 1e-9 <= abs(offer.p_mw) + 2e-9
        assert one.p_mw * offer.p_mw >= 0
        assert joint.p_mw == offer.p_mw or joint.binding is not None


@QUICK
@given(drawn=offers, upto=st.integers(1, 6), part=st.floats(0, 1))
def test_every_prefix_and_part_of_what_is_allowed_passes(
    model: GridModel, profiles: Profiles, drawn: list[tuple[str, float, float]], upto: int, part: float
) -> None:
    cases = [("forecast", profiles.forecast(0))]
    for sign in (1, -1):
        asked = [each for each in activations(drawn) if each.p_mw * sign > 0]
        allowed = limit(model, cases, asked)[:upto]
        on = [Activation(a.id, o.points, a.p_mw) for a, o in zip(allowed, asked, strict=False)]
        if on:
            on[-1] = Activation(on[-1].id, on[-1].points, on[-1].p_mw * part)
        assert check(model, cases, on) is None


def test_what_is_below_the_minimum_counts_as_nothing_and_is_not_kept_on(model: GridModel, profiles: Profiles) -> None:
    cases = [("forecast", profiles.forecast(0))]
    asked = [Activation(n, ((n, 1.0),), 2.5, min_mw=1.0) for n in "ABC"] + [Activation("small", (("C", 1.0),), 0.9)]
    assert [each.p_mw for each in limit(model, cases, asked)] == [2.5, 2.5, 0.0, 0.9]


def test_the_strictest_case_counts_and_is_named(
    model: GridModel, profiles: Profiles, abc: tuple[Activation, ...]
) -> None:
    both = limit(model, profiles.planning_cases(), abc, "all")
    light = limit(model, profiles.planning_cases()[1:], abc, "all")
    assert [each.p_mw for each in both] == [each.p_mw for each in light]
    assert both[1].binding is not None
    assert both[1].binding.case == "windy, light"


def test_up_and_down_do_not_relieve_each_other(model: GridModel, profiles: Profiles) -> None:
    cases = [("forecast", profiles.forecast(0))]
    up = [Activation(n, ((n, 1.0),), 2.5) for n in "ABC"]
    down = Activation("down", (("B", 1.0),), -1.0)
    mixed = limit(model, cases, [down, *up])
    assert mixed[1:] == limit(model, cases, up)


def test_what_is_fixed_stays_on(model: GridModel, profiles: Profiles, abc: tuple[Activation, ...]) -> None:
    cases = [("forecast", profiles.forecast(0))]
    alone = limit(model, cases, abc)[2]
    assert limit(model, cases, abc[2:], fixed=abc[:2])[0].p_mw == pytest.approx(alone.p_mw, abs=1e-3)


def test_a_base_in_violation_allows_what_relieves_and_refuses_what_worsens(
    model: GridModel, profiles: Profiles, abc: tuple[Activation, ...]
) -> None:
    base = profiles.forecast(0).with_changes({"A": 2.5, "B": 2.5, "C": 2.5})
    assert check(model, [("base", base)], ()) is not None
    relief, burden = limit(model, [("base", base)], [Activation("d", (("A", 1.0),), -1.0), abc[0]])
    assert relief.p_mw == -1.0
    assert burden.p_mw == 0.0
    assert burden.binding is not None
    assert burden.binding.element == "line 3-8"


def test_a_pool_is_spread_by_its_shares(model: GridModel, profiles: Profiles) -> None:
    cases = [("forecast", profiles.forecast(0))]
    pool = Activation("pool", (("A", 0.5), ("B", 0.25), ("C", 0.25)), 10.0)
    (allowed,) = limit(model, cases, [pool])
    assert 5.0 < allowed.p_mw < 6.5


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(GridError, match=r"sum to 1, got 0\.9"):
        Activation("x", (("A", 0.5), ("B", 0.4)), 1.0)


def test_an_unknown_connection_point_is_named(model: GridModel, profiles: Profiles) -> None:
    with pytest.raises(NetworkError, match='"L66" is not in this grid; near: L6'):
        limit(model, [("f", profiles.forecast(0))], [Activation("x", (("L66", 1.0),), 1.0)])


def test_an_absurd_quantity_ends_with_a_limit_and_no_lie(model: GridModel, profiles: Profiles) -> None:
    (allowed,) = limit(model, [("f", profiles.forecast(0))], [Activation("x", (("A", 1.0),), 1e12)])
    assert 0 <= allowed.p_mw < 10
    assert allowed.binding is not None
