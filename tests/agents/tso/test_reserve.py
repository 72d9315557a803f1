"""Containment reserve as capacity: tested with the frequency, called for, awarded by price, kept, watched and paid."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gridpact.agents.actions import RESERVE, RESERVE_TEST
from gridpact.agents.bsp import Bsp
from gridpact.agents.bsp.reading import ParticipantReading, ResourceReading
from gridpact.agents.calendar import MarketTimeUnit
from gridpact.agents.dso.studies import Monitor, Watch
from gridpact.agents.market.reserve import cheapest
from gridpact.agents.profiles import ReservePlan, ReserveRules
from gridpact.agents.tso import Tso
from gridpact.grid.area.area import AreaReading
from gridpact.grid.limits.allowing import Allowed
from gridpact.protocols.information.activation import LimitFollowed, LimitOrder, LimitRequest, MeasurementSubscription
from gridpact.protocols.information.offering import NoOffer, Rejection, Withdrawal
from gridpact.protocols.information.reserve import (
    CallForReserve,
    ReserveAward,
    ReserveNotice,
    ReserveOffer,
    ReserveOffers,
    ReserveRecord,
    ReserveStatement,
)
from gridpact.protocols.information.settlement import StatementAccepted, StatementDisputed

S = 1_000_000
PERIOD = MarketTimeUnit("H1", 1000 * S, 1900 * S, 3600 * S, 5400 * S)
START_S, END_S = 3600, 5400
Offset = Callable[[float], float]
Answer = Callable[[str, float], float]


def offset_hz(at_s: float) -> float:
    """The frequency falls by 100 mHz at 4000 s and stays there."""
    return -0.1 if at_s >= 4000 else 0.0


def rules(**changes: Any) -> ReserveRules:
    return replace(ReserveRules(3.0, (PERIOD,), 50.0, 0.2, 30 * S, 0.1), **changes)


def provider(make: Any, name: str, price: float, mw: float = 2.0, grid: str = "north") -> Bsp:
    profile = make.bsp(name, grid=grid, mw=mw).profile
    return Bsp(replace(profile, product="FCR", bids=(), reserve=ReservePlan(f"unit-{name}", mw, 0.1, price)))


def world(make: Any, *, answer: Answer = lambda name, mw: mw, offset: Offset = offset_hz, **changes: Any) -> Any:
    """a (12 EUR) and b (16 EUR) keep reserve; c (20 EUR) would; `answer` is what they make of what is asked of them."""
    tso = Tso(replace(make.tso().profile, reserve=rules(**changes.pop("rules", {}))))
    people = [provider(make, "a", 12.0), provider(make, "b", 16.0), provider(make, "c", 20.0, grid=make.TRANSMISSION)]
    town = make.town(tso, make.dso(), *people, make.bsp("m"), **changes)

    class Swinging(type(town)):  # type: ignore[misc]
        """A town in which reserves answer the frequency at once."""

        def _reading(self, name: str, source: str) -> object:
            off = offset(self.now_us / S)
            if source == "area":
                return AreaReading(self.now_us, 50.0 + off, 100 * off, 0.0, 0.0)
            if name not in ("a", "b", "c"):
                return super()._reading(name, source)
            unit = f"unit-{name}"
            asked_mw = -off / 0.2 * self.power_mw.get(RESERVE + unit, 0.0) + self.power_mw.get(RESERVE_TEST + unit, 0.0)
            mw = answer(name, asked_mw)
            return ParticipantReading(self.now_us, mw, 0.0, mw, 0.0, (ResourceReading(unit, mw, 2, 2),), ())

    town.__class__ = Swinging
    return town.begin()


@pytest.fixture(scope="module")
def usual(make: Any) -> Any:
    """The ordinary course, to its end."""
    return world(make).run(END_S + 500)


def awards(town: Any) -> dict[str, float]:
    return {award.offer_id: award.quantity_mw for said in town.contents(ReserveAward) for award in said.awards}


def test_the_cheapest_are_awarded_until_the_need_is_met_and_the_last_in_part(usual: Any) -> None:
    assert awards(usual) == {"a.H1.FCR.1": 2.0, "b.H1.FCR.1": 1.0}
    (rejected,) = [r for said in usual.contents(Rejection) for r in said.rejected if r.offer_id.startswith("c.")]
    assert rejected.reason == "not needed: cheaper offers meet the need"
    assert usual.noted("reserve awarded")[0]["short_mw"] == 0.0


def test_a_need_that_is_not_met_is_said(make: Any) -> None:
    assert world(make, rules={"need_mw": 7.0}).run(2000).noted("reserve awarded")[0]["short_mw"] == 1.0


def test_reserve_is_tested_with_the_frequency_in_both_directions(usual: Any) -> None:
    moves = [(name, act.value) for _, name, act in usual.moves if act.target.startswith(RESERVE_TEST)]
    assert {name for name, _ in moves} == {"a", "b", "c"}
    assert [mw for name, mw in moves if name == "a"] == [2.0, 0.0, 0.0, -2.0, 0.0, 0.0]


def test_what_is_not_half_there_after_half_the_time_is_qualified_for_what_was(make: Any) -> None:
    """c gives 0.3 MW of 2 MW at once and all of it only after half a minute."""
    began: dict[str, float] = {}

    def slow(name: str, asked_mw: float) -> float:
        if name != "c" or asked_mw == 0:
            began.pop(name, None)
            return asked_mw
        began[name] = began.get(name, 0) + 1
        return asked_mw if began[name] > 5 else 0.15 * asked_mw  # samples are 5 s apart

    town = world(make, answer=slow).run(1000)
    judged = {(e["applicant"], e["direction"]): e["sustained_mw"] for e in town.noted("test judged")}
    assert judged["a", "up"] == 2.0
    assert judged["c", "up"] == pytest.approx(0.6)


def test_an_award_arms_the_local_control_for_its_time_and_no_longer(usual: Any) -> None:
    armed = [(at, name, act.value) for at, name, act in usual.moves if act.target.startswith(RESERVE)]
    assert armed == [
        (START_S * S, "a", 2.0),
        (START_S * S, "b", 1.0),
        (END_S * S, "a", 0.0),
        (END_S * S, "b", 0.0),
    ]
    assert [record.kept[0].share for record in usual.contents(ReserveRecord)] == [1.0, 1.0]


def test_an_award_that_is_lost_arms_nothing_and_is_not_paid(make: Any) -> None:
    lost = lambda e: isinstance(e.content, ReserveAward) and e.receiver == "b"  # noqa: E731
    town = world(make, loses=lost).run(END_S + 500)
    assert not [act for _, name, act in town.moves if name == "b" and act.target.startswith(RESERVE)]
    shares = {line.offer_id: line.share for said in town.contents(ReserveStatement) for line in said.lines}
    assert shares == {"a.H1.FCR.1": 1.0, "b.H1.FCR.1": 0.0}


def test_a_reserve_that_does_not_follow_the_frequency_is_not_paid_for_that_time(make: Any) -> None:
    town = world(make, answer=lambda name, mw: 0.0 if name == "a" and abs(mw) < 1.5 else mw).run(END_S + 500)
    paid = {
        payment["payee"]: Decimal(payment["amount_eur"])
        for payment in town.noted("reserve books closed")[0]["payments"]
        if payment["kind"] == "capacity"
    }
    assert paid["b"] == Decimal("8.00")  # 1 MW for half an hour at 16 EUR
    assert paid["a"] == pytest.approx(Decimal("12.00") * 432 / 1800, abs=Decimal("0.2"))
    assert [said.claimed_eur for said in town.contents(StatementDisputed)] == [Decimal("12.00")]


def test_what_is_kept_is_paid_and_the_books_balance(usual: Any) -> None:
    (books,) = usual.noted("reserve books closed")
    assert {p["payee"]: p["amount_eur"] for p in books["payments"]} == {"a": "12.00", "b": "8.00", "tso": "20.00"}
    assert sum(map(Decimal, books["balances_eur"].values())) == 0
    accepted = [e.sender for _, e in usual.said if isinstance(e.content, StatementAccepted) and "reserve" in e.protocol]
    assert accepted == ["a", "b"]


def test_a_statement_that_nobody_answers_stands(make: Any) -> None:
    town = world(make, loses=lambda e: isinstance(e.content, ReserveStatement) and e.receiver == "a").run(END_S + 900)
    assert len(town.noted("reserve books closed")) == 1


def test_measured_reserve_is_no_known_activation(make: Any) -> None:
    """K of the area control error counts it already."""
    state = world(make).run(4500).state("tso")
    assert not {"a", "b"} & set(state.activation.known)
    assert state.reserve.known["a"].activated_mw == pytest.approx(1.0)


def test_the_dso_learns_of_reserve_in_its_grid_without_prices_and_listens_to_it(usual: Any) -> None:
    assert [(n.participant, n.awards[0].quantity_mw) for n in usual.contents(ReserveNotice)] == [("a", 2.0), ("b", 1.0)]
    asked = [e.receiver for _, e in usual.said if isinstance(e.content, MeasurementSubscription) and e.sender == "dso"]
    assert asked[:2] == ["a", "b"]
    assert {"a", "b"} <= set(usual.state("dso").told)


def test_a_late_offer_is_rejected_with_the_reason(make: Any) -> None:
    town = world(make, loses=lambda e: isinstance(e.content, ReserveOffers) and e.sender == "a").run(1800)
    late = next(e for _, e in town.said if isinstance(e.content, ReserveOffers) and e.sender == "a")
    town.run(1950)
    from gridpact.agents.runtime.inputs import Arrival

    town.give("tso", Arrival(late), 1950 * S)
    town.run(2000)
    reasons = [r.reason for said in town.contents(Rejection) for r in said.rejected if r.offer_id == "a.H1.FCR.1"]
    assert reasons == ["late: the gate had closed"]
    assert awards(town) == {"b.H1.FCR.1": 2.0, "c.H1.FCR.1": 1.0}


def test_who_is_not_qualified_in_both_directions_offers_nothing(make: Any) -> None:
    town = world(make, answer=lambda name, mw: max(mw, 0.0) if name == "a" else mw).run(2000)
    assert [e.sender for _, e in town.said if isinstance(e.content, NoOffer)] == ["a"]


def test_an_award_of_what_was_not_offered_is_answered_with_failure(make: Any) -> None:
    town = world(make).run(1950)
    from gridpact.agents.runtime.inputs import Arrival

    _, said = next(pair for pair in town.said if isinstance(pair[1].content, ReserveAward) and pair[1].receiver == "a")
    other = world(make, loses=lambda e: isinstance(e.content, ReserveAward)).run(1950)
    more = said.content.awards[0].model_copy(update={"quantity_mw": 5.0})
    other.give("a", Arrival(said._replace(content=said.content.model_copy(update={"awards": (more,)}))), 1950 * S)
    assert [w.reason for w in other.run(2000).contents(Withdrawal)] == ["not what was offered: a.H1.FCR.1"]


def offer(number: int, mw: float, price: float, least_mw: float = 0.1) -> ReserveOffer:
    return ReserveOffer(
        offer_id=f"x.H1.FCR.{number}",
        participant="x",
        session="H1",
        quantity_mw=mw,
        min_quantity_mw=least_mw,
        price_eur_per_mw_h=price,
        delivery_start=1,
        delivery_end=2,
        grid="north",
        resource="unit",
        submitted_at=number,
    )


def test_an_offer_that_does_not_fit_is_passed_over_and_ties_go_to_the_earlier() -> None:
    found = cheapest([offer(3, 2.0, 5.0), offer(2, 2.0, 5.0, least_mw=2.0), offer(1, 3.0, 4.0)], 4.5, 0.1)
    assert [(one.offer.offer_id[-1], one.awarded_mw) for one in found] == [("1", 3.0), ("2", 0.0), ("3", 1.5)]


def test_a_participant_that_is_not_bound_by_a_late_award_is_missing_and_not_paid(make: Any) -> None:
    """The award to a is lost; when it comes after the offer has lapsed, a withdraws."""
    from gridpact.agents.runtime.inputs import Arrival

    town = world(make, loses=lambda e: isinstance(e.content, ReserveAward) and e.receiver == "a").run(START_S + 10)
    lost = next(e for _, e in town.said if isinstance(e.content, ReserveAward) and e.receiver == "a")
    town.give("a", Arrival(lost), (START_S + 11) * S)
    town.run(END_S + 500)
    (withdrawn,) = town.noted("reserve withdrawn")
    assert (withdrawn["participant"], withdrawn["missing_mw"]) == ("a", 2.0)
    assert {line.offer_id for said in town.contents(ReserveStatement) for line in said.lines} == {"b.H1.FCR.1"}


def bears(make: Any, room_mw: float) -> Any:
    """A grid that bears only so much of a's reserve upwards."""

    def lab(job: object) -> object:
        if not isinstance(job, Monitor):
            return make.answers(job)
        asked = [(each, room_mw if each.id == "a.H1.FCR.1|up" else 9.0) for each in (*job.reserves, *job.ordered)]
        found = tuple(
            Allowed(each.id, min(each.p_mw, most), make.BOUND if each.p_mw > most else None) for each, most in asked
        )
        bound = any(each.binding for each in found)
        return Watch(make.calm(), make.calm(0, *([make.BOUND] if bound else [])), found, 0.0)

    return lab


