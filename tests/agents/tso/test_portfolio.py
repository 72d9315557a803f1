"""The TSO's three remedies against a limit, in their order: lower the set-point, another unit of the BSP, terminate."""

from typing import Any

import pytest

from gridpact.agents.dso.studies import Monitor, Watch
from gridpact.agents.profiles import BspProfile
from gridpact.agents.runtime.inputs import Send
from gridpact.agents.tso.activation import portfolio
from gridpact.grid.limits.allowing import Allowed
from gridpact.protocols.information.activation import Activate, LimitFollowed, LimitOrder, MovedPower, OfferModified


def two_units(make: Any) -> Any:
    """b has a second unit that is qualified and offers nothing."""
    one = make.bsp("b", price=70.0)
    profile: BspProfile = one.profile
    second = profile.resources[0].model_copy(
        update={
            "id": "unit-b2",
            "scheme": (profile.resources[0].scheme[0].model_copy(update={"unit": "unit-b2", "point": "point-b2"}),),
        }
    )
    parts = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    return type(one)(BspProfile(**{**parts, "resources": (*profile.resources, second)}))


def bearing(make: Any, **most_mw: float) -> Any:
    """A grid that bears only so much of b's units (`b` and `b2`) in real time."""

    def lab(job: Any) -> object:
        if not isinstance(job, Monitor):
            return make.answers(job)
        allowed = []
        for each in job.ordered:
            unit = "b2" if each.id.endswith(" by unit-b2") else each.id.partition(".")[0]
            limit = most_mw.get(unit, each.p_mw)
            allowed.append(Allowed(each.id, min(each.p_mw, limit), make.BOUND if each.p_mw > limit else None))
        bound = any(each.binding for each in allowed)
        return Watch(make.calm(), make.calm(), tuple(allowed) if bound or job.look else None, 0.0)

    return lab


def town(make: Any, lab: Any, need_mw: float = 4.0) -> Any:
    people = (make.bsp("a"), two_units(make), make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0))
    needs = (make.tso().profile.needs[0].__class__("mFRR", "up", 6.0),)
    return make.town(make.tso(*needs), make.dso(), *people, lab=lab, need_mw=need_mw).begin()


def points(agents: Any, name: str = "b") -> dict[str, float]:
    return dict(agents.state(name).set_points)


def test_what_a_limit_takes_is_given_by_another_unit_of_the_same_portfolio(make: Any) -> None:
    agents = town(make, bearing(make, b=0.5)).run(3700)
    assert points(agents) == {"unit-b": 0.5, "unit-b2": 1.5}
    assert [unit.resource for order in agents.contents(LimitOrder) for unit in order.other_units] == ["unit-b2"]
    assert agents.contents(OfferModified)[0].moved[0].power_mw == 1.5


def test_the_offer_is_then_ordered_as_before_and_nothing_is_bought_elsewhere(make: Any) -> None:
    agents = town(make, bearing(make, b=0.5)).run(3800)
    order = agents.state("tso").activation.orders["b.Q1.mFRR-up.1"]
    assert order.power_mw == 2.0
    assert set(agents.state("tso").activation.orders) == {"a.Q1.mFRR-up.1", "b.Q1.mFRR-up.1"}


def test_without_another_unit_it_is_bought_from_the_merit_order_in_the_same_cycle(make: Any) -> None:
    agents = make.usual(
        need_mw=4.0, lab=bearing(make, b=0.5), needs=(make.tso().profile.needs[0].__class__("mFRR", "up", 6.0),)
    )
    agents.run(3700)
    limited_us = next(at for at, e in agents.said if isinstance(e.content, LimitOrder))
    bought_us = next(at for at, e in agents.said if isinstance(e.content, Activate) and e.receiver == "t")
    assert bought_us - limited_us <= make.CYCLE
    assert points(agents) == {"unit-b": 0.5}


def test_the_dso_knows_which_unit_gives_and_limits_that_one_too(make: Any) -> None:
    agents = town(make, bearing(make, b=0.5, b2=1.0)).run(3800)
    assert points(agents) == {"unit-b": 0.5, "unit-b2": 1.0}
    assert set(agents.state("tso").activation.caps) == {"b|unit-b|up", "b|unit-b2|up"}
    assert agents.state("tso").activation.orders["b.Q1.mFRR-up.1"].power_mw == 1.5


def test_a_unit_that_is_lifted_takes_its_part_back(make: Any) -> None:
    agents = town(make, bearing(make, b=0.5)).run(3700)
    agents.lab = bearing(make)
    agents.run(4300)
    assert points(agents)["unit-b"] == 2.0
    assert points(agents).get("unit-b2", 0.0) == 0.0
    assert agents.contents(LimitFollowed)[-1].followed[0].moved == ()


def test_what_is_terminated_is_given_by_another_unit_as_far_as_it_is_free(make: Any) -> None:
    agents = town(make, bearing(make, b=0.0)).run(3700)
    assert points(agents) == {"unit-b": 0.0, "unit-b2": 2.0}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"confirmed_mw": 2.0}, "2 MW confirmed, where 0.5 MW are allowed"),
        ({"moved": (MovedPower(resource="ghost", max_mw=1.5, power_mw=1.5),)}, "1.5 MW by ghost"),
        ({"moved": (MovedPower(resource="unit-b", max_mw=1.5, power_mw=1.5),)}, "1.5 MW by unit-b"),
        ({"moved": (MovedPower(resource="unit-b2", max_mw=2.5, power_mw=1.5),)}, "2.5 MW by unit-b2"),
        ({}, None),
    ],
)
def test_what_contradicts_a_limit_is_no_confirmation_of_it(make: Any, said: dict[str, Any], reason: str | None) -> None:
    agents = town(make, bearing(make, b=0.5)).run(3700)
    state, told = agents.state("tso"), agents.contents(OfferModified)[0]
    limit = agents.contents(LimitOrder)[0].limit
    found = portfolio.contradiction(state, "b", limit, told.model_copy(update=said))
    assert found == "" if reason is None else reason in found


def test_the_dso_hears_of_a_failure_where_a_participant_contradicts_its_limit(make: Any) -> None:
    agents = town(make, bearing(make, b=0.5))
    carry_out = agents._carry_out

    def lying(name: str, effect: Any) -> None:
        if isinstance(effect, Send) and isinstance(effect.envelope.content, OfferModified):
            said = effect.envelope.content.model_copy(update={"offer": None, "confirmed_mw": 2.0})
            effect = effect._replace(envelope=effect.envelope._replace(content=said))
        carry_out(name, effect)

    agents._carry_out = lying
    agents.run(3800)
    assert agents.contents(LimitFollowed) == []
    assert agents.noted("limit not followed")[0]["offer_id"] == "b.Q1.mFRR-up.1"
    assert agents.noted("limit not confirmed")
