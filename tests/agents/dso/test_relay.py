"""Orders by way of the DSO: passed on, clipped by its limits, answered the same way back; nothing is left running."""

from dataclasses import fields
from typing import Any

from gridpact.agents.runtime.inputs import Arrival
from gridpact.protocols.information.activation import Activate, Activated, ActivationEnded
from gridpact.protocols.messages import Cancel, Cancelled, Failure, Refuse

ORDERS = (Activate,)


def via(make: Any, **changes: Any) -> Any:
    return make.usual(signal_route="via_dso", **changes)


def legs(town: Any, kind: type) -> list[tuple[str, str]]:
    return [(e.sender, e.receiver) for _, e in town.said if isinstance(e.content, kind)]


def tso_order(town: Any, name: str) -> float:
    orders = town.state("tso").activation.orders
    return next((o.power_mw for key, o in sorted(orders.items()) if key.startswith(f"{name}.Q1")), 0.0)


def set_point(town: Any, name: str) -> float:
    return town.state(name).set_points.get(f"unit-{name}", 0.0)


def test_orders_and_their_confirmations_go_by_way_of_the_dso(make: Any) -> None:
    town = via(make, need_mw=3.0).run(3700)
    assert (set_point(town, "a"), set_point(town, "b")) == (2.0, 1.0)
    assert set(legs(town, Activate)) == {("tso", "dso"), ("dso", "a"), ("dso", "b")}
    assert set(legs(town, Activated)) == {("a", "dso"), ("b", "dso"), ("dso", "tso")}
    caused = [e for _, e in town.said if isinstance(e.content, Activate) and e.sender == "dso"]
    asked = {e.id for _, e in town.said if isinstance(e.content, Activate) and e.sender == "tso"}
    assert {e.caused_by for e in caused} <= asked


def test_participants_on_transmission_are_ordered_directly(make: Any) -> None:
    need = make.tso().profile.needs[0].__class__("mFRR", "up", 8.0)
    town = via(make, need_mw=6.0, needs=(need,)).run(3700)
    assert ("tso", "t") in legs(town, Activate)


def test_what_is_ordered_before_the_tso_knows_of_a_limit_is_clipped_by_it(make: Any) -> None:
    town = via(make, need_mw=1.0).run(3700)
    state = town.state("dso")
    in_force = state.limits.__class__({"a|unit-a|up": limit_of(1.2)})
    parts = {one.name: getattr(state, one.name) for one in fields(state)}
    town.nodes["dso"].state = type(state)(**{**parts, "limits": in_force})
    town.need_mw = 2.0
    town.run(3705)
    assert town.noted("order clipped")[0]["power_mw"] == 1.2
    assert set_point(town, "a") == 1.2


def test_an_order_without_reply_by_is_passed_on_with_one(make: Any) -> None:
    town = via(make, need_mw=1.0).run(3700)
    ordered = next(e for _, e in town.said if isinstance(e.content, Activate) and e.sender == "tso")
    about = ordered.conversation_id.replace("/a.Q1", "/again.Q1")
    again = ordered._replace(conversation_id=about, id=f"{about}#i0", in_reply_to=None, reply_by_us=None)
    town.give("dso", Arrival(again), town.now_us)
    town.run(3705)
    passed_on = [e for _, e in town.said if e.sender == "dso" and e.caused_by == again.id]
    assert [e.reply_by_us is not None for e in passed_on] == [True]


def limit_of(max_mw: float) -> Any:
    from gridpact.agents.dso.state import InForce
    from gridpact.protocols.information.capacity import BindingConstraint

    return InForce(
        max_mw,
        3_700_000_000,
        "x",
        asked_us=3_700_000_000,
        until_us=9_000_000_000,
        offer_id="a.Q1.mFRR-up.1",
        binding=BindingConstraint(element="line 1", kind="loading_percent", value=110.0, limit=100.0, case="now"),
    )


def test_what_is_limited_to_nothing_is_refused_by_the_dso(make: Any) -> None:
    town = via(make, need_mw=2.0).run(3600)
    state = town.state("dso")
    parts = {one.name: getattr(state, one.name) for one in fields(state)}
    town.nodes["dso"].state = type(state)(**{**parts, "limits": state.limits.set("a|unit-a|up", limit_of(0.0))})
    town.run(3620)
    assert town.contents(Refuse, "dso")[0].reason == "unit-a is limited to 0 MW"
    assert set_point(town, "b") == 2.0


def test_a_cancel_goes_the_same_way_and_nothing_is_left_running(make: Any) -> None:
    town = via(make, need_mw=3.0).run(3700)
    town.need_mw = 0.0
    town.run(3720)
    assert (set_point(town, "a"), set_point(town, "b")) == (0.0, 0.0)
    assert ("dso", "tso") in legs(town, Cancelled)
    assert dict(town.state("dso").came_from) == {}
    assert town.state("dso").cancelling == frozenset()


def test_a_superseded_order_ends_on_both_ways(make: Any) -> None:
    town = via(make, need_mw=1.0).run(3700)
    town.need_mw = 1.5
    town.run(3720)
    assert (set_point(town, "a"), tso_order(town, "a")) == (1.5, 1.5)
    assert set(legs(town, ActivationEnded)) == {("a", "dso"), ("dso", "tso")}
    assert len(town.state("dso").came_from) == 1


def test_a_participant_that_does_not_answer_the_dso_is_replaced_and_cancelled(make: Any) -> None:
    lost = lambda e: e.sender == "a" and isinstance(e.content, Activated | Cancelled)  # noqa: E731
    town = via(make, need_mw=2.0, loses=lost).run(3800)
    assert "a does not answer" in [failure.reason for failure in town.contents(Failure, "dso")]
    assert ("dso", "a") in legs(town, Cancel)
    assert (set_point(town, "a"), tso_order(town, "a"), set_point(town, "b")) == (0.0, 0.0, 2.0)


def test_a_silent_dso_costs_its_participants_and_the_rest_steps_in(make: Any) -> None:
    need = make.tso().profile.needs[0].__class__("mFRR", "up", 6.0)
    town = via(make, need_mw=2.0, needs=(need,)).run(3590)
    town.deaf = {"dso"}
    town.run(3900)
    assert (tso_order(town, "a"), tso_order(town, "b")) == (0.0, 0.0)
    assert town.state("t").set_points["unit-t"] == 2.0
