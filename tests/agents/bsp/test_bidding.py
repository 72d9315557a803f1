"""What a participant offers: within its qualification and what it has available, once, at its own due time."""

from typing import Any

from gridpact.agents.runtime.inputs import Arrival
from gridpact.protocols.information.capacity import TestOrder
from gridpact.protocols.information.offering import CallForOffers, NoOffer, Offers
from gridpact.protocols.messages import Refuse


def offered(town: Any, name: str) -> list[float]:
    return [o.quantity_mw for e in town.contents(Offers, name) for o in e.offers if o.session == "Q1"]


def test_offers_are_sent_at_the_due_time_not_before(make: Any) -> None:
    town = make.usual().run(3000)
    sent = [at for at, e in town.said if isinstance(e.content, Offers) and "/Q1/" in e.id]
    assert set(sent) == {make.FIRST.gate_closure_us - 600 * make.S}


def test_bids_of_one_resource_share_what_it_is_qualified_for(make: Any) -> None:
    people = make.bsp("a", make.plan("a", 1.5, 50.0), make.plan("a", 1.5, 55.0))
    town = make.town(make.tso(), make.dso(), people).begin().run(3000)
    assert offered(town, "a") == [1.5, 0.5]


def test_no_more_is_offered_than_is_available_then(make: Any) -> None:
    town = make.usual()
    town.available_mw = 0.504
    assert offered(town.run(3000), "a") == [0.5]


def test_whoever_has_nothing_to_offer_says_so(make: Any) -> None:
    town = make.usual()
    town.available_mw = 0.0
    assert len(town.run(3000).contents(NoOffer)) == 6


def test_a_call_for_a_period_that_is_in_no_calendar_is_answered_at_once(make: Any) -> None:
    town = make.usual().run(2000)
    called = next(e for _, e in town.said if isinstance(e.content, CallForOffers) and e.receiver == "a")
    about = called.conversation_id.replace("/Q1/", "/never/")
    town.give("a", Arrival(called._replace(conversation_id=about, id=f"{about}#i0")), town.now_us)
    town.run(3000)
    assert [e.conversation_id for _, e in town.said if isinstance(e.content, NoOffer)] == [about]


def test_a_test_of_somebody_elses_resource_is_refused(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, TestOrder))
    town.run(300)
    said = next(e for _, e in town.said if isinstance(e.content, TestOrder) and e.receiver == "a")
    parts = {f: getattr(said, f) for f in said._fields}
    parts |= {"content": said.content.model_copy(update={"resource": "unit-b"})}
    town.give("a", Arrival(said.__class__(**parts)), town.now_us)
    town.run(town.now_us / 1e6)
    assert [r.reason for r in town.contents(Refuse, "a")] == ["unit-b is no resource of ours"]


def late_test(make: Any, who: str, town: Any, late_s: float) -> tuple[list[str], list[Any]]:
    """A test that arrives so many seconds after its second set-point was due; why it is refused, and what it moves."""
    town.run(61)
    order = next(e for _, e in town.said if isinstance(e.content, TestOrder) and e.receiver == who)
    due_us = order.content.start + round(order.content.steps[1].offset_s * 1e6)
    town.give(who, Arrival(order), due_us + round(late_s * 1e6))
    town.run(3000)
    return [r.reason for r in town.contents(Refuse, who)], [move for _, mover, move in town.moves if mover == who]


def test_a_test_whose_time_is_past_is_refused_and_moves_nothing(make: Any) -> None:
    reasons, moves = late_test(make, "a", make.usual(loses=lambda e: isinstance(e.content, TestOrder)), 0.0)
    assert [reason.partition(",")[0] for reason in reasons] == ["the test was to begin at 1970-01-01T00:01:10Z"]
    assert moves == []


def test_a_test_that_comes_a_little_late_is_followed(make: Any) -> None:
    reasons, moves = late_test(make, "a", make.usual(loses=lambda e: isinstance(e.content, TestOrder)), -1.0)
    assert reasons == []
    assert [move.value for move in moves[:2]] == [2.0, 0.0]
