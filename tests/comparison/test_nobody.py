"""Where nobody offers anything the bound is what the TSO lacks; what is no bound says so; bad prices are refused."""

import math
from pathlib import Path
from typing import Any

import pytest

from gridpact.grid.dispatch import cheapest
from gridpact.grid.dispatch.cheapest import Dispatcher, Prices
from gridpact.scenarios.comparison.performing import StatedPrices
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import changed_scenario


def test_without_offers_all_of_a_need_is_short_at_its_stated_price() -> None:
    dispatch = Dispatcher([], [], Prices(shortage=500.0, losses=80.0)).dispatch(3.0)
    assert (dispatch.amounts_mw, dispatch.short_mw) == ((), 3.0)


def test_a_comparison_says_for_how_long_its_bound_is_none(
    compared_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cheapest, "ROUNDS", 0)
    made = compared_here(changed_scenario("scenario-1-dso", {}), ("blind", "ideal"), tmp_path / "out")
    assert made.notes == ("ideal, seed 1: for 3600 s nothing proves it the cheapest; it is no bound",)


@pytest.mark.parametrize("price", [math.inf, math.nan, -1.0])
def test_a_stated_price_is_finite_and_not_negative(price: float) -> None:
    with pytest.raises(ScenarioError, match=r"the price of losses is .*: it must be 0 or more, and finite"):
        StatedPrices(losses=price)
