"""Prequalification lanes: order of submission, tests, and what happens when somebody fails, refuses or is silent."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.actions import Open, Say
from gridpact.agents.bsp import Bsp
from gridpact.agents.dso.studies import Prequalify, UnknownPoint
from gridpact.agents.events import Started
from gridpact.agents.runtime.inputs import Arrival
from gridpact.agents.tso.prequalification.applicants import left, source_of
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
    TestSample,
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


def measuring(make: Any, measured: Any) -> Any:
    """What the meter of a's tests reads is changed."""
    town = make.usual().run(5)
    true = town._reading
    tests = ("a", "test")
    town._reading = lambda *asked: measured(true(*asked)) if asked == tests else true(*asked)
    return town.run(900)


def _times(reading: Any, factor: float) -> Any:
    units = tuple(unit._replace(activated_mw=factor * unit.activated_mw) for unit in reading.resources)
    return reading._replace(resources=units)


def test_a_failed_test_qualifies_what_was_sustained(make: Any) -> None:
    assert qualified(measuring(make, lambda reading: _times(reading, 0.5))) == {"a": 1.0, "b": 2.0, "t": 10.0}


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


def reasons(town: Any) -> dict[tuple[str, str], str | None]:
    """By resource and direction, why it is not more, as the TSO tells it."""
    told = [verdict for kind in (Qualified, NotQualified) for one in town.contents(kind) for verdict in one.verdicts]
    return {(verdict.resource, verdict.direction): verdict.reason for verdict in told}


def test_what_is_qualified_as_asked_needs_no_reason(make: Any) -> None:
    assert set(reasons(make.usual().run(999)).values()) == {None}


def test_the_verdict_on_a_failed_test_says_what_was_sustained(make: Any) -> None:
    told = reasons(measuring(make, lambda reading: _times(reading, 0.5)))
    assert told["unit-a", "up"] == "test failed: 1 of 2 MW sustained from 30 s after the order on"
    assert told["unit-b", "up"] is None


def test_a_failed_test_that_leaves_nothing_says_so_too(make: Any) -> None:
    (told,) = measuring(make, lambda reading: _times(reading, 0.04)).contents(NotQualified)
    reason = "test failed: 0.08 of 2 MW sustained from 30 s after the order on"
    assert [verdict.reason for verdict in told.verdicts] == [reason, reason]
    assert told.reason == f"nothing of what was applied for may be used: {reason}"


def test_a_report_with_too_few_samples_says_so(make: Any) -> None:
    late = lambda reading: reading._replace(at_us=0 if reading.at_us % 15_000_000 else reading.at_us)  # noqa: E731
    told = reasons(measuring(make, late))
    assert told["unit-a", "up"] == "test failed: 36.4 % of the samples reported, 95 % needed"


def test_a_verdict_without_a_test_report_says_so_and_what_was_not_tested_after_it(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, TestReport) and e.sender == "a").run(999)
    told = reasons(town)
    assert told["unit-a", "up"] == "no result of the test: no answer in time"
    assert told["unit-a", "down"] == "not tested, as the test of unit-a up had no result"


def reporting(make: Any, before_end_s: float, resource: str) -> Any:
    """a reports its first test by itself, with all that was asked for, so long before the test is over."""
    town = make.usual().run(60)
    order, about = next(
        (e.content, e.conversation_id) for _, e in town.said if isinstance(e.content, TestOrder) and e.receiver == "a"
    )
    town.run(order.start / 1e6 + order.duration_s - before_end_s)
    times = range(0, int(order.duration_s), 5)
    report = TestReport(resource=resource, samples=tuple(TestSample(offset_s=at_s, p_mw=2.0) for at_s in times))
    a, effects = town.nodes["a"], list[Any]()
    a.state = replace(a.state, test=None)
    a._carry_out((Say(about, report),), Started(), effects)
    for effect in effects:
        town._carry_out("a", effect)
    return town


def test_a_report_before_the_end_of_what_is_held_is_none(make: Any) -> None:
    for early_s in (119, 21):
        town = reporting(make, early_s, "unit-a").run(999)
        assert reasons(town)["unit-a", "up"] == "no result of the test: the report came before the test was over"
        assert qualified(town) == {"b": 2.0, "t": 10.0}


def test_a_report_after_it_counts_also_before_the_resource_is_back(make: Any) -> None:
    town = reporting(make, 19, "unit-a")
    town.run(town.now_us / 1e6)
    assert [(note["resource"], note["passed"]) for note in town.noted("test judged")] == [("unit-a", True)]


def test_a_report_of_another_resource_is_none_of_the_test(make: Any) -> None:
    town = reporting(make, 5, "unit-b").run(999)
    assert reasons(town)["unit-a", "up"] == "no result of the test: the report is about unit-b"
    assert qualified(town) == {"b": 2.0, "t": 10.0}


@pytest.mark.parametrize("policy", ["exclude", "use_prequalified_limits"])
def test_whoever_is_excluded_because_the_dso_is_silent_hears_that(make: Any, policy: str) -> None:
    town = make.usual(deaf={"dso"}, silent_dso=policy).run(1200)
    reason = f"dso: no answer in time (silent_dso: {policy})"
    assert {reasons(town)[f"unit-{name}", "up"] for name in ("a", "b")} == {reason}
    assert {note["reason"] for note in town.noted("not qualified")} == {
        f"nothing of what was applied for may be used: {reason}"
    }


def test_whoever_the_dso_cannot_evaluate_hears_what_it_says(make: Any) -> None:
    lab = lambda job: UnknownPoint(("point-a",)) if isinstance(job, Prequalify) else make.answers(job)  # noqa: E731
    town = make.usual(lab=lab, loses=lambda e: isinstance(e.content, Application) and e.sender == "b").run(999)
    assert reasons(town)["unit-a", "up"] == "dso: unknown connection points: point-a"


def test_what_the_dso_passes_over_or_leaves_too_little_of_says_so(make: Any) -> None:
    def lab(job: Any) -> object:
        if not isinstance(job, Prequalify):
            return make.answers(job)
        return tuple(Allowed(e.id, 0.05, make.BOUND) for e in job.activations if e.id.endswith("|up"))

    town = make.usual(lab=lab).run(999)
    told = reasons(town)
    assert told["unit-a", "up"] == "0.05 MW, where the least bid is 0.1 MW"
    assert told["unit-a", "down"] == "the DSO says nothing about it"


def test_a_dso_that_allows_less_and_gives_no_ground_is_told_of(make: Any) -> None:
    town = make.usual(lab=lambda job: _without_ground(make, job)).run(999)
    assert reasons(town)["unit-a", "up"] == "the DSO does not say why"


def _without_ground(make: Any, job: Any) -> object:
    return (
        tuple(Allowed(e.id, e.p_mw / 2, None) for e in job.activations)
        if isinstance(job, Prequalify)
        else make.answers(job)
    )


def test_a_reason_stays_short_enough_to_be_told(make: Any) -> None:
    lab = lambda job: "x" * 1900 if isinstance(job, Prequalify) else make.answers(job)  # noqa: E731
    for told in make.usual(lab=lab).run(999).contents(NotQualified):
        assert NotQualified.model_validate_json(told.model_dump_json()) == told


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
