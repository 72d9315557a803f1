"""The acceptance channel of aFRR."""

import pytest

from gridpact.agents.market.channel import Bounds, Channel, ChannelRules, judged, moved
from gridpact.agents.market.merit_order import merit_order
from gridpact.agents.market.settlement import balances, books, metered_line, total

S = 1_000_000
RULES = ChannelRules(30 * S, 300 * S, 0.05, 100.0)


def follow(set_points: dict[int, float], until_s: int, every_s: int = 1, floor_mw: float = 1.0) -> dict[int, Bounds]:
    """The bounds every so often, with set-points from these seconds on."""
    channel, found, wanted = Channel(), {}, 0.0
    for at_s in range(0, until_s + 1, every_s):
        wanted = set_points.get(at_s, wanted)
        channel = moved(channel, wanted, at_s * S, floor_mw=floor_mw, rules=RULES)
        found[at_s] = channel.bounds
    return found


def test_a_step_may_be_followed_at_once_must_be_begun_after_31_s_and_completed_after_300_s() -> None:
    bounds = follow({10: 10.0}, 400)
    assert (bounds[10].low_mw, bounds[10].high_mw) == (0.0, 10.0)
    assert bounds[10 + 30].low_mw == 0.0
    assert bounds[10 + 32].low_mw > 0.0
    assert bounds[10 + 31 + 135].low_mw == pytest.approx(5.0, abs=0.05)
    assert bounds[10 + 302].low_mw == pytest.approx(10.0)


def test_a_step_back_may_be_followed_at_once_and_must_be_completed_after_300_s() -> None:
    bounds = follow({0: 10.0, 400: 0.0}, 800)
    assert (bounds[400].low_mw, bounds[400].high_mw) == (0.0, 10.0)
    assert bounds[430].high_mw == 10.0
    assert bounds[702].high_mw == pytest.approx(0.0)


def test_downwards_it_is_the_mirror_image() -> None:
    up, down = follow({10: 4.0, 100: 1.0}, 500), follow({10: -4.0, 100: -1.0}, 500)
    assert all(up[s].high_mw == -down[s].low_mw and up[s].low_mw == -down[s].high_mw for s in up)


def test_a_small_offer_is_tested_at_its_own_size() -> None:
    small, large = follow({0: 0.2}, 200, floor_mw=0.2), follow({0: 0.2}, 200, floor_mw=1.0)
    assert small[100].low_mw == pytest.approx(0.2 * 70 / 270, abs=0.005)
    assert large[100].low_mw == pytest.approx(0.2)


def test_the_bounds_hardly_depend_on_the_cycle() -> None:
    fine, coarse = follow({8: 6.0, 120: 2.0}, 600), follow({8: 6.0, 120: 2.0}, 600, every_s=4)
    assert all(abs(fine[s].low_mw - coarse[s].low_mw) <= 6.0 / 270 * 4 for s in coarse)


def test_a_channel_at_rest_costs_nothing() -> None:
    channel = moved(Channel(), 0.0, S, floor_mw=1.0, rules=RULES)
    assert moved(channel, 0.0, 5 * S, floor_mw=1.0, rules=RULES) is channel


@pytest.mark.parametrize(
    ("power_mw", "low_mw", "high_mw", "paid_mw", "unpaid_mw", "missing_mw"),
    [
        (2.0, 2.0, 2.0, 2.0, 0.0, 0.0),
        (2.1, 2.0, 2.0, 2.1, 0.0, 0.0),  # within 5 %
        (2.3, 2.0, 2.0, 2.1, 0.2, 0.0),  # beyond is not paid
        (1.9, 2.0, 2.0, 1.9, 0.0, 0.0),
        (1.5, 2.0, 2.0, 1.5, 0.0, 0.4),  # below 95 % is missing
        (-0.5, 2.0, 2.0, 0.0, 0.5, 1.9),  # the wrong way
        (1.0, 0.0, 2.0, 1.0, 0.0, 0.0),  # on its way
        (-2.3, -2.0, -2.0, -2.1, 0.2, 0.0),
        (-1.5, -2.0, -2.0, -1.5, 0.0, 0.4),
        (0.5, 0.0, 0.0, 0.0, 0.5, 0.0),
    ],
)
def test_what_a_delivery_is_worth(
    power_mw: float, low_mw: float, high_mw: float, paid_mw: float, unpaid_mw: float, missing_mw: float
) -> None:
    worth = judged(power_mw, Bounds(0, low_mw, high_mw), 0.05)
    assert worth == pytest.approx((paid_mw, unpaid_mw, missing_mw))


def test_over_delivery_is_not_paid_what_is_missing_costs_and_the_books_balance(make: object) -> None:
    offer = merit_order([make.offer("a", 2.0, 60.0, product="aFRR")])[0].offer  # type: ignore[attr-defined]
    mwh = 3_600_000_000 * 1_000_000
    line = metered_line(offer, metered=3 * mwh, unpaid=mwh, missing=mwh // 2, penalty_eur_per_mwh=100.0)
    assert (line.energy_mwh, line.unpaid_mwh, line.missing_mwh) == (2.0, 1.0, 0.5)
    assert (str(line.amount_eur), str(line.penalty_eur), str(total([line]))) == ("120.00", "50.00", "70.00")
    payments = books("q", "tso", [("a", line)], "brp")
    assert {p.kind for p in payments} == {"balancing_energy", "penalty", "imbalance", "neutrality"}
    assert sum(balances(payments).values()) == 0
