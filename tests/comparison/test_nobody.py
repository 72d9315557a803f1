"""Where nobody offers anything the bound is what the TSO lacks; a price that is none is refused."""

import math

import pytest

from gridpact.grid.dispatch.cheapest import Dispatcher, Prices
from gridpact.scenarios.comparison.performing import StatedPrices
from gridpact.scenarios.errors import ScenarioError


def test_without_offers_all_of_a_need_is_short_at_its_stated_price() -> None:
    dispatch = Dispatcher([], [], Prices(shortage=500.0, losses=80.0)).dispatch(3.0)
    assert (dispatch.amounts_mw, dispatch.short_mw) == ((), 3.0)


@pytest.mark.parametrize("price", [math.inf, math.nan, -1.0])
def test_a_stated_price_is_finite_and_not_negative(price: float) -> None:
    with pytest.raises(ScenarioError, match=r"the price of losses is .*: it must be 0 or more, and finite"):
        StatedPrices(losses=price)
