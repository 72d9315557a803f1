"""Energy in integers, money in Decimal, and books that balance with a counterparty for every payment."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.market.settlement import (
    amount,
    balances,
    books,
    imbalance_price,
    line,
    megawatt_hours,
    settled_on,
    total,
    watt_us,
)

HOUR = 3_600_000_000
ENERGY = st.integers(0, watt_us(100.0, HOUR))
PRICE = st.integers(-1_500_000, 1_500_000).map(lambda cents: cents / 100)
LINE = st.tuples(st.sampled_from(["up", "down"]), st.sampled_from(["mFRR", "aFRR"]), ENERGY, PRICE)


def made(make: Any, lines: list[tuple[str, str, int, float]]) -> list[Any]:
    offers = [make.offer(f"p{n % 3}", 100.0, p, d, product=x, number=n) for n, (d, x, _, p) in enumerate(lines)]
    return [(o.participant, line(o, energy)) for o, (_, _, energy, _) in zip(offers, lines, strict=True)]


@given(lines=st.lists(LINE, max_size=12))
def test_the_books_balance(make: Any, lines: list[tuple[str, str, int, float]]) -> None:
    payments = books("Q1", "tso", made(make, lines), "brp")
    accounts = balances(payments)
    assert sum(accounts.values(), Decimal(0)) == 0
    assert all(p.payer and p.payee and p.payer != p.payee for p in payments)
    assert accounts["tso"] == 0
    assert list(accounts) == sorted(accounts)


@given(lines=st.lists(LINE, max_size=12))
def test_a_participants_account_is_the_sum_of_its_lines(make: Any, lines: list[tuple[str, str, int, float]]) -> None:
    statements = made(make, lines)
    accounts = balances(books("Q1", "tso", statements, "brp"))
    for name in {participant for participant, _ in statements}:
        assert accounts[name] == total(one for participant, one in statements if participant == name)


@pytest.mark.parametrize(
    ("direction", "price", "expected"),
    [("up", 60.0, "60.00"), ("up", -60.0, "-60.00"), ("down", 20.0, "-20.00"), ("down", -5.0, "5.00")],
)
def test_the_tso_pays_for_up_and_is_paid_for_down_and_negative_prices_turn_it_round(
    make: Any, direction: str, price: float, expected: str
) -> None:
    assert line(make.offer("a", 1.0, price, direction), watt_us(1.0, HOUR)).amount_eur == Decimal(expected)


@pytest.mark.parametrize(("price", "expected"), [(0.005, "0.01"), (-0.005, "-0.01"), (0.0049, "0.00"), (1.005, "1.01")])
def test_money_is_rounded_half_up_to_the_cent(price: float, expected: str) -> None:
    assert amount(watt_us(1.0, HOUR), price) == Decimal(expected)


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=20))
def test_energy_added_up_tick_by_tick_loses_nothing(watts: list[int]) -> None:
    assert sum(watt_us(w / 1e6, 4_000_000) for w in watts) == sum(watts) * 4_000_000


def test_mfrr_is_settled_on_the_requested_and_afrr_on_the_metered_response() -> None:
    assert (settled_on("mFRR"), settled_on("aFRR")) == ("requested", "metered")


def test_the_imbalance_price_is_the_dearest_up_or_the_lowest_down_price_as_the_area_was_short_or_long(
    make: Any,
) -> None:
    up = [line(make.offer("a", 1, p), watt_us(1, HOUR)) for p in (60.0, 95.0)]
    down = [line(make.offer("a", 1, p, "down"), watt_us(1, HOUR)) for p in (20.0, -5.0)]
    idle = line(make.offer("a", 1, 500.0), 0)
    cases = [[*up, down[0], idle], [*up, *down], [up[1], *down], down, []]
    assert [imbalance_price(lines) for lines in cases] == [95.0, 0.0, -5.0, -5.0, 0.0]


def test_who_has_a_surplus_is_not_paid_the_price_of_the_little_that_was_short_before(make: Any) -> None:
    """1.4 MWh down at 5 EUR/MWh, 0.01 MWh up at 98 within the same quarter-hour: the surplus is worth 5, not 98."""
    short = line(make.offer("a", 9, 98.0), watt_us(0.01, HOUR))
    long = line(make.offer("b", 9, 5.0, "down"), watt_us(1.4, HOUR))
    paid = books("Q1", "tso", [("a", short), ("b", long)], "brp")
    imbalance = next(payment for payment in paid if payment.kind == "imbalance")
    assert (imbalance.energy_mwh, imbalance.price_eur_per_mwh, imbalance.amount_eur) == (-1.39, 5.0, Decimal("-6.95"))


def test_a_quarter_hour_at_full_power_is_a_quarter_of_its_megawatts() -> None:
    assert megawatt_hours(watt_us(2.5, HOUR // 4)) == 0.625
