"""Agents check what their strategies decide, and the TSO keeps its demand whatever a controller says."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from gridpact.agents.bsp import Bsp
from gridpact.agents.bsp.deciding import decided as decided_on
from gridpact.agents.dso import Dso
from gridpact.agents.dso.keeping import enlarged, reduced
from gridpact.agents.strategies import (
    AsAgreed,
    Bid,
    Controller,
    Past,
    ProportionalIntegral,
    Question,
    Sample,
    StrategyError,
    Terms,
)
from gridpact.agents.strategies.frequency import controlled
from gridpact.agents.strategies.limiting import decided
from gridpact.grid.limits.allowing import Activation, Allowed, Binding
from gridpact.protocols.information.offering import CallForOffers, NoOffer, Offers

S = 1_000_000
SAMPLE = Sample(-6.0, 8 * S, 10.0, 5.0, 4 * S)


@dataclass(frozen=True)
class Fixed:
    """Bids the same, whatever it sees, and keeps what it saw."""

    bid: Bid
    seen: list[Any]

    def bids(self, view: Any) -> tuple[Bid, ...]:
        self.seen.append(view)
        return (self.bid,)


def town(make: Any, strategy: Any) -> Any:
    bidder = Bsp(replace(make.bsp("a", make.plan("a", 1.0, 50.0)).profile, bidding=strategy))
    return make.town(make.tso(), make.dso(), bidder).begin()


def test_what_a_strategy_bids_is_what_is_offered(make: Any) -> None:
    found = town(make, Fixed(Bid("unit-a", 0.7, 12.0, 0.1), [])).run(3000)
    offers = [offer for content in found.contents(Offers, "a") for offer in content.offers if offer.session == "Q1"]
    assert [(offer.quantity_mw, offer.price_eur_per_mwh) for offer in offers] == [(0.7, 12.0)]


def test_a_strategy_is_told_what_became_of_its_earlier_offers(make: Any) -> None:
    strategy = Fixed(Bid("unit-a", 0.7, 12.0, 0.1), [])
    found = town(make, strategy).run(3000)
    assert all(view.past == () for view in strategy.seen)  # offers are made for both periods before any is accepted
    call = next(content for content in found.contents(CallForOffers) if content.direction == "up")
    decided_on(found.nodes["a"].agent.profile, found.state("a"), call, "Q2", found.now_us)
    assert strategy.seen[-1].past == (Past("Q1", "unit-a", 0.7, 0.7, 12.0),)


@pytest.mark.parametrize(
    ("bid", "why"),
    [
        (Bid("unit-z", 1.0, 50.0, 0.1), "unit-z, which is no resource of a"),
        (Bid("unit-a", 1.0, float("nan"), 0.1), "a finite price"),
        (Bid("unit-a", -1.0, 50.0, 0.0), "quantity_mw > 0"),
    ],
)
def test_a_bid_that_nobody_could_make_is_told_in_one_sentence(make: Any, bid: Bid, why: str) -> None:
    with pytest.raises(StrategyError, match=f"bidding strategy Fixed of a: .*{why}"):
        town(make, Fixed(bid, [])).run(3000)


def test_without_a_plan_no_strategy_is_asked(make: Any) -> None:
    strategy = Fixed(Bid("unit-a", 0.7, 12.0, 0.1), [])
    bidder = Bsp(replace(make.bsp("a").profile, bids=(), bidding=strategy))
    assert make.town(make.tso(), make.dso(), bidder).begin().run(3000).contents(NoOffer, "a")
    assert strategy.seen == []


QUESTION = Question("dso", "north", "offering", (), Terms("prefix", "pro_rata", 0.05))


def test_as_agreed_keeps_the_larger_margin() -> None:
    assert AsAgreed().terms(QUESTION) == QUESTION.agreed
    assert AsAgreed(0.2).terms(QUESTION) == Terms("prefix", "pro_rata", 0.2)


@dataclass(frozen=True)
class Always:
    """The same terms for every question."""

    fixed: Any

    def terms(self, question: Question) -> Any:
        return self.fixed


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (Terms("single", "merit_order"), "scope is 'single', but it must be one of: prefix, subset"),
        (Terms("prefix", "lottery"), "split is 'lottery'"),  # type: ignore[arg-type]
        (Terms("prefix", "merit_order", 1.0), "margin is 1.0"),
    ],
)
def test_terms_that_a_stage_does_not_know_are_told_in_one_sentence(terms: Terms, why: str) -> None:
    with pytest.raises(StrategyError, match=f"policy Always of dso, offering: {why}"):
        decided(Always(terms), QUESTION)


def test_a_policy_decides_on_which_terms_capacity_is_judged(make: Any) -> None:
    dso = Dso(replace(make.dso().profile, policy=Always(Terms("all", "merit_order", 0.25))))
    asked: list[Any] = []

    def lab(job: object) -> object:
        asked.append(job)
        return make.answers(job)

    make.town(make.tso(), dso, make.bsp("a", make.plan("a", 1.0, 50.0)), lab=lab).begin().run(300)
    assert [(job.scope, job.margin) for job in asked] == [("all", 0.25)]


def test_a_margin_keeps_a_share_of_every_megawatt_back() -> None:
    wanted = (Activation("a", (("p", 1.0),), 2.0, 0.3), Activation("b", (("p", 1.0),), 2.0))
    assert [each.p_mw for each in enlarged(wanted, 0.2)] == [2.5, 2.5]
    bound = Binding("line 1", "loading_percent", 120.0, 100.0, "windy")
    found = (Allowed("a", 2.5, None), Allowed("b", 1.0, bound))
    assert [each.p_mw for each in reduced(found, wanted, 0.2)] == [2.0, 0.8]
    assert enlarged(wanted, 0.0) is wanted


@dataclass(frozen=True)
class Says:
    """Always asks for the same."""

    demand_mw: float

    def step(self, before: Controller, sample: Sample) -> Controller:
        return Controller(demand_mw=self.demand_mw, memory=(sample.ace_mw,))


@pytest.mark.parametrize(("asked_mw", "demand_mw"), [(3.0, 3.0), (99.0, 10.0), (-99.0, -5.0)])
def test_no_demand_goes_beyond_what_is_under_control(asked_mw: float, demand_mw: float) -> None:
    after = controlled(Says(asked_mw), Controller(), SAMPLE)
    assert (after.demand_mw, after.at_us, after.memory) == (demand_mw, 8 * S, (-6.0,))


def test_a_lost_measurement_holds_the_demand_and_asks_no_controller() -> None:
    after = controlled(Says(3.0), Controller(demand_mw=2.0, memory=(1.0,)), SAMPLE._replace(ace_mw=float("nan")))
    assert (after.demand_mw, after.frozen, after.at_us, after.memory) == (2.0, True, None, (1.0,))


def test_a_demand_that_is_no_number_is_told_in_one_sentence() -> None:
    with pytest.raises(StrategyError, match="controller Says: the demand is nan"):
        controlled(Says(float("nan")), Controller(), SAMPLE)


def test_the_shipped_controller_is_untouched() -> None:
    pi = ProportionalIntegral(0.2, 150.0)
    assert controlled(pi, Controller(), SAMPLE) == pi.step(Controller(), SAMPLE)
    with pytest.raises(ValueError, match="integration_s 0"):
        ProportionalIntegral(0.2, 0.0)
