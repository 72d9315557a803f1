"""Scenario II: a DSO that operates units itself offers what its grid can bear, and keeps its own limits at once."""

from dataclasses import replace
from typing import Any

from gridpact.agents.dso import Dso
from gridpact.agents.dso.own_study import AskOwn, OwnOptions
from gridpact.agents.dso.studies import AskTaps, Forecast, InterfaceForecast, TapOptions, Transformer, Validate
from gridpact.agents.profiles import BidPlan, DemandResponse, OwnUnits
from gridpact.agents.tso.activation import quality
from gridpact.grid.limits.activation import Allowed
from gridpact.protocols.information.activation import LimitFollowed, LimitOrder, LimitRequest
from gridpact.protocols.information.capacity import Dynamics, TechnicalData, TestOrder, TestReport
from gridpact.protocols.information.offering import Offers, Withdrawal

PARTS = {"dso_in_offering": False, "dso_is_participant": True}


def town(make: Any, borne_mw: float = 9.0, in_real_time_mw: float = 9.0, **profile: Any) -> Any:
    """A DSO with two units of 2 MW at 70 and 60 EUR/MWh, of which its forecast allows so much together."""
    near, far = (make.bsp(name).profile.resources[0] for name in ("near", "far"))
    bids = make.plan("near", price=70.0), make.plan("far", price=60.0)
    units = OwnUnits((near, far), Dynamics(preparation_s=10, ramping_s=20, deactivation_s=10), bids)
    base = replace(make.dso(**PARTS).profile, demand_response=DemandResponse(50.0, 1.0, 0, 10.0), units=units)
    lab = _lab(make.capped(dso=in_real_time_mw), borne_mw)
    people = (
        make.tso(**PARTS),
        Dso(replace(base, **profile)),
        make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0),
    )
    made = make.town(*people, lab=lab)
    made.need_mw = 3.0
    true = made._reading
    made._reading = lambda name, source: _read(made, true, name, source)
    return made.begin()


def _read(made: Any, true: Any, name: str, source: str) -> object:
    """The units of the DSO are read as a participant's are."""
    if not source.startswith("units/"):
        return true(name, source)
    node = made.nodes.pop("dso")
    made.nodes["dso"] = _Stand(node.agent.profile.units)
    try:
        return true("dso", source)
    finally:
        made.nodes["dso"] = node


class _Stand:
    """What a reading of resources asks of a node."""

    kind = "BSP"

    def __init__(self, profile: OwnUnits) -> None:
        self.agent, self.profile = self, profile


def _lab(real_time: Any, borne_mw: float) -> Any:
    taps = TapOptions((Transformer("t1", 0, -9, 9),), (), 20.0, 1.5, 0.95, 1.05)

    def allowed(job: Validate) -> tuple[Allowed, ...]:
        left, found = borne_mw, []
        for each in job.activations:
            found.append(Allowed(each.id, min(each.p_mw, left), None))
            left -= found[-1].p_mw
        return tuple(found)

    def lab(job: Any) -> object:
        if isinstance(job, Forecast):
            return tuple(InterfaceForecast("t0", at, 30.0, 40.0) for at in job.at_us)
        if isinstance(job, AskOwn):
            return OwnOptions(taps, allowed(job.units))
        return taps if isinstance(job, AskTaps) else real_time(job)

    return lab


def test_its_units_are_declared_with_its_technical_data_and_tested_like_anybodys(make: Any) -> None:
    made = town(make).run(900)
    (declared,) = made.contents(TechnicalData)
    assert [one.id for one in declared.resources] == ["unit-near", "unit-far"]
    assert [order.resource for order in made.contents(TestOrder) if order.resource != "unit-t"] == [
        "unit-near", "unit-near", "unit-far", "unit-far",
    ]  # fmt: skip
    assert len(made.contents(TestReport, "dso")) == 4
    assert dict(made.state("dso").demand.qualified) == {
        f"{unit}|{way}": 2.0 for unit in ("unit-near", "unit-far") for way in ("up", "down")
    }


def test_its_units_are_tested_and_their_orders_due_within_the_products_time_however_slow_they_are(make: Any) -> None:
    units = town(make).nodes["dso"].agent.profile.units
    slow = replace(units, dynamics=Dynamics(preparation_s=30, ramping_s=1200, deactivation_s=10))
    made = town(make, units=slow).run(1500)
    order = next(order for order in made.contents(TestOrder) if order.resource == "unit-near")
    assert order.steps[1].offset_s == 750 + 60
    assert quality._activation_us(make.tso(**PARTS).profile, made.state("tso"), "dso") == 750_000_000


def test_it_offers_what_its_forecast_allows_cheapest_first(make: Any) -> None:
    made = town(make, borne_mw=2.5).run(2000)
    offers = made.contents(Offers, "dso")[0].offers
    assert [(one.resource, one.quantity_mw, one.price_eur_per_mwh) for one in offers] == [
        ("unit-far", 2.0, 60.0),
        ("unit-near", 0.5, 70.0),
    ]


def test_an_order_moves_its_unit_and_is_published_as_its_own(make: Any) -> None:
    made = town(make).run(3700)
    assert made.power_mw["unit-far"] == 2.0
    assert made.state("dso").demand.applied_mw == made.state("dso").demand.units_mw == 3.0
    assert made.state("dso").demand.measured.activated_mw == 3.0


def test_it_lowers_its_own_units_when_it_tells_the_tso_and_the_tso_replaces_them(make: Any) -> None:
    made = town(make, in_real_time_mw=1.5).run(3700)
    (asked_us, request) = next((at, e) for at, e in made.said if isinstance(e.content, LimitRequest))
    lowered = [(at, one.value) for at, name, one in made.moves if name == "dso" and one.target == "unit-far"]
    assert (asked_us, 1.5) in lowered
    assert not made.contents(LimitOrder)
    assert any(followed.followed[0].confirmed_mw == 1.5 for followed in made.contents(LimitFollowed))
    assert (made.power_mw["unit-far"], made.power_mw["unit-near"]) == (1.5, 1.5)
    assert request.content.limits[0].offer_id.startswith("dso.")


def test_a_unit_that_has_lost_its_supply_takes_no_order(make: Any) -> None:
    made = town(make).run(3590)
    made.available_mw = 0.0
    made.run(3700)
    assert made.state("dso").demand.lost == {"unit-far", "unit-near"}
    assert made.state("dso").demand.applied_mw == 0.0
    assert not made.contents(Withdrawal, "dso")


def test_a_bid_of_a_direction_that_nobody_calls_for_is_not_offered(make: Any) -> None:
    made = town(make)
    profile = made.nodes["dso"].agent.profile
    down = BidPlan("mFRR", "down", "unit-far", 2.0, 0.0, True, 10.0)
    bids = OwnUnits(profile.units.resources, profile.units.dynamics, (down,))
    made.nodes["dso"].agent = Dso(replace(profile, units=bids))
    assert not made.run(2000).contents(Offers, "dso")
