"""Statements, disputes and the books of a period."""

from decimal import Decimal
from typing import Any

from gridpact.agents.market.settlement import watt_us
from gridpact.agents.runtime.inputs import Arrival
from gridpact.agents.tso.activation import mfrr
from gridpact.protocols.information.offering import DeliveredOffer, DeliveryRecord
from gridpact.protocols.information.settlement import (
    MeteredEnergy,
    MeteredQuery,
    Statement,
    StatementAccepted,
    StatementDisputed,
)


def closed(town: Any) -> list[Any]:
    return town.noted("books closed")


def test_every_participant_agrees_with_what_the_tso_has_counted(make: Any) -> None:
    town = make.usual(need_mw=4.0).run(5600)
    assert len(town.contents(Statement)) == len(town.contents(StatementAccepted)) > 0
    assert [c["period"] for c in closed(town)] == ["Q1", "Q2"]
    for books in closed(town):
        assert sum(map(Decimal, books["balances_eur"].values())) == 0


def test_energy_requested_in_cycles_that_were_missed_is_counted_in_the_next_one(make: Any) -> None:
    """As when the TSO's host has been down: the orders were in force all the same."""
    town = make.usual(need_mw=4.0).run(3800)
    profile, state = town.nodes["tso"].agent.profile, town.state("tso")
    later = mfrr.caught_up(profile, state, state.activation.counted_us + 20_000_000).activation
    more = {key: watt_us(order.power_mw, 20_000_000) for key, order in state.activation.orders.items()}
    assert more
    assert {key: later.energy[key] - state.activation.energy[key] for key in more} == more
    assert mfrr.caught_up(profile, state, state.activation.counted_us) is state


def test_a_curtailed_offer_is_settled_alike_on_both_sides(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5)).run(5600)
    assert town.contents(StatementDisputed) == []
    lines = {x.offer_id: x.energy_mwh for s in town.contents(Statement) for x in s.lines}
    assert lines["b.Q2.mFRR-up.1"] < 0.2


def disputing(make: Any) -> Any:
    """A town in which a believes that it has been asked for twice as much."""
    town = make.usual(need_mw=4.0).run(4500)
    book = town.state("a").book
    twice = book.requested.update({key: 2 * energy for key, energy in sorted(book.requested.items())})
    town.nodes["a"].state = replaced(town.state("a"), book=replaced(book, requested=twice))
    return town


def replaced(state: Any, **changes: Any) -> Any:
    return state.__class__(**{f: getattr(state, f) for f in state.__dataclass_fields__} | changes)


def test_a_disputed_statement_is_recomputed_once_then_escalated_and_the_books_close(make: Any) -> None:
    town = disputing(make).run(4700)
    assert [s.attempt for s in town.contents(Statement) if s.lines[0].offer_id.startswith("a.")] == [1, 2]
    assert len(town.noted("statement disputed, recomputed")) == 1
    assert len(town.noted("dispute escalated")) == 1
    assert [c["period"] for c in closed(town)] == ["Q1"]


def test_a_statement_that_leaves_an_offer_out_is_disputed(make: Any) -> None:
    town = make.usual(need_mw=4.0, loses=lambda e: isinstance(e.content, Statement)).run(4700)
    said = next(e for _, e in town.said if isinstance(e.content, Statement) and e.receiver == "a")
    other = next(e for _, e in town.said if isinstance(e.content, Statement) and e.receiver == "b")
    town.loses = lambda _: False
    foreign = said.content.model_copy(update={"lines": other.content.lines})
    parts = {f: getattr(said, f) for f in said._fields} | {"content": foreign}
    town.give("a", Arrival(said.__class__(**parts)), town.now_us)
    town.run(town.now_us / 1e6)
    assert "no offer of ours" in town.contents(StatementDisputed)[0].reason


def test_a_statement_that_nobody_answers_stands_as_it_was_stated(make: Any) -> None:
    town = make.usual(need_mw=4.0, loses=lambda e: isinstance(e.content, StatementAccepted)).run(4800)
    assert [c["period"] for c in closed(town)] == ["Q1"]
    amounts = {p["offer_id"]: p["amount_eur"] for p in closed(town)[0]["payments"] if p["offer_id"]}
    assert amounts == {x.offer_id: str(x.amount_eur) for s in town.contents(Statement) for x in s.lines}


def test_a_meter_that_nobody_reads_does_not_hold_up_the_books(make: Any) -> None:
    town = make.usual(need_mw=4.0, loses=lambda e: isinstance(e.content, MeteredEnergy)).run(4900)
    assert town.contents(MeteredQuery)
    assert [c["period"] for c in closed(town)] == ["Q1"]


def test_nobody_reports_delivery_for_another(make: Any) -> None:
    town = make.usual(need_mw=4.0, loses=lambda e: isinstance(e.content, DeliveryRecord)).run(4540)
    said = next(e for _, e in town.said if isinstance(e.content, DeliveryRecord) and e.sender == "a")
    theirs = DeliveredOffer(offer_id="b.Q1.mFRR-up.1", requested_mwh=9, metered_mwh=9)
    parts = {f: getattr(said, f) for f in said._fields}
    parts |= {"content": DeliveryRecord(baseline="none", offers=(theirs,))}
    town.give("tso", Arrival(said.__class__(**parts)), town.now_us)
    town.run(4545)
    assert "b.Q1.mFRR-up.1" not in town.state("tso").settlement.recorded