@pytest.fixture(scope="module")
def bounded(make: Any) -> Any:
    """From 4400 s on only 0.8 of a's 2 MW may be used upwards; b has 1 MW left to offer."""
    town = world(make).run(4400)
    town.lab = bears(make, 0.8)
    return town.run(END_S + 500)


def armed(town: Any, unit: str, until_s: float = END_S) -> float:
    return [m.value for at, _, m in town.moves if m.target == RESERVE + unit and at < until_s * S][-1]


def test_a_limit_of_the_dso_lowers_what_follows_the_frequency_in_both_directions(bounded: Any) -> None:
    (limit,) = bounded.contents(LimitRequest)[0].limits
    assert (limit.offer_id, limit.resource, limit.direction, limit.max_mw) == ("a.H1.FCR.1", "unit-a", "up", 0.8)
    assert bounded.contents(LimitOrder)[0].limit == limit
    assert armed(bounded, "unit-a") == 0.8
    assert bounded.contents(LimitFollowed)[0].followed[0].confirmed_mw == 0.8


def test_what_a_limit_takes_of_the_reserve_is_bought_again_for_the_time_left(bounded: Any) -> None:
    first, again = {call.delivery_start: call for call in bounded.contents(CallForReserve)}.values()
    assert (first.need_mw, again.need_mw, again.delivery_end) == (3.0, 1.2, first.delivery_end)
    assert awards(bounded) == {
        "a.H1.FCR.1": 2.0,
        "b.H1.FCR.1": 1.0,
        "b.H1.FCR.2": 1.0,
        "c.H1.FCR.2": pytest.approx(0.2),
    }
    assert armed(bounded, "unit-b") == 2.0
    assert bounded.noted("reserve limited")[0]["kept_mw"] == {"a.H1.FCR.1": 0.8}
    assert bounded.noted("reserve bought again")[0]["short_mw"] == 0.0


def test_reserve_under_a_limit_is_paid_for_what_is_left_of_it(bounded: Any) -> None:
    lines = {line.offer_id: line for said in bounded.contents(ReserveStatement) for line in said.lines}
    assert lines["a.H1.FCR.1"].share == pytest.approx((800 + 0.4 * 1000) / 1800, abs=0.01)
    assert lines["b.H1.FCR.1"].share == 1.0
    assert lines["b.H1.FCR.2"].share == pytest.approx(1.0, abs=0.02)
    assert not bounded.contents(StatementDisputed)


def test_what_cannot_be_bought_again_is_said(make: Any) -> None:
    town = world(make, rules={"need_mw": 6.0}).run(4400)
    town.lab = bears(make, 0.8)
    assert town.run(4700).noted("reserve bought again")[0]["short_mw"] == 1.2
    town = world(make).run(END_S - 100)
    town.lab = bears(make, 0.8)
    reason = "not bought again: the period is over before it could begin"
    assert town.run(END_S - 50).noted("reserve limited")[0]["reason"] == reason
