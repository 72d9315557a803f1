"""Prequalification lanes: order of submission, tests, and what happens when somebody fails, refuses or is silent."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.actions import Open
from gridpact.agents.bsp import Bsp
from gridpact.agents.dso.studies import Prequalify, UnknownPoint
from gridpact.agents.events import Started
from gridpact.agents.runtime.inputs import Arrival
from gridpact.agents.tso.applicants import left, source_of
from gridpact.grid.limits.allowing import Allowed
from gridpact.protocols.envelope import Topic
from gridpact.protocols.information.activation import Activate, ActivateWhen
from gridpact.protocols.information.capacity import (
    Application,
    CapacityRequest,
    CapacityVerdict,
    Dynamics,
    NotQualified,
    Qualified,
    TestOrder,
    TestReport,
)
from gridpact.protocols.information.offering import Offers
from gridpact.protocols.messages import Failure, Refuse
from gridpact.protocols.stages import prequalification


def qualified(town: Any) -> dict[str, float]:
    known = town.state("tso").prequalification.qualified
    return {name: sum(v.max_mw for v in verdicts if v.direction == "up") for name, verdicts in sorted(known.items())}


def of(prefix: str, mw: float, make: Any) -> Any:
    def lab(job: Any) -> object:
        if not isinstance(job, Prequalify):
            return make.answers(job)
        return tuple(
            Allowed(e.id, max(-mw, min(mw, e.p_mw)), make.BOUND)
            if e.id.startswith(f"unit-{prefix}")
            else Allowed(e.id, e.p_mw, None)
            for e in job.activations
        )

    return lab


def test_everybody_who_passes_the_test_is_qualified(make: Any) -> None:
    assert qualified(make.usual().run(900)) == {"a": 2.0, "b": 2.0, "t": 10.0}


def test_the_dsos_limit_is_what_is_tested_and_qualified(make: Any) -> None:
    town = make.usual(lab=of("a", 1.25, make)).run(900)
    tested = [s.p_mw for o in town.contents(TestOrder) if o.resource == "unit-a" for s in o.steps]
    assert qualified(town)["a"] == 1.25
    assert max(tested) == 1.25


def test_nobody_offers_more_than_was_qualified_and_nothing_more_is_activated(make: Any) -> None:
    town = make.usual(lab=of("a", 1.25, make), need_mw=6.0).run(4000)
    offered = [o.quantity_mw for e in town.contents(Offers, "a") for o in e.offers]
    ordered = [
        o.power_mw for kind in (Activate, ActivateWhen) for o in town.contents(kind) if o.offer_id.startswith("a.")
    ]
    assert offered == [1.25, 1.25]
    assert max(ordered) <= 1.25


def test_a_failed_test_qualifies_what_was_sustained(make: Any) -> None:
    town = make.usual()
    town.run(5)
    real = town._reading
    weak = lambda name, source: _halved(real(name, source)) if (name, source) == ("a", "test") else real(name, source)  # noqa: E731
    town._reading = weak
    assert qualified(town.run(900)) == {"a": 1.0, "b": 2.0, "t": 10.0}


def _halved(reading: Any) -> Any:
    return reading._replace(resources=tuple(r._replace(activated_mw=r.activated_mw / 2) for r in reading.resources))


def slow(make: Any, product: str, preparation_s: float, ramping_s: float) -> Any:
    """a as slow as that, and b as ever."""
    dynamics = Dynamics(preparation_s=preparation_s, ramping_s=ramping_s, deactivation_s=10)
    a = Bsp(replace(make.bsp("a").profile, product=product, dynamics=dynamics))
    return make.town(make.tso(), make.dso(), a, make.bsp("b")).begin().run(3000)


@pytest.mark.parametrize(("product", "most_s"), [("mFRR", 750), ("aFRR", 300)])
def test_whoever_declares_to_be_slower_than_the_product_is_refused_with_the_reason(
    make: Any, product: str, most_s: int
) -> None:
    town = slow(make, product, 31, most_s - 30)
    reason = f"fully active after {most_s + 1} s, but {product} must be after {most_s} s"
    assert [refusal.reason for refusal in town.contents(Refuse, "tso")] == [reason]
    assert [note["reason"] for note in town.noted("not qualified")] == [reason]
    assert [request.applicant for request in town.contents(CapacityRequest)] == ["b"]
    assert qualified(town) == {"b": 2.0}


@pytest.mark.parametrize(("product", "most_s"), [("mFRR", 750), ("aFRR", 300)])
def test_whoever_is_just_as_fast_as_the_product_is_tested_and_qualified(make: Any, product: str, most_s: int) -> None:
    town = slow(make, product, 30, most_s - 30)
    order = next(order for order in town.contents(TestOrder) if order.resource == "unit-a")
    assert order.steps[1].offset_s - order.steps[0].offset_s == most_s + 60
    assert qualified(town) == {"a": 2.0, "b": 2.0}


def test_a_silent_participant_is_not_qualified_and_the_lane_goes_on(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, TestReport) and e.sender == "a").run(999)
    assert qualified(town) == {"b": 2.0, "t": 10.0}
    assert [e.receiver for _, e in town.said if isinstance(e.content, NotQualified)] == ["a"]


@pytest.mark.parametrize(
    ("policy", "expected"), [("exclude", []), ("use_prequalified_limits", []), ("accept", ["a", "b"])]
)
def test_a_silent_dso_qualifies_nobody_by_default_or_as_declared(make: Any, policy: str, expected: list[str]) -> None:
    town = make.usual(deaf={"dso"}, silent_dso=policy).run(1200)
    assert sorted(qualified(town)) == sorted([*expected, "t"])


@pytest.mark.parametrize("policy", ["exclude", "accept"])
def test_a_dso_whose_study_fails_qualifies_nobody_and_the_lane_goes_on(make: Any, policy: str) -> None:
    lab = lambda job: "diverged" if isinstance(job, Prequalify) else make.answers(job)  # noqa: E731
    town = make.usual(lab=lab, silent_dso=policy).run(999)
    assert len(town.contents(Failure, "dso")) == 2
    assert len(town.contents(NotQualified)) == 2
    assert qualified(town) == {"t": 10.0}


def test_a_dso_cannot_allow_more_than_was_applied_for_nor_pass_over_a_resource(make: Any) -> None:
    def lab(job: Any) -> object:
        if not isinstance(job, Prequalify):
            return make.answers(job)
        return tuple(Allowed(e.id, 9.0, None) for e in job.activations if e.id.endswith("|up"))

    town = make.usual(lab=lab).run(999)
    verdicts = {(v.resource, v.direction): v.max_mw for q in town.contents(Qualified) for v in q.verdicts}
    assert (verdicts["unit-a", "up"], verdicts["unit-a", "down"]) == (2.0, 0.0)


def test_a_joint_request_with_unknown_points_does_not_make_the_others_fail(make: Any) -> None:
    def lab(job: Any) -> object:
        points = [point for e in job.activations for point, _ in e.points] if isinstance(job, Prequalify) else []
        return UnknownPoint(("point-a",)) if "point-a" in points else make.answers(job)

    town = make.usual(lab=lab, applicant_order="joint").run(999)
    assert [r.judged_with for r in town.contents(CapacityRequest)] == [2, 2]
    assert [r.reason for r in town.contents(Refuse, "dso")] == ["unknown connection points: point-a"]
    assert qualified(town) == {"b": 2.0, "t": 10.0}


def test_a_joint_request_that_is_lost_does_not_hold_up_the_others(make: Any) -> None:
    lost = lambda e: isinstance(e.content, CapacityRequest) and e.content.applicant == "a"  # noqa: E731
    town = make.usual(loses=lost, applicant_order="joint").run(999)
    assert qualified(town) == {"b": 2.0, "t": 10.0}


def apply(make: Any, town: Any, name: str, subject: str, **changes: Any) -> None:
    true = next(e.content for _, e in town.said if isinstance(e.content, Application) and e.sender == name)
    topic = Topic(name, "prequalification", "application", subject, "tso")
    effects: list[Any] = []
    opening = Open(prequalification.PREQUALIFICATION, topic, true.model_copy(update=changes), 999_000_000)
    town.nodes[name]._carry_out((opening,), Started(), effects)
    for effect in effects:
        town._carry_out(name, effect)


def test_a_participant_applies_once(make: Any) -> None:
    town = make.usual().run(6)
    apply(make, town, "a", "again")
    assert [r.reason for r in town.run(7).contents(Refuse, "tso")] == ["a has applied already"]
    assert qualified(town.run(999)) == {"a": 2.0, "b": 2.0, "t": 10.0}


def test_nobody_applies_with_a_resource_of_another(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, Application) and e.sender == "b").run(6)
    theirs = next(e.content for _, e in town.said if isinstance(e.content, Application) and e.sender == "a")
    apply(make, town, "b", "theirs", resources=theirs.resources)
    town.loses = lambda _: False
    apply(make, town, "b", "theirs-too", resources=theirs.resources)
    assert [r.reason for r in town.run(7).contents(Refuse, "tso")] == ["applied for already: unit-a"]


def test_an_applicant_that_has_left_may_apply_again_and_others_with_its_resources(make: Any) -> None:
    state = make.usual().run(6).state("tso")
    key = state.prequalification.applied["a"]
    again = left(state, key)
    assert (source_of(state, "a"), source_of(again, "a")) == (state.prequalification.applicants[key].application, None)
    assert (sorted(again.prequalification.applied), sorted(again.prequalification.claimed)) == (
        ["b", "t"],
        ["unit-b", "unit-t"],
    )


def test_whoever_is_looked_up_is_found_without_looking_at_the_others(make: Any) -> None:
    state = make.usual().run(999).state("tso")
    applicants = state.prequalification.applicants
    assert {name: applicants[key].application.applicant for name, key in state.prequalification.applied.items()} == {
        name: name for name in ("a", "b", "t")
    }
    assert dict(state.prequalification.claimed) == {"unit-a": "a", "unit-b": "b", "unit-t": "t"}


def test_the_order_of_arrival_changes_no_verdict(make: Any) -> None:
    asked = [r.applicant for r in make.usual().run(900).contents(CapacityRequest)]
    assert asked == ["a", "b"]


def test_a_verdict_that_comes_late_does_not_count(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, CapacityVerdict)).run(400)
    lost = next(e for _, e in town.said if isinstance(e.content, CapacityVerdict))
    town.give("tso", Arrival(lost), town.now_us)
    assert qualified(town.run(999)) == {"t": 10.0}
