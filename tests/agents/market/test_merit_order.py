"""Merit order, selection and dispatch, in both directions, with ties, negative prices and indivisible blocks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.market.merit_order import apply_verdicts, dispatch, floor_to_step, merit_order, select
from gridpact.protocols.information.capacity import BindingConstraint
from gridpact.protocols.information.offering import Offer, OfferVerdict

BINDING = BindingConstraint(element="line", kind="loading_percent", value=120, limit=100, case="now")


def offer(number: int, mw: float, price: float, direction: str, divisible: bool = True, **changes: Any) -> Offer:
    parts = {
        "offer_id": f"p{number}.Q1.{number}",
        "participant": f"p{number}",
        "session": "Q1",
        "product": "mFRR",
        "direction": direction,
        "quantity_mw": mw,
        "divisible": divisible,
        "price_eur_per_mwh": price,
        "delivery_start": 0,
        "delivery_end": 1,
        "grid": "north",
        "resource": f"u{number}",
        "submitted_at": 0,
    }
    return Offer(**{**parts, **changes})


EITHER, DIVISIBLE = st.booleans(), st.just(True)


@st.composite
def offers(draw: Any, divisible: Any = EITHER) -> list[Offer]:
    direction = draw(st.sampled_from(["up", "down"]))
    parts = draw(st.lists(st.tuples(st.integers(1, 500), st.integers(-100, 100), divisible), min_size=1, max_size=8))
    return [offer(n, mw / 100, price, direction, whole) for n, (mw, price, whole) in enumerate(parts)]


def test_up_offers_are_taken_cheapest_first_negative_prices_before_all() -> None:
    found = merit_order([offer(n, 1, price, "up") for n, price in enumerate((60.0, -5.0, 0.0))])
    assert [p.offer.price_eur_per_mwh for p in found] == [-5.0, 0.0, 60.0]


def test_of_down_offers_the_tso_takes_first_what_pays_it_most() -> None:
    found = merit_order([offer(n, 1, price, "down") for n, price in enumerate((5.0, -5.0, 20.0))])
    assert [p.offer.price_eur_per_mwh for p in found] == [20.0, 5.0, -5.0]


def test_ties_go_by_time_of_submission_then_by_id_whatever_the_order_given() -> None:
    tied = [offer(2, 1, 60, "up"), offer(1, 1, 60, "up"), offer(3, 1, 60, "up")]
    early = offer(9, 1, 60, "up").model_copy(update={"submitted_at": 0})
    late = [o.model_copy(update={"submitted_at": 5}) for o in tied]
    for given_order in ([early, *late], [*reversed(late), early]):
        assert [p.offer.participant for p in merit_order(given_order)] == ["p9", "p1", "p2", "p3"]


@given(offers(), st.randoms(use_true_random=False))
def test_the_order_of_offers_given_does_not_matter(made: list[Offer], random: Any) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)
    assert merit_order(shuffled) == merit_order(made)


@given(offers(DIVISIBLE), st.integers(1, 3000))
def test_what_is_accepted_meets_the_need_when_supply_suffices(made: list[Offer], need: int) -> None:
    chosen = select(merit_order(made), need / 100, 0.01)
    supply = round(sum(o.quantity_mw for o in made), 6)
    assert sum(p.accepted_mw for p in chosen) == pytest.approx(min(need / 100, supply), abs=1e-6)
    assert all(p.accepted_mw == p.offer.quantity_mw for p in chosen[:-1])
    assert all(not p.offer.revision for p in chosen[:-1])


@given(offers(), st.integers(1, 3000))
def test_nothing_more_is_accepted_than_needed_and_indivisible_offers_are_whole(made: list[Offer], need: int) -> None:
    chosen = select(merit_order(made), need / 100, 0.01)
    assert sum(p.accepted_mw for p in chosen) <= need / 100 + 1e-6
    assert all(p.offer.divisible or p.accepted_mw == p.offer.quantity_mw for p in chosen)
    assert all(p.offer.revision == 0 or p.offer.divisible for p in chosen)


@given(offers(), st.integers(0, 30_000), st.lists(st.integers(0, 600), min_size=8, max_size=8))
def test_dispatch_never_exceeds_what_was_accepted_nor_the_caps(made: list[Offer], kw: int, cut: list[int]) -> None:
    positions = select(merit_order(made), 1e3, 0.01)
    caps = {p.offer.offer_id: cut[n] / 100 for n, p in enumerate(positions) if cut[n] < 500}
    orders = dispatch(positions, kw / 1000, caps)
    assert list(orders) == [p.offer.offer_id for p in positions]
    for p in positions:
        assert 0 <= orders[p.offer.offer_id] <= min(p.accepted_mw, caps.get(p.offer.offer_id, 1e9))
        assert p.offer.divisible or orders[p.offer.offer_id] in (0.0, p.offer.quantity_mw)


@given(offers(DIVISIBLE), st.integers(0, 30_000))
def test_dispatch_follows_the_merit_order_and_meets_the_demand(made: list[Offer], kw: int) -> None:
    positions = select(merit_order(made), 1e3, 0.01)
    orders = [dispatch(positions, kw / 1000, {})[p.offer.offer_id] for p in positions]
    assert sum(orders) == pytest.approx(min(kw / 1000, sum(o.quantity_mw for o in made)), abs=1e-3)
    partial = [n for n, p in enumerate(positions) if 0 < orders[n] < p.accepted_mw]
    assert len(partial) <= 1
    assert all(mw == 0 for mw in orders[partial[0] + 1 :]) if partial else True


@pytest.mark.parametrize(("demand", "ordered"), [(0.14, 0.0), (0.15, 0.3), (0.44, 0.3), (0.45, 0.6), (2.0, 0.6)])
def test_an_indivisible_block_is_ordered_whole_when_at_least_half_of_it_is_wanted(
    demand: float, ordered: float
) -> None:
    blocks = [offer(n, 0.3, 50, "up", divisible=False) for n in range(2)]
    assert sum(dispatch(select(merit_order(blocks), 9.0, 0.01), demand, {}).values()) == pytest.approx(ordered)


def test_a_limited_offer_becomes_a_related_revision_and_a_partial_acceptance_a_revision_of_that() -> None:
    listed = merit_order([offer(1, 2.5, 60, "up")])
    verdict = OfferVerdict(offer_id="p1.Q1.1", verdict="limited", max_mw=2.2345, binding=BINDING)
    allowed = apply_verdicts(listed, {"p1.Q1.1": verdict}, 0.01)
    chosen = select(allowed, 1.0, 0.01)
    ids = [(p.offer.offer_id, p.offer.related_offer_id, p.offer.quantity_mw) for p in (*allowed, *chosen)]
    assert ids == [("p1.Q1.1.r1", "p1.Q1.1", 2.23), ("p1.Q1.1.r2", "p1.Q1.1.r1", 1.0)]


def test_a_limited_indivisible_offer_and_one_below_its_minimum_leave_the_list() -> None:
    whole = offer(1, 2.5, 60, "up", divisible=False)
    least = offer(2, 2.5, 60, "up", min_quantity_mw=2.0)
    verdicts = {o.offer_id: OfferVerdict(offer_id=o.offer_id, verdict="limited", max_mw=1.9) for o in (whole, least)}
    assert apply_verdicts(merit_order([whole, least]), verdicts, 0.01) == ()


@given(st.integers(0, 10_000_000), st.sampled_from([0.001, 0.01, 0.1, 1.0]))
def test_a_floor_is_the_largest_multiple_that_is_not_above(watts: int, step: float) -> None:
    floored = floor_to_step(watts / 1e6, step)
    assert floored <= watts / 1e6 + 1e-6
    assert watts / 1e6 - floored < step + 1e-6
    assert abs(floored / step - round(floored / step)) < 1e-6


def test_a_step_next_to_nothing_is_none() -> None:
    assert floor_to_step(2.5, 1e-314) == 2.5
