"""The cheapest dispatch is what the worked example says by hand, passes AC, and nothing that passes AC is cheaper."""

import numpy as np
import pytest

from gridpact.grid.dispatch.cheapest import Dispatcher, Prices, Supply
from gridpact.grid.dispatch.feeder import Feeder
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import load_scenario

PRICES = Prices(shortage=500.0, losses=80.0)
UNITS = {"unit-a": 60.0, "unit-b": 70.0, "unit-c": 80.0}
SUPPLIES = (
    *(Supply(1.0, 2.5, price, 0, ((name, 1 + 0j),)) for name, price in UNITS.items()),
    Supply(1.0, 20.0, 95.0),
    Supply(-1.0, 0.8, -20.0, 0, (("load-d", 1 + 0j),)),
    Supply(-1.0, 0.8, -15.0, 0, (("load-e", 1 + 0j),)),
)


def feeder_at(clock: str) -> Feeder:
    scenario = load_scenario("scenario-1-dso")
    plant = plants.physics(scenario, plants.resources(scenario)).grids["north"]
    return Feeder(plant.model, plant.untouched.actual(scenario.time.at_clock(clock)))


@pytest.fixture(scope="module")
def windy() -> Feeder:
    return feeder_at("12:40:00")


def excess(feeder: Feeder, amounts: np.ndarray) -> float:
    change = np.zeros((1, len(feeder.model.point_names)), dtype=complex)
    for supply, mw in zip(SUPPLIES, amounts, strict=True):
        for name, share in supply.points:
            change[0, feeder.model.point(name)] += supply.sign * mw * share
    return float(feeder.excess(feeder.outcome(change))[0])


def test_it_takes_what_the_worked_example_allows_and_replaces_the_rest(windy: Feeder) -> None:
    found = Dispatcher([windy], SUPPLIES, PRICES).dispatch(7.5)
    assert found.amounts_mw[:3] == pytest.approx((2.5, 2.23, 0.0), abs=0.01)
    assert found.short_mw == pytest.approx(0.0, abs=1e-6)
    assert excess(windy, np.array(found.amounts_mw)) == pytest.approx(0.0, abs=1e-6)


def test_as_forecast_the_third_offer_fits_in_part() -> None:
    found = Dispatcher([feeder_at("12:10:00")], SUPPLIES, PRICES).dispatch(7.5)
    assert found.amounts_mw[:3] == pytest.approx((2.5, 2.5, 0.93), abs=0.01)


def test_down_takes_first_what_pays_most() -> None:
    found = Dispatcher([feeder_at("12:10:00")], SUPPLIES, PRICES).dispatch(-1.2)
    assert found.amounts_mw[4] == pytest.approx(0.8)
    assert 0.3 < found.amounts_mw[5] < 0.43
    assert found.amounts_mw[:4] == (0.0, 0.0, 0.0, 0.0)


def test_what_nobody_has_stays_short_at_the_stated_price(windy: Feeder) -> None:
    found = Dispatcher([windy], SUPPLIES[3:4], PRICES).dispatch(25.0)
    assert found.short_mw == pytest.approx(5.0)
    assert found.eur_per_h == pytest.approx(20 * 95 + 5 * 500 + 80 * found.losses_mw)


@pytest.mark.parametrize("need_mw", [7.5, 4.0, -1.0])
def test_nothing_that_passes_ac_is_cheaper(need_mw: float, windy: Feeder) -> None:
    best = Dispatcher([windy], SUPPLIES, PRICES).dispatch(need_mw)
    random, passed = np.random.default_rng(7), 0
    prices = np.array([supply.eur_per_mwh for supply in SUPPLIES])
    signs = np.array([supply.sign for supply in SUPPLIES])
    for _ in range(200):
        tried = random.uniform(0.0, 1.0, len(SUPPLIES)) ** 2 * [supply.most_mw for supply in SUPPLIES]
        change = np.zeros((1, len(windy.model.point_names)), dtype=complex)
        for supply, mw in zip(SUPPLIES, tried, strict=True):
            for name, share in supply.points:
                change[0, windy.model.point(name)] += supply.sign * mw * share
        outcome = windy.outcome(change)
        if excess(windy, tried) > 0:
            continue
        passed += 1
        arrives = float(windy.base.import_mw[0] - outcome.import_mw[0]) + (signs * tried)[3]
        cost = prices @ tried + 80 * outcome.losses_mw[0] + 500 * abs(need_mw - arrives)
        assert cost >= best.eur_per_h - 1e-6
    assert passed > 20
