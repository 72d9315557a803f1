"""The order book of whoever delivers, and its conversations: orders, caps, energy."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from gridpact.agents.actions import Actuate, Say, Wake
from gridpact.agents.bsp import delivery
from gridpact.agents.bsp.reading import ParticipantReading
from gridpact.agents.bsp.state import BspState
from gridpact.agents.delivery import OrderBook
from gridpact.agents.energy import metered
from gridpact.agents.market.settlement import watt_us
from gridpact.agents.ordering import END, START, cancel, over, take
from gridpact.protocols.information.activation import Activate, Activated, ActivateWhen, ActivationEnded
from gridpact.protocols.messages import Cancelled, CancelTooLate, Refuse

S = 1_000_000
NOW = 3700 * S


def order(make: Any, mw: float, **changes: Any) -> Activate:
    parts = {"offer_id": "a.Q1.mFRR-up.1", "product": "mFRR", "direction": "up", "power_mw": mw, "start": NOW}
    return Activate(**{**parts, "end": make.FIRST.end_us, **changes})


def book_of(*offers: Any) -> OrderBook:
    return OrderBook().awarded(offers)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"offer_id": "a.Q1.mFRR-up.9"}, "has not been accepted"),
        ({"power_mw": 2.1}, "2.1 MW ordered of 2 MW accepted"),
        ({"direction": "down"}, "is mFRR up"),
        ({"product": "aFRR"}, "is mFRR up"),
        ({"start": 3500 * S}, "outside"),
        ({"end": 4600 * S}, "outside"),
        ({"end": 3650 * S, "start": 3600 * S}, "outside"),
        ({"power_mw": 1.6}, "above the limit of 1.5 MW"),
    ],
)
def test_an_order_that_does_not_fit_the_award_is_refused_with_the_reason(
    make: Any, changes: dict[str, Any], reason: str
) -> None:
    book = book_of(make.offer("a")).capped("unit-a", "up", 1.5 if "MW" in reason and "above" in reason else 9.0)
    after, said = take(book, "c1", order(make, 2.0).model_copy(update=changes), now_us=NOW, answer_us=S)
    assert after is book
    assert isinstance(said[0].content, Refuse)
    assert reason in said[0].content.reason


def test_an_indivisible_offer_is_ordered_whole_or_not_at_all(make: Any) -> None:
    book = book_of(make.offer("a", divisible=False))
    assert "indivisible" in str(book.fault(order(make, 1.0), NOW))
    assert book.fault(order(make, 2.0), NOW) is None


def test_an_order_taken_ends_every_earlier_order_of_its_offer(make: Any) -> None:
    book, _ = take(book_of(make.offer("a")), "c1", order(make, 1.0), now_us=NOW, answer_us=S)
    after, said = take(book, "c3", order(make, 1.5, supersedes="c2"), now_us=NOW, answer_us=S)
    assert [(a.conversation_id, type(a.content)) for a in said if isinstance(a, Say)] == [
        ("c1", ActivationEnded),
        ("c3", Activated),
    ]
    assert list(after.tasks) == ["c3"]
    assert after.set_points(NOW) == {"unit-a": 1.5}


def test_a_scheduled_order_begins_when_its_time_has_come(make: Any) -> None:
    offer = make.offer("a", period=make.SECOND)
    parts = {"offer_id": offer.offer_id, "product": "mFRR", "direction": "up", "power_mw": 1.0}
    wish = ActivateWhen(**parts, start=make.SECOND.start_us, end=make.SECOND.end_us)
    book, said = take(book_of(offer), "c1", wish, now_us=NOW, answer_us=S)
    assert [a.timer for a in said if isinstance(a, Wake)] == [f"{START}c1", f"{END}c1"]
    assert said[0].content.status == "scheduled"
    assert (book.set_points(NOW), book.set_points(make.SECOND.start_us)) == ({"unit-a": 0.0}, {"unit-a": 1.0})


def test_a_cancelled_order_stops_and_one_that_was_over_is_too_late(make: Any) -> None:
    book, _ = take(book_of(make.offer("a")), "c1", order(make, 1.0), now_us=NOW, answer_us=S)
    stopped, said = cancel(book, "c1")
    assert isinstance(said[0].content, Cancelled)
    assert stopped.set_points(NOW) == {"unit-a": 0.0}
    assert isinstance(cancel(stopped, "c1")[1][0].content, CancelTooLate)
    assert over(stopped, "c1") == (stopped, ())


def test_nothing_is_applied_above_a_cap_not_even_by_two_offers_of_one_resource(make: Any) -> None:
    book = book_of(make.offer("a", 1.0, 50.0), make.offer("a", 1.0, 55.0, number=2)).capped("unit-a", "up", 1.2)
    for number in (2, 1):
        wish = order(make, 1.0, offer_id=f"a.Q1.mFRR-up.{number}")
        book, _ = take(book, f"c{number}", wish, now_us=NOW, answer_us=S)
    assert book.set_points(NOW) == {"unit-a": 1.2}
    counted = metered(book, 1.2, 4 * S, NOW)
    assert [counted.requested[f"a.Q1.mFRR-up.{n}"] for n in (1, 2)] == [watt_us(1.0, 4 * S), watt_us(0.2, 4 * S)]


def test_down_orders_are_negative_set_points_and_their_energy_is_counted_positive(make: Any) -> None:
    book = book_of(make.offer("a", 2.0, 20.0, "down"))
    wish = order(make, 1.5, offer_id="a.Q1.mFRR-down.1", direction="down")
    book, _ = take(book, "c1", wish, now_us=NOW, answer_us=S)
    assert book.set_points(NOW) == {"unit-a": -1.5}
    assert metered(book, -1.5, 4 * S, NOW).delivered["a.Q1.mFRR-down.1"] == watt_us(1.5, 4 * S)
    assert metered(book, +1.5, 4 * S, NOW).delivered_mwh("a.Q1.mFRR-down.1") == 0


def test_energy_of_readings_that_were_missed_is_counted_with_the_next_one(make: Any) -> None:
    book, _ = take(book_of(make.offer("a")), "c1", order(make, 1.0), now_us=NOW, answer_us=S)
    after = metered(metered(book, 1.0, 4 * S, NOW), 1.0, 4 * S, NOW + 20 * S)
    assert after.requested["a.Q1.mFRR-up.1"] == after.delivered["a.Q1.mFRR-up.1"] == watt_us(1.0, 24 * S)


def test_energy_counts_until_the_order_ends(make: Any) -> None:
    book, _ = take(book_of(make.offer("a")), "c1", order(make, 1.0), now_us=NOW, answer_us=S)
    last = make.FIRST.end_us - S
    assert metered(book, 1.0, 4 * S, last).requested["a.Q1.mFRR-up.1"] == watt_us(1.0, S)


@given(cap=st.integers(0, 300), ordered=st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_a_set_point_never_exceeds_its_cap_nor_what_was_ordered(make: Any, cap: int, ordered: list[int]) -> None:
    offers = [make.offer("a", 2.0, 50.0 + n, number=n) for n in range(len(ordered))]
    book = book_of(*offers)
    for n, mw in enumerate(ordered):
        wish = order(make, mw / 100, offer_id=offers[n].offer_id)
        book, _ = take(book, f"c{n}", wish, now_us=NOW, answer_us=S)
    point = book.capped("unit-a", "up", cap / 100).set_points(NOW)["unit-a"]
    assert point == pytest.approx(min(cap, sum(ordered)) / 100, abs=1e-6)


def test_a_book_is_the_same_whatever_came_first(make: Any) -> None:
    one, two = make.offer("a", 1.0, 50.0), make.offer("a", 1.0, 55.0, number=2)
    assert book_of(one, two) == book_of(two, one)
    assert hash(book_of(one, two)) == hash(book_of(two, one))


@pytest.mark.parametrize(("kind", "moved"), [("AGGREGATOR", [("r", 1.5)]), ("BSP", [])])
def test_an_aggregator_splits_its_set_point_anew_at_every_reading(make: Any, kind: str, moved: list[Any]) -> None:
    profile = replace(make.bsp("a").profile, kind=kind)
    reading = ParticipantReading(NOW, 1.4, 0.0, 1.4, 0.0, (), ())
    state = BspState(set_points=Map({"r": 1.5, "idle": 0.0}))
    _, actions = delivery.measured(profile, state, reading, NOW)
    assert [(action.target, action.value) for action in actions if isinstance(action, Actuate)] == moved
