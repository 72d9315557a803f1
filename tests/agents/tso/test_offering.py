"""From the call to the acceptance: deadlines, conformity, the DSO's verdicts, and what binds whom."""

from typing import Any

import pytest

from gridpact.agents.dso.studies import Validate
from gridpact.agents.runtime.inputs import Arrival
from gridpact.grid.limits.allowing import Allowed
from gridpact.protocols.information.activation import Activate, ActivateWhen
from gridpact.protocols.information.offering import (
    Acceptance,
    CallForOffers,
    MeritOrderList,
    MeritOrderVerdict,
    Offers,
    Rejection,
    Withdrawal,
)
from gridpact.protocols.messages import Failure, NotUnderstood


def accepted(town: Any, period: str = "Q1") -> dict[str, float]:
    positions = town.state("tso").offering.definitive.get(f"{period}/mFRR-up", ())
    return {p.offer.participant: p.accepted_mw for p in positions}


def test_the_accepted_offers_meet_the_need_in_merit_order_and_the_last_is_taken_in_part(make: Any) -> None:
    town = make.usual()
    assert accepted(town.run(3000)) == {"a": 2.0, "b": 2.0}


def test_the_dso_cuts_and_transmission_replaces(make: Any) -> None:
    def lab(job: object) -> object:
        if isinstance(job, Validate):
            return tuple(Allowed(e.id, 1.0 if e.id.startswith("b") else e.p_mw, make.BOUND) for e in job.activations)
        return make.answers(job)

    town = make.usual(lab=lab).run(3000)
    assert accepted(town) == {"a": 2.0, "b": 1.0, "t": 1.0}
    revised = next(o for a in town.contents(Acceptance) for o in a.offers if o.participant == "b")
    assert (revised.related_offer_id, revised.quantity_mw) == ("b.Q1.mFRR-up.1", 1.0)


def test_a_late_offer_is_rejected_with_the_reason(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, Offers) and e.sender == "a").run(2050)
    lost = next(e for _, e in town.said if isinstance(e.content, Offers) and e.sender == "a" and "/Q1/" in e.id)
    town.give("tso", Arrival(lost), town.now_us)
    town.run(2060)
    said = [e for _, e in town.said if isinstance(e.content, Rejection) and e.receiver == "a"]
    assert said[0].content.rejected[0].reason == "late: the gate had closed"
    assert "a" not in accepted(town)


def test_an_offer_at_the_very_gate_closure_is_in_time(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, Offers) and e.sender == "a").run(1999)
    lost = next(e for _, e in town.said if isinstance(e.content, Offers) and e.sender == "a" and "/Q1/" in e.id)
    town.give("tso", Arrival(lost), make.FIRST.gate_closure_us)
    assert accepted(town.run(2050))["a"] == 2.0


def test_an_award_after_the_offer_lapsed_binds_nobody(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, Acceptance) and e.receiver == "a", need_mw=4.0).run(2700)
    late = next(e for _, e in town.said if isinstance(e.content, Acceptance) and e.receiver == "a" and "/Q1/" in e.id)
    town.give("a", Arrival(late), town.now_us)
    town.run(3700)
    assert [w.reason for w in town.contents(Withdrawal, "a")] == ["the award came after the offer had lapsed"]
    assert not town.state("a").book.offers.get("a.Q1.mFRR-up.1")
    ordered = [c for c in (*town.contents(Activate), *town.contents(ActivateWhen)) if c.offer_id.startswith("a.Q1")]
    assert ordered == []


def test_an_award_of_what_was_not_offered_binds_nobody(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, Acceptance)).run(2050)
    true = next(e for _, e in town.said if isinstance(e.content, Acceptance) and e.receiver == "a")
    dearer = true.content.offers[0].model_copy(update={"price_eur_per_mwh": 1.0})
    forged = true.__class__(**{f: getattr(true, f) for f in true._fields} | {"content": Acceptance(offers=(dearer,))})
    town.give("a", Arrival(forged), town.now_us)
    town.run(2060)
    assert "not what was offered" in town.contents(Withdrawal, "a")[0].reason
    assert len(town.state("a").book.offers) == 0


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("exclude", {"t": 4.0}),
        ("use_prequalified_limits", {"a": 2.0, "b": 2.0}),
        ("accept", {"a": 2.0, "b": 2.0}),
    ],
)
def test_a_silent_dso_excludes_by_default_or_as_declared(make: Any, policy: str, expected: dict[str, float]) -> None:
    silent = lambda e: isinstance(e.content, MeritOrderVerdict)  # noqa: E731
    town = make.usual(loses=silent, silent_dso=policy).run(3000)
    assert accepted(town) == expected
    assert town.noted("no verdict")[0]["policy"] == policy


