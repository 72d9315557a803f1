"""A participant that hears no set-points any more: the last one is held, then it goes back to its baseline."""

from typing import Any

from gridpact.agents.actions import Actuate
from gridpact.agents.bsp import following
from gridpact.agents.bsp.state import BspState
from gridpact.agents.delivery import OrderBook
from gridpact.protocols.information.activation import Activate

HELD_US = 3_610_000_000


def under_control(make: Any) -> BspState:
    """1.5 MW of an offer of 2 MW is wanted by the last set-point."""
    offer = make.offer("a", product="aFRR")
    order = Activate(
        offer_id=offer.offer_id,
        product="aFRR",
        direction="up",
        kind="set-point",
        power_mw=2.0,
        start=offer.delivery_start,
        end=offer.delivery_end,
    )
    book = OrderBook().awarded((offer,)).taken("c", order).wanted(1.5)
    return BspState(book=book, set_points=BspState().set_points.set("unit-a", 1.5), set_point_us=HELD_US)


def test_the_last_set_point_is_held_for_the_declared_time(make: Any) -> None:
    state = under_control(make)
    assert following.missed(make.bsp("a").profile, state, HELD_US + 60_000_000) == (state, ())


def test_then_the_resources_go_back_to_their_baseline_and_it_is_noted(make: Any) -> None:
    state, (note, move) = following.missed(make.bsp("a").profile, under_control(make), HELD_US + 60_000_001)
    assert move == Actuate("unit-a", 0.0)
    assert note.evidence == {"name": "set-points missing, back to baseline", "held_mw": 1.5}
    assert following.missed(make.bsp("a").profile, state, HELD_US + 70_000_000) == (state, ())


def test_a_limit_binds_what_a_set_point_asks_for_and_nothing_rises_when_it_lapses_but_the_set_point(make: Any) -> None:
    state = under_control(make)
    book = state.book.capped("unit-a", "up", 0.5, until_us=HELD_US + 10, now_us=HELD_US)
    assert book.set_points(HELD_US) == {"unit-a": 0.5}
    assert book.lapsed(HELD_US + 10).set_points(HELD_US + 10) == {"unit-a": 1.5}
