"""The cheapest dispatch where a branch's flow turns round: a tangent of |I| then says nothing about the other side."""

from itertools import product

import numpy as np
import pandapower
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.dispatch import cheapest
from gridpact.grid.dispatch.cheapest import Dispatcher, Prices, Supply
from gridpact.grid.dispatch.feeder import Feeder
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant

PRICES = Prices(shortage=500.0, losses=80.0)
CABLE = "NA2XS2Y 1x95 RM/25 12/20 kV"
SUPPLIES = (
    Supply(1.0, 15.0, 40.0, 0, (("west", 1 + 0j),)),
    Supply(1.0, 14.0, 42.0, 0, (("east", 1 + 0j),)),
    Supply(1.0, 30.0, 95.0),
)


@pytest.fixture(scope="module")
def feeder(tmp_path_factory: pytest.TempPathFactory) -> Feeder:
    """Two cables, each with a load of 5 MW at its end, where a battery could give three times that."""
    net = pandapower.create_empty_network()
    for kv, name in ((110.0, "high"), (20.0, "busbar"), (20.0, "west"), (20.0, "east")):
        pandapower.create_bus(net, kv, name=name)
    pandapower.create_ext_grid(net, 0, vm_pu=1.0)
    pandapower.create_transformer(net, 0, 1, "40 MVA 110/20 kV", tap_pos=0)
    for end in (2, 3):
        pandapower.create_line(net, 1, end, 1.0, CABLE, name=f"cable {end}")
        pandapower.create_load(net, end, 5.0, 0.5)
    path = tmp_path_factory.mktemp("net") / "net.json"
    pandapower.to_json(net, str(path))
    points = [ConnectionPoint("west", "west", "storage"), ConnectionPoint("east", "east", "storage")]
    plant = GridPlant("north", GridDescription(file=str(path)), points)
    return Feeder(plant.model, plant.untouched.actual(0))


@pytest.mark.parametrize("need_mw", [6.0, 14.0, 22.0, 27.0])
def test_nothing_on_a_fine_grid_of_amounts_is_cheaper(need_mw: float, feeder: Feeder) -> None:
    dispatcher = Dispatcher([feeder], SUPPLIES, PRICES)
    found = dispatcher.dispatch(need_mw)
    assert found.settled
    assert dispatcher.weighed(found.amounts_mw, need_mw)[1]
    best = np.inf
    for west, east in product(np.arange(0, 15.01, 0.5), np.arange(0, 14.01, 0.5)):
        tried, allowed = dispatcher.weighed([west, east, 0.0], need_mw)
        gas = min(30.0, max(0.0, tried.short_mw))
        if allowed:
            best = min(best, tried.eur_per_h + gas * 95 - 500 * (abs(tried.short_mw) - abs(tried.short_mw - gas)))
    assert found.eur_per_h <= best + 1e-3
    assert found.eur_per_h > best - 0.5 * (95 - 40) * 2


def test_an_answer_that_is_not_the_cheapest_for_sure_says_so(feeder: Feeder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Dispatcher([feeder], SUPPLIES, PRICES).dispatch(27.0).settled
    monkeypatch.setattr(cheapest, "ROUNDS", 1)
    assert not Dispatcher([feeder], SUPPLIES, PRICES).dispatch(27.0).settled
