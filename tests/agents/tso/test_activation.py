"""Orders and limits between TSO, DSO and participants: both sides agree on what is in force, whatever is lost."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.actions import Open
from gridpact.agents.dso import Dso
from gridpact.agents.events import Started
from gridpact.agents.runtime.inputs import Arrival
from gridpact.agents.tso.activation import caps, mfrr
from gridpact.grid.limits.allowing import Allowed
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.information.activation import (
    Activate,
    Activated,
    ActivateWhen,
    ActivationEnded,
    Limit,
    LimitFollowed,
    LimitOrder,
    LimitRequest,
    MeasurementSubscription,
    OfferModified,
)
from gridpact.protocols.messages import Cancel, Cancelled, Failure, NotUnderstood, Refuse
from gridpact.protocols.stages import activation

ORDERS = (Activate, ActivateWhen)


def orders(town: Any, participant: str) -> list[tuple[float, float]]:
    """(time in s, MW) of every order sent to a participant."""
    said = [(at, e) for at, e in town.said if isinstance(e.content, ORDERS) and e.receiver == participant]
    return [(at / 1e6, e.content.power_mw) for at, e in said]


def request(make: Any, town: Any, *limits: tuple[str, float], number: int = 1) -> Any:
    """The DSO limits these offers now."""
    made = tuple(
        Limit(
            offer_id=f"{name}.Q1.mFRR-up.1",
            resource=f"unit-{name}",
            direction="up",
            kind="cap" if mw else "terminate",
            max_mw=mw,
            valid_until=make.CALENDAR.end_us,
        )
        for name, mw in limits
    )
    topic = Topic("dso", "activation", "Q1", f"limit-{number}", "tso")
    effects: list[Any] = []
    opening = Open(activation.LIMIT, topic, LimitRequest(limits=made), town.now_us + 120_000_000)
    town.nodes["dso"]._carry_out((opening,), Started(), effects)
    for effect in effects:
        town._carry_out("dso", effect)
    return topic.conversation_id


def set_point(town: Any, name: str) -> float:
    return town.state(name).set_points.get(f"unit-{name}", 0.0)


def tso_order(town: Any, name: str) -> float:
    found = [
        o.power_mw for key, o in sorted(town.state("tso").activation.orders.items()) if key.startswith(f"{name}.Q1")
    ]
    return found[0] if found else 0.0


def test_orders_follow_the_merit_order_and_the_last_is_partial(make: Any) -> None:
    town = make.usual(need_mw=3.0).run(3700)
    assert (set_point(town, "a"), set_point(town, "b"), set_point(town, "t")) == (2.0, 1.0, 0.0)


def test_after_info_8_nothing_above_the_cap_is_ordered(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(3801)
    request(make, town, ("b", 0.5))
    told_s = town.now_us / 1e6
    town.run(4600)
    later = [mw for at, mw in orders(town, "b") if at > told_s]
    assert later
    assert max(later) <= 0.5
    moved = [m.value for at, name, m in town.moves if name == "b" and at / 1e6 >= told_s]
    assert max(moved) <= 0.5


def test_the_replacement_is_ordered_in_the_first_cycle_after_the_limit(make: Any) -> None:
    need = make.tso().profile.needs[0].__class__("mFRR", "up", 6.0)
    town = make.usual(need_mw=4.0, needs=(need,)).run(3801)
    request(make, town, ("b", 0.5))
    assert town.run(3801).state("tso").activation.changed
    town.run(3805)
    at_s, mw = next((at, mw) for at, mw in orders(town, "t") if at > 3800)
    assert at_s == 3804.0
    assert mw >= 1.5


def test_the_next_quarter_hours_scheduled_order_keeps_the_cap(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(4200)
    assert [mw for _, mw in orders(town, "b")][-1] == 2.0
    request(make, town, ("b", 0.5))
    town.run(4499)
    scheduled = [e.content for _, e in town.said if isinstance(e.content, ActivateWhen) and e.receiver == "b"]
    assert (scheduled[-1].power_mw, scheduled[-1].start) == (0.5, make.SECOND.start_us)
    assert set_point(town.run(4600), "b") == 0.5


def test_the_hand_over_of_the_quarter_hour_is_bumpless(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(4000)
    before = len(town.moves)
    assert (set_point(town.run(4800), "a"), set_point(town, "b")) == (2.0, 2.0)
    assert [m for m in town.moves[before:] if m[2].value == 0.0] == []


def test_a_limit_is_confirmed_only_after_the_participant_has_answered(make: Any) -> None:
    town = make.usual(need_mw=4.0, loses=lambda e: isinstance(e.content, OfferModified)).run(3801)
    request(make, town, ("b", 0.5))
    town.run(3860)
    assert town.contents(LimitFollowed) == []
    assert "not confirmed in time" in town.run(3870).contents(Failure, "tso")[0].reason
    assert set_point(town, "b") == 0.5


def test_a_limit_that_was_terminated_and_lifted_can_be_ordered_again(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(3801)
    request(make, town, ("b", 0.0))
    assert set_point(town.run(3850), "b") == 0.0
    request(make, town, ("b", 2.0), number=2)
    assert set_point(town.run(3900), "b") == 2.0
    assert town.contents(Refuse, "b") == []


def test_a_limit_on_an_offer_without_order_binds_both_sides_until_it_is_lifted_on_both(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(3801)
    request(make, town, ("b", 0.5))
    town.run(3850)
    town.need_mw = 0.0
    town.run(3900)
    assert tso_order(town, "b") == 0.0
    request(make, town, ("b", 2.0), number=2)
    town.run(3950)
    town.need_mw = 4.0
    assert set_point(town.run(4000), "b") == 2.0
    assert town.contents(Refuse, "b") == []


@pytest.mark.parametrize(("lost", "answers"), [(0.25, (LimitFollowed, Failure)), (0.5, (Failure, LimitFollowed))])
def test_a_limit_repeated_while_the_first_is_unconfirmed_has_an_answer_of_its_own(
    make: Any, lost: float, answers: tuple[type, type]
) -> None:
    loses = lambda e: isinstance(e.content, LimitOrder) and e.content.limit.max_mw == lost  # noqa: E731
    town = make.usual(need_mw=4.0, loses=loses).run(3801)
    one = request(make, town, ("b", 0.5))
    two = request(make, town, ("b", 0.25), number=2)
    town.run(3900)
    said = {e.conversation_id: type(e.content) for _, e in town.said if e.sender == "tso" and e.receiver == "dso"}
    assert (said[one], said[two]) == answers


def test_a_limit_is_not_refused_because_another_in_the_request_is_unknown(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(3801)
    asked = request(make, town, ("b", 0.5), ("t", 0.1), ("nobody", 0.0))
    town.run(3810)
    answer = [e.content for _, e in town.said if e.sender == "tso" and e.conversation_id == asked][-1]
    assert answer.reason == "not an accepted offer in your grid: nobody.Q1.mFRR-up.1, t.Q1.mFRR-up.1"
    assert set_point(town, "b") == 0.5


def test_a_limit_on_nothing_that_the_tso_knows_is_refused(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(3801)
    request(make, town, ("t", 0.0))
    town.run(3810)
    assert town.contents(Refuse, "tso")
    assert town.contents(LimitOrder) == []


def test_limits_of_several_offers_of_one_resource_do_not_contradict_each_other(make: Any) -> None:
    plans = [make.plan("a", mw=1.0, price=p) for p in (50.0, 55.0)]
    people = (make.bsp("a", *plans), make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0))

    def lab(job: Any) -> object:
        watch = make.answers(job)
        if not getattr(job, "ordered", ()) or job.readings.at_us < 3_700_000_000:
            return watch
        left, allowed = 1.5, []
        for each in job.ordered:
            mw = min(left, each.p_mw)
            allowed.append(Allowed(each.id, mw, make.BOUND if mw < each.p_mw else None))
            left -= mw
        return watch._replace(allowed=tuple(allowed))

    town = make.town(make.tso(), make.dso(), *people, lab=lab, need_mw=4.0).begin().run(3800)
    assert [(x.max_mw, x.resource) for r in town.contents(LimitRequest) for x in r.limits] == [(1.5, "unit-a")]
    assert set_point(town, "a") == 1.5


def test_a_refused_order_leaves_nothing_running_and_costs_nothing(make: Any) -> None:
    """The order before it, which it would have superseded, is cancelled: both sides have none."""
    town = make.usual(need_mw=1.0).run(3700)
    state = town.state("a")
    town.nodes["a"].state = state.__class__(
        **{f: getattr(state, f) for f in state.__dataclass_fields__} | {"book": state.book.capped("unit-a", "up", 1.5)}
    )
    energy = town.state("tso").activation.energy["a.Q1.mFRR-up.1"]
    town.need_mw = 2.0
    town.run(3704)
    assert town.contents(Refuse, "a")
    town.run(3705)
    assert town.contents(Cancel, "tso")
    assert (set_point(town, "a"), tso_order(town, "a")) == (0.0, 0.0)
    assert town.state("tso").activation.energy["a.Q1.mFRR-up.1"] == energy
    assert set_point(town.run(3712), "b") == 2.0


def test_an_order_lost_on_its_way_leaves_neither_it_nor_the_one_before_running(make: Any) -> None:
    lost = lambda e: isinstance(e.content, Activate) and e.receiver == "a" and e.content.power_mw == 2.0  # noqa: E731
    town = make.usual(need_mw=1.0, loses=lost).run(3700)
    town.need_mw = 2.0
    town.run(3900)
    assert (set_point(town, "a"), tso_order(town, "a"), set_point(town, "b")) == (0.0, 0.0, 2.0)


def test_an_offer_has_one_order_in_force_even_if_the_superseded_one_never_arrived(make: Any) -> None:
    lost = lambda e: isinstance(e.content, Activate) and e.receiver == "a" and e.content.power_mw == 1.5  # noqa: E731
    town = make.usual(need_mw=1.0, loses=lost).run(3700)
    town.need_mw = 1.5
    town.run(3708)
    town.need_mw = 1.8
    town.run(3720)
    assert set_point(town, "a") == pytest.approx(1.8)


def test_an_agree_that_is_lost_does_no_harm(make: Any) -> None:
    town = make.usual(need_mw=1.0).run(3650)
    town.loses = lambda e: e.sender == "a" and e.content.type_id == "gridpact.activated/1"
    town.need_mw = 2.0
    town.run(3660)
    town.loses = lambda _: False
    town.need_mw = 0.0
    town.run(3700)
    assert (set_point(town, "a"), tso_order(town, "a")) == (0.0, 0.0)


def test_the_participant_reports_the_end_of_its_order(make: Any) -> None:
    town = make.usual(need_mw=1.0).run(4501)
    assert [e.reason for e in town.contents(ActivationEnded, "a")][-1] == "delivered"


def test_what_is_accepted_of_another_product_is_not_ordered_as_mfrr(make: Any) -> None:
    need = make.tso().profile.needs[0].__class__
    agent = make.tso(need("mFRR", "up", 4.0), need("aFRR", "up", 4.0))
    state = make.usual(need_mw=3.0).run(3700).state("tso")
    positions = state.offering.definitive["Q1/mFRR-up"]
    second = tuple(p._replace(offer=p.offer.model_copy(update={"offer_id": f"{p.offer.offer_id}x"})) for p in positions)
    state = state.with_offering(definitive=state.offering.definitive.set("Q1/aFRR-up", second))
    assert [o.offer_id for o in caps.accepted(agent.profile, state, make.FIRST, mfrr.PRODUCT)] == [
        p.offer.offer_id for p in positions
    ]
    assert sum(mfrr.shares(agent.profile, state, make.FIRST).values()) == pytest.approx(3.0)


def test_a_participant_that_is_not_understood_stops_delivering(make: Any) -> None:
    town = make.usual(need_mw=1.0).run(3700)
    agreed = [e for _, e in town.said if e.sender == "a" and e.content.type_id == "gridpact.activated/1"][-1]
    parts = {f: getattr(agreed, f) for f in agreed._fields}
    parts |= {"id": f"{agreed.id}!tso", "sender": "tso", "receiver": "a", "in_reply_to": agreed.id}
    parts |= {"content": NotUnderstood(message_id=agreed.id, reason="garbled")}
    town.give("a", Arrival(agreed.__class__(**parts)), town.now_us)
    town.run(3701)
    assert set_point(town, "a") == 0.0
    town.run(4600)


def test_a_cancel_that_is_lost_is_said_again_until_the_order_has_ended(make: Any) -> None:
    town = make.usual(need_mw=1.0).run(3650)
    first: list[str] = []

    def loses(envelope: Any) -> bool:
        if isinstance(envelope.content, Cancel) and not first:
            first.append(envelope.id)
        return envelope.id in first

    town.loses = loses
    town.need_mw = 0.0
    town.run(3660)
    assert (set_point(town, "a"), tso_order(town, "a")) == (1.0, 0.0)
    town.run(3900)
    assert (set_point(town, "a"), tso_order(town, "a")) == (0.0, 0.0)
    assert [cancel.reason for cancel in town.contents(Cancel, "tso")][-1] == "no answer in time"


def beside_another_dso(make: Any) -> Any:
    """A town in which the DSO of another grid says what it likes."""
    other = Dso(replace(make.dso().profile, name="dso2", grid="south"))
    people = make.bsp("a"), make.bsp("b", price=70.0)
    return make.town(make.tso(), make.dso(), other, *people, need_mw=1.0, deaf={"dso2"}).begin().run(3700)


def told_by(town: Any, protocol: Any, topic: Topic, content: Any) -> list[Any]:
    """What its sender hears of an opening."""
    _, opening = Conversation(protocol, topic, Side.INITIATOR).say(content, reply_by_us=town.now_us + 60_000_000)
    town.give(topic.peer, Arrival(opening), town.now_us)
    town.run(3710)
    return [e.content for _, e in town.said if (e.conversation_id, e.sender) == (topic.conversation_id, topic.peer)]


def test_orders_are_taken_from_the_tso_or_the_dso_that_passes_them_on_and_from_nobody_else(make: Any) -> None:
    town = beside_another_dso(make)
    order = next(e.content for _, e in town.said if isinstance(e.content, Activate) and e.receiver == "a")
    topic, less = Topic("dso2", "activation", "Q1", "a.Q1.mFRR-up.1.1", "a"), order.model_copy(update={"power_mw": 0.1})
    assert told_by(town, activation.ACTIVATION_PASSED_ON, topic, less) == [Refuse(reason="orders come from tso")]
    assert (set_point(town, "a"), tso_order(town, "a")) == (1.0, 1.0)


def test_measurements_are_for_the_tso_and_the_dso_of_the_grid(make: Any) -> None:
    town = beside_another_dso(make)
    wish = next(e.content for _, e in town.said if isinstance(e.content, MeasurementSubscription) and e.sender == "dso")
    topic = Topic("dso2", "activation", "delivery", "measurements", "a")
    refused = Refuse(reason="measurements are for the TSO and the DSO of the grid")
    assert told_by(town, activation.MEASUREMENTS_FOR_DSO, topic, wish) == [refused]


def test_an_order_that_is_said_to_be_superseded_by_nothing_of_the_tso_counts_as_not_followed(make: Any) -> None:
    town = make.usual(need_mw=1.0).run(3700)
    told = [e for _, e in town.said if e.sender == "a" and isinstance(e.content, Activated)][-1]
    number = int(told.id.rpartition("#r")[2]) + 1
    ended = ActivationEnded(offer_id=told.content.offer_id, reason="superseded")
    town.give("tso", Arrival(told._replace(id=f"{told.conversation_id}#r{number}", content=ended)), town.now_us)
    town.run(3710)
    assert town.noted("order not followed")[-1]["reason"] == "superseded by nothing that was ordered"
    assert (tso_order(town, "a"), tso_order(town, "b")) == (0.0, 1.0)


@pytest.mark.parametrize(("route", "loser"), [("direct", "a"), ("via_dso", "dso"), ("via_dso", "a")])
def test_a_cancel_whose_answer_is_lost_is_said_once_more_and_answered_again(make: Any, route: str, loser: str) -> None:
    town = make.usual(need_mw=1.0, signal_route=route).run(3650)
    lost: list[str] = []

    def loses(envelope: Any) -> bool:
        if isinstance(envelope.content, Cancelled) and envelope.sender == loser and not lost:
            lost.append(envelope.id)
        return envelope.id in lost

    town.loses = loses
    town.need_mw = 0.0
    town.run(4500)
    assert len(lost) == 1
    assert [cancel.reason for cancel in town.contents(Cancel)].count("no answer in time") == 1
    assert set_point(town, "a") == 0.0