@pytest.mark.parametrize("policy", ["exclude", "use_prequalified_limits", "accept"])
def test_a_dso_whose_study_fails_is_never_a_silent_ok(make: Any, policy: str) -> None:
    lab = lambda job: "no solution" if isinstance(job, Validate) else make.answers(job)  # noqa: E731
    town = make.usual(lab=lab, silent_dso=policy).run(3000)
    assert town.contents(Failure, "dso")
    assert accepted(town) == {"t": 4.0}


def test_an_offer_that_the_dso_does_not_mention_is_excluded(make: Any) -> None:
    def lab(job: object) -> object:
        allowed = make.answers(job)
        return tuple(a for a in allowed if a.id.startswith("b")) if isinstance(job, Validate) else allowed

    town = make.usual(lab=lab).run(3000)
    assert accepted(town) == {"b": 2.0, "t": 2.0}


def test_a_dso_decides_about_offers_in_its_own_grid_only(make: Any) -> None:
    def lab(job: object) -> object:
        allowed = make.answers(job)
        return (*allowed, Allowed("t.Q1.mFRR-up.1", 0.0, make.BOUND)) if isinstance(job, Validate) else allowed

    town = make.usual(lab=lab, needs=(make.tso().profile.needs[0].__class__("mFRR", "up", 6.0),)).run(3000)
    assert accepted(town) == {"a": 2.0, "b": 2.0, "t": 2.0}


def changed_offer(make: Any, **changes: Any) -> Any:
    """A town where a's offer is replaced on its way."""
    town = make.usual(loses=lambda e: isinstance(e.content, Offers) and e.sender == "a").run(1999)
    said = next(e for _, e in town.said if isinstance(e.content, Offers) and e.sender == "a" and "/Q1/" in e.id)
    forged = Offers(offers=(said.content.offers[0].model_copy(update=changes),))
    parts = {f: getattr(said, f) for f in said._fields} | {"content": forged}
    town.give("tso", Arrival(said.__class__(**parts)), make.FIRST.gate_closure_us - 1)
    return town.run(3000)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity_mw": 2.01},
        {"quantity_mw": 0.05},
        {"quantity_mw": 1.005},
        {"product": "aFRR"},
        {"direction": "down"},
        {"participant": "b"},
        {"grid": "transmission"},
        {"resource": "unit-b"},
        {"session": "Q2"},
        {"delivery_end": 4400_000_000},
        {"offer_id": "b.Q1.mFRR-up.1"},
        {"offer_id": "a.x.Q1.mFRR-up.1"},
        {"offer_id": "a.Q1.mFRR-down.1"},
        {"offer_id": "a.Q1.mFRR-up.1.r1"},
    ],
)
def test_an_offer_that_does_not_conform_is_rejected_with_the_reason(make: Any, changes: dict[str, Any]) -> None:
    town = changed_offer(make, **changes)
    assert "a" not in accepted(town)
    assert accepted(town)["b"] == 2.0
    reasons = [r.reason for e in town.contents(Rejection) for r in e.rejected if "cheaper" not in r.reason]
    assert reasons
    told = [o.participant for _, e in town.said if isinstance(e.content, Acceptance) for o in e.content.offers]
    assert "a" not in [e.receiver for _, e in town.said if isinstance(e.content, Acceptance) and "/Q1/" in e.id]
    assert "b" in told


@pytest.mark.parametrize("broken_at_s", [1999, 2100])
def test_whoever_does_not_understand_the_call_any_more_is_not_accepted(make: Any, broken_at_s: int) -> None:
    """Before the gate closes, or while the DSO is asked what it thinks of the list."""
    silent = lambda e: isinstance(e.content, MeritOrderVerdict)  # noqa: E731
    town = make.usual(loses=silent, silent_dso="accept").run(broken_at_s)
    call = next(
        e for _, e in town.said if isinstance(e.content, CallForOffers) and e.receiver == "a" and "/Q1/" in e.id
    )
    reply = NotUnderstood(message_id=call.id, reason="garbled")
    parts = {"id": f"{call.id}!a", "sender": "a", "receiver": "tso", "content": reply, "in_reply_to": call.id}
    kept = {"protocol": call.protocol, "conversation_id": call.conversation_id}
    town.give("tso", Arrival(call.__class__(**parts, **kept)), town.now_us)
    town.run(3000)
    assert accepted(town) == {"b": 2.0, "t": 2.0}


def test_the_list_of_a_dso_carries_no_prices(make: Any) -> None:
    town = make.usual().run(3000)
    assert "price" not in town.contents(MeritOrderList)[0].model_dump_json()
