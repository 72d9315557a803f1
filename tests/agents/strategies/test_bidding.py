"""What the shipped bidding strategies offer, as plain calls: a view in, bids out."""

import pytest

from gridpact.agents.strategies import BiddingView, IncreaseDecrease, Padding, Past, Plan, Truthful, Withholding

PLAN = Plan("unit", 2.0, 0.1, True, 60.0, 2.5)


def view(*plans: Plan, direction: str = "up", past: tuple[Past, ...] = ()) -> BiddingView:
    return BiddingView("bsp", "Q1", "mFRR", direction, 0.1, 0.01, plans or (PLAN,), past)  # type: ignore[arg-type]


def offered(strategy: object, seen: BiddingView) -> list[tuple[float, float]]:
    return [(bid.quantity_mw, bid.price_eur_per_mwh) for bid in strategy.bids(seen)]  # type: ignore[attr-defined]


def test_truthful_offers_what_is_planned_at_cost() -> None:
    assert offered(Truthful(), view()) == [(2.0, 60.0)]


def test_truthful_offers_no_more_than_is_usable_of_a_resource_in_all_its_bids() -> None:
    assert offered(Truthful(), view(PLAN, PLAN._replace(cost_eur_per_mwh=70.0))) == [(2.0, 60.0), (0.5, 70.0)]


def test_an_indivisible_plan_is_offered_whole_or_not_at_all() -> None:
    assert offered(Truthful(), view(PLAN._replace(divisible=False, usable_mw=1.9))) == []


def test_withholding_offers_a_share_and_asks_more() -> None:
    assert offered(Withholding(0.6, 5.0), view()) == [(1.2, 65.0)]


def test_withholding_downwards_pays_less() -> None:
    assert offered(Withholding(1.0, 5.0), view(direction="down")) == [(2.0, 55.0)]


def test_padding_offers_more_behind_a_bottleneck_but_no_more_than_is_qualified() -> None:
    assert offered(Padding(1.2, 3.0, ("unit",)), view()) == [(2.4, 57.0)]
    assert offered(Padding(2.0, 0.0, ("unit",)), view()) == [(2.5, 60.0)]


def test_padding_elsewhere_is_truthful() -> None:
    assert offered(Padding(1.2, 3.0, ("other",)), view()) == offered(Truthful(), view())


def test_increase_decrease_bids_low_where_it_is_limited_and_high_where_it_is_not() -> None:
    limited = PLAN._replace(resource="limited", capped_mw=1.0)
    assert offered(IncreaseDecrease(10.0, 4.0), view(limited, PLAN)) == [(2.0, 50.0), (2.0, 64.0)]


@pytest.mark.parametrize(("awarded_mw", "price"), [(0.0, 64.0), (1.5, 50.0), (2.0, 64.0)])
def test_an_award_in_part_is_taken_for_a_bottleneck(awarded_mw: float, price: float) -> None:
    past = (Past("Q0", "unit", 2.0, awarded_mw, 60.0),)
    assert offered(IncreaseDecrease(10.0, 4.0), view(past=past)) == [(2.0, price)]


@pytest.mark.parametrize("nonsense", [lambda: Withholding(0.0), lambda: Withholding(1.1), lambda: Padding(0.9)])
def test_parameters_that_make_no_sense_are_refused(nonsense: object) -> None:
    with pytest.raises(ValueError, match="but it must be"):
        nonsense()  # type: ignore[operator]
