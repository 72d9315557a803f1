"""A DSO's limits in real time: asked, confirmed, repeated, lifted; and whom it believes."""

from typing import Any

from gridpact.agents.dso.studies import Monitor
from gridpact.agents.runtime.inputs import Arrival
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.readings import Readings
from gridpact.protocols.information.activation import LimitFollowed, LimitRequest, Measurement, PointPower
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import load_scenario


def requests(town: Any) -> list[float]:
    return [limit.max_mw for r in town.contents(LimitRequest) for limit in r.limits]


def limit(town: Any) -> Any:
    return town.state("dso").limits["b|unit-b|up"]


def test_a_limit_is_asked_for_once_and_held(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5)).run(3800)
    assert requests(town) == [0.5]
    assert limit(town).status == "confirmed"


def test_a_limit_is_tightened_at_once_and_lifted_only_after_it_has_been_held(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5)).run(3700)
    town.lab = make.capped(b=0.25)
    town.run(3720)
    assert requests(town) == [0.5, 0.25]
    town.lab = make.capped()
    town.run(3990)
    assert requests(town) == [0.5, 0.25]
    town.run(4150)
    assert requests(town)[-1] == 2.0
    assert town.state("b").set_points["unit-b"] == 2.0


def test_a_limit_that_is_not_confirmed_is_kept_and_asked_for_again(make: Any) -> None:
    lost = lambda e: isinstance(e.content, LimitRequest) and e.id.endswith("limit-1/tso#i0")  # noqa: E731
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5), loses=lost).run(3720)
    assert limit(town).status == "asked"
    town.run(3800)
    assert requests(town) == [0.5, 0.5]
    assert limit(town).status == "confirmed"
    assert town.state("b").set_points["unit-b"] == 0.5


def test_an_answer_confirms_the_limits_of_its_own_request_only(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5), loses=lambda e: isinstance(e.content, LimitFollowed)).run(
        3650
    )
    town.lab = make.capped(a=1.0, b=0.5)
    town.run(3660)
    first = next(e for _, e in town.said if isinstance(e.content, LimitFollowed) and "limit-1/" in e.id)
    town.give("dso", Arrival(first), town.now_us)
    town.run(3661)
    assert limit(town).status == "confirmed"
    assert town.state("dso").limits["a|unit-a|up"].status == "asked"


def test_a_confirmation_that_comes_late_counts(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5), loses=lambda e: isinstance(e.content, LimitFollowed)).run(
        3735
    )
    first = next(e for _, e in town.said if isinstance(e.content, LimitFollowed))
    town.give("dso", Arrival(first), town.now_us)
    town.run(3735)
    assert limit(town).status in ("confirmed", "asked")
    assert limit(town).request.endswith(("limit-1/tso", "limit-2/tso"))


def test_a_participant_speaks_for_itself_and_its_own_points_only(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(3700)
    said = [e for _, e in town.said if isinstance(e.content, Measurement) and (e.sender, e.receiver) == ("a", "dso")][
        -1
    ]
    points = (PointPower(point="point-b", p_mw=-9.0, q_mvar=0), PointPower(point="nowhere", p_mw=9.0, q_mvar=0))
    forged = said.content.model_copy(update={"participant": "b", "points": points, "set_point_mw": -9.0})
    before = town.state("dso").told["b"]
    index = int(said.id.rpartition("#r")[2]) + 1
    parts = {f: getattr(said, f) for f in said._fields}
    parts |= {"content": forged, "id": f"{said.conversation_id}#r{index}"}
    town.give("dso", Arrival(said.__class__(**parts)), town.now_us)
    town.run(town.now_us / 1e6)
    assert town.state("dso").told["b"] == before
    assert town.state("dso").told["a"].points == ()


def test_without_the_right_to_limit_the_dso_only_watches(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5), dso_limits=False).run(3800)
    assert requests(town) == []
    assert town.noted("grid monitored")


def test_a_limit_that_is_wholly_lifted_is_forgotten_once_that_is_confirmed(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5)).run(3700)
    town.lab = make.capped()
    town.run(4150)
    assert requests(town) == [0.5, 2.0]
    assert dict(town.state("dso").limits) == {}


def test_a_look_at_whether_a_limit_can_be_lifted_tightens_nothing(make: Any) -> None:
    """The look supposes that all that was accepted is on; what is not ordered must not be limited for it."""
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5)).run(3700)
    cut = make.capped(b=0.25)
    town.lab = lambda job: cut(job) if getattr(job, "look", False) else make.capped()(job)
    town.run(4000)
    assert requests(town) == [0.5]


def test_no_order_relies_on_the_relief_of_a_reserve_that_may_be_at_rest() -> None:
    scenario = load_scenario("frequency-trip")
    studies = plants.laboratory(scenario, plants.resources(scenario)).studies["north"]
    at_us = scenario.time.periods[0][0]
    readings = Readings(at_us, (), studies.expected(at_us).taps)
    orders = tuple(Activation(one, ((f"unit-{one}", 1.0),), 2.5) for one in "abc")
    reserves = tuple(Activation(f"fcr|{mw}", (("battery-f", 1.0),), mw) for mw in (1.0, -1.0))
    alone, beside = (
        Monitor("north", readings, (), orders, False, None, reserves=kept).run(studies).allowed
        for kept in ((), reserves)
    )
    assert alone is not None
    assert beside is not None
    assert [each.p_mw for each in beside[:2]] == [1.0, -1.0]
    assert all(one.p_mw <= other.p_mw for one, other in zip(beside[2:], alone, strict=True))
    on = [(f"unit-{each.id}", each.p_mw) for each in beside[2:]]
    states = studies.assess_all(readings, [[*on, ("battery-f", mw)] for mw in (0.0, 1.0, -1.0)])
    assert [state.violations for state in states] == [(), (), ()]
