"""Scenario II: the DSO as one more provider, with tap steps as indivisible blocks; its correction loop is bounded."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.dso import Dso
from gridpact.agents.dso.state import DsoState
from gridpact.agents.dso.studies import AskTaps, Forecast, InterfaceForecast, Monitor, TapOptions, Transformer, Watch
from gridpact.agents.dso.tap_delivery import published
from gridpact.agents.dso.tap_trial import order, position
from gridpact.agents.profiles import DemandResponse, Need
from gridpact.agents.runtime.inputs import Arrival
from gridpact.grid.readings import Assessment, Readings
from gridpact.grid.voltage.cvr import TapBlock
from gridpact.protocols.information.activation import Measurement
from gridpact.protocols.information.capacity import (
    QualificationProposal,
    Requirements,
    TechnicalData,
    TestOrder,
    TestReport,
)
from gridpact.protocols.information.offering import Offers
from gridpact.protocols.messages import Refuse


def lab_of(make: Any) -> Any:
    blocks = tuple(
        TapBlock("t1", -sign, sign * 0.3, 0.0, 0.97, 1.03, 60.0, (-sign * n,)) for sign in (1, -1) for n in (1, 2)
    )

    def lab(job: Any) -> object:
        if isinstance(job, AskTaps):
            return TapOptions((Transformer("t1", 0, -9, 9),), blocks, 20.0, 1.5, 0.95, 1.05)
        if isinstance(job, Forecast):
            return tuple(InterfaceForecast("t0", at, 30.0, 40.0) for at in job.at_us)
        return make.answers(job)

    return lab


def second(make: Any, response: DemandResponse | None = DemandResponse(50.0, 1.3, 2, 10.0)) -> Any:  # noqa: B008
    parts = {"dso_in_offering": False, "dso_is_participant": True}
    profile = replace(make.dso(**parts).profile, demand_response=response)
    people = (make.tso(**parts), Dso(profile), make.bsp("t", grid=make.TRANSMISSION, mw=10.0, **parts))
    return make.town(*people, lab=lab_of(make)).begin()


def test_the_correction_loop_is_bounded(make: Any) -> None:
    """Each test frees less than was measured in the one before."""
    town = second(make)
    true = town._reading

    def reading(name: str, source: str) -> Any:
        freed_mw = 0.6 - 0.1 * len(town.contents(Requirements)) if town.power_mw.get("taps/t1") else 0.0
        return (
            replace(true(name, source), interface=(("t0", 30.0 - freed_mw, 5.0),))
            if name == "dso"
            else true(name, source)
        )

    town._reading = reading
    town.run(3000)
    assert [r.attempt for r in town.contents(Requirements)] == [1, 2, 3]
    assert len(town.contents(TechnicalData)) == len(town.contents(TestReport, "dso")) == 3
    assert [r.shortfall for r in town.contents(Requirements)] == [
        None,
        "north cvr t1: test failed: 0.5 of 0.78 MW sustained from 30 s after the order on",
        "north cvr t1: test failed: 0.4 of 0.5 MW sustained from 30 s after the order on",
    ]
    (told,) = town.contents(QualificationProposal)
    assert [(v.max_mw, v.reason) for v in told.verdicts] == [
        (0.3, "test failed: 0.3 of 0.4 MW sustained from 30 s after the order on")
    ]
    assert told.reason is None


def test_a_test_of_taps_whose_time_is_past_is_refused_and_moves_none(make: Any) -> None:
    town = second(make)
    town.loses = lambda e: isinstance(e.content, TestOrder)
    town.run(61)
    order = next(e for _, e in town.said if isinstance(e.content, TestOrder) and e.receiver == "dso")
    town.give("dso", Arrival(order), order.content.start + round(order.content.duration_s * 1e6))
    town.run(3000)
    reasons = [r.reason for r in town.contents(Refuse, "dso")]
    assert [reason.partition(" at ")[0] for reason in reasons] == ["the test was to begin"]
    assert not [move for at_us, name, move in town.moves if name == "dso"]


def test_a_dso_without_demand_response_refuses_and_the_run_goes_on(make: Any) -> None:
    town = second(make, None).run(3000)
    assert town.contents(Refuse, "dso")
    assert list(town.state("tso").prequalification.qualified) == ["t"]
    (told,) = town.contents(QualificationProposal)
    assert (told.verdicts, told.reason) == ((), "no demand response is offered in this grid")


def test_a_dso_that_is_not_heard_is_acknowledged_nothing_with_the_reason(make: Any) -> None:
    town = second(make)
    town.deaf = {"dso"}
    (told,) = town.run(3000).contents(QualificationProposal)
    assert (told.verdicts, told.reason) == ((), "no answer in time")


def test_taps_that_can_do_nothing_are_acknowledged_nothing_with_the_reason(make: Any) -> None:
    town = second(make)
    lab, none = town.lab, TapOptions((), (), 20.0, 0.0, 0.95, 1.05)
    town.lab = lambda job: none if isinstance(job, AskTaps) else lab(job)
    (told,) = town.run(3000).contents(QualificationProposal)
    assert (told.verdicts, told.reason) == ((), "no resources are offered")


@pytest.mark.parametrize("steps", [0, 1, 2, -1, -2])
def test_a_tap_position_is_the_start_plus_the_steps_in_force(make: Any, steps: int) -> None:
    town = second(make).run(100)
    assert position(town.state("dso"), "t1", steps) == -steps


@pytest.mark.parametrize(("steps", "held_pu"), [(0, 1.02), (1, 1.005), (2, 0.99)])
def test_where_a_regulator_is_at_work_its_set_point_is_ordered(steps: int, held_pu: float) -> None:
    blocks = tuple(
        TapBlock("t1", -1, 0.3, 0.0, 0.97, 1.03, 60.0, (-n,), vm_set_pu=pu) for n, pu in ((1, 1.005), (2, 0.99))
    )
    options = TapOptions((Transformer("t1", 0, -9, 9, 1.02),), blocks, 20.0, 1.5, 0.95, 1.05)
    assert order(DsoState().with_demand(options=options), "t1", steps) == ("voltage/t1", held_pu, False)


def test_what_is_published_as_freed_decays_as_loads_recover_and_turns_negative_when_they_pay_back(make: Any) -> None:
    response = DemandResponse(50.0, 1.3, 2, 10.0, recovered_share=0.4, recovery_s=900.0)
    profile = replace(make.dso(dso_is_participant=True).profile, demand_response=response)
    nothing = Assessment(0, "", 0.0, 1.0, 1.0, 30.0, 5.0, 0.0, (), near=False)
    state = replace(DsoState(), readings=Readings(0, (), (0,), (("t0", 30.0, 5.0),)))
    told = []
    for freed_mw, seconds in ((0.5, 900), (0.5, 9000), (0.0, 4), (0.0, 9000)):
        for _ in range(round(seconds * 1_000_000 / profile.monitoring_us)):
            state = state.with_demand(listeners=("c",) if freed_mw else ())  # measured on when delivery is over
            state, said = published(profile, state, Watch(nothing, nothing, None, freed_mw), 0)
            assert bool(said) == bool(freed_mw)
        assert state.demand.measured is not None
        told.append(state.demand.measured.activated_mw)
    assert told == [pytest.approx(0.5 * (1 - 0.4 * 0.632), abs=1e-3), pytest.approx(0.3, abs=1e-3),
                    pytest.approx(-0.2, abs=2e-3), pytest.approx(0.0, abs=1e-4)]  # fmt: skip


BOTH = DemandResponse(50.0, 1.3, 2, 10.0, directions=("up", "down"), down_price_eur_per_mwh=5.0)


def both(make: Any, need_mw: float) -> Any:
    """A DSO that offers both directions; what its taps free is seen in its import and in what it publishes."""
    parts = {"dso_in_offering": False, "dso_is_participant": True}
    needs = Need("mFRR", "up", 0.6), Need("mFRR", "down", 0.6)
    dso = Dso(replace(make.dso(**parts).profile, demand_response=BOTH))
    lab = lab_of(make)

    def asked(job: Any) -> object:
        found = lab(job)
        return found._replace(freed_mw=0.3 * -job.readings.taps[0]) if isinstance(job, Monitor) else found

    town = make.town(make.tso(*needs, **parts), dso, make.bsp("t", grid=make.TRANSMISSION, **parts), lab=asked)
    true = town._reading

    def reading(name: str, source: str) -> Any:
        tap = round(town.power_mw.get("taps/t1", 0.0))
        found = true(name, source)
        if source == "area":
            return found._replace(ace_mw=-0.3 * tap - town.need_mw)
        return replace(found, taps=(tap,), interface=(("t0", 30.0 + 0.3 * tap, 5.0),)) if name == "dso" else found

    town._reading, town.need_mw = reading, need_mw
    return town.begin()


@pytest.mark.parametrize(("need_mw", "direction", "tap"), [(0.6, "up", -2), (-0.6, "down", 2)])
def test_up_is_delivered_by_lower_voltage_and_down_by_higher(
    make: Any, need_mw: float, direction: str, tap: int
) -> None:
    town = both(make, need_mw).run(3800)
    assert dict(town.state("dso").demand.qualified) == {"north cvr t1|up": 0.6, "north cvr t1|down": 0.6}
    offers = [o for said in town.contents(Offers, "dso") for o in said.offers if o.session == "Q1"]
    assert {o.direction: o.price_eur_per_mwh for o in offers} == {"up": 50.0, "down": 5.0}
    assert [o.quantity_mw for o in offers if o.direction == direction] == [0.3, 0.3]
    assert town.power_mw["taps/t1"] == tap
    told = town.contents(Measurement, "dso")[-1]
    assert (told.activated_mw, told.set_point_mw) == (need_mw, need_mw)


def test_technical_data_tell_the_steps_of_both_directions(make: Any) -> None:
    (data,) = both(make, 0.0).run(1500).contents(TechnicalData)[:1]
    assert [(t.steps, t.steps_down) for t in data.transformers] == [(2, 2)]
    assert data.resources[0].max_down_mw == pytest.approx(2 * data.transformers[0].mw_per_step_down)


def test_a_dso_that_offers_up_only_says_so_to_a_call_for_down(make: Any) -> None:
    town = second(make)
    town.nodes["tso"].agent = make.tso(Need("mFRR", "down", 0.6), dso_in_offering=False, dso_is_participant=True)
    assert not town.run(3000).contents(Offers, "dso")


def test_a_dso_without_tap_changers_says_so_by_naming_none_and_offers_nothing(make: Any) -> None:
    parts = {"dso_in_offering": False, "dso_is_participant": True}
    profile = replace(make.dso(**parts).profile, demand_response=DemandResponse(50.0, 1.3, 2, 10.0))
    fixed, usual = TapOptions((Transformer("t1", 0, 0, 0),), (), 20.0, 0.0, 0.95, 1.05), lab_of(make)
    people = (make.tso(**parts), Dso(profile), make.bsp("t", grid=make.TRANSMISSION, mw=10.0, **parts))
    town = make.town(*people, lab=lambda job: fixed if isinstance(job, AskTaps) else usual(job)).begin().run(3000)
    assert [told.transformers for told in town.contents(TechnicalData)] == [()]
    assert list(town.state("tso").prequalification.qualified) == ["t"]
