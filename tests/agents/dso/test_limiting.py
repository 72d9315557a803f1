"""Limits have a validity that counts, are renewed by the DSO while needed, and do not flutter."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from gridpact.agents.changes import replace
from gridpact.agents.dso import Dso, limiting
from gridpact.agents.dso.state import InForce
from gridpact.agents.dso.studies import Watch
from gridpact.agents.profiles import DsoProfile
from gridpact.protocols.information.activation import LimitOrder, LimitRequest, Measurement

MINUTE_US = 60_000_000


def changed(make: Any, **changes: Any) -> Any:
    """The DSO with another profile."""
    profile = make.dso().profile
    parts = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    return Dso(DsoProfile(**{**parts, **changes}))


def town(make: Any, lab: Any, *, tso: dict[str, Any] | None = None, **changes: Any) -> Any:
    people = (make.bsp("a"), make.bsp("b", price=70.0), make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0))
    agents = make.town(make.tso(**(tso or {})), changed(make, **changes), *people, lab=lab, need_mw=4.0)
    return agents.begin()


def silence(agents: Any, name: str) -> None:
    agents.loses = lambda envelope: envelope.sender == name


def caps(agents: Any) -> dict[str, float]:
    return dict(agents.state("tso").activation.caps)


def test_a_limit_is_renewed_as_it_is_before_its_validity_is_over(make: Any) -> None:
    agents = town(make, make.capped(b=0.5), limit_validity_us=3 * MINUTE_US).run(4200)
    requests = [(at // 1_000_000, e.content.limits[0]) for at, e in agents.said if isinstance(e.content, LimitRequest)]
    assert {limit.max_mw for _, limit in requests} == {0.5}
    assert all(later - earlier <= 124 for (earlier, _), (later, _) in pairwise(requests))
    assert caps(agents) == {"b|unit-b|up": 0.5}
    assert agents.state("b").set_points["unit-b"] == 0.5
    assert agents.noted("limits lapsed") == agents.noted("limit lapsed") == []


def test_a_limit_on_who_delivers_nothing_any_more_lapses_instead_of_naming_a_forgotten_offer(make: Any) -> None:
    agents = town(make, make.capped(b=0.5), limit_validity_us=3 * MINUTE_US).run(4200)
    dso, state = agents.nodes["dso"].agent, agents.state("dso")
    nothing = Watch(make.calm(), make.calm(), None, 0.0)
    (known,) = state.limits.values()
    assert [limit.max_mw for _, limit in limiting.due(dso.profile, state, nothing, known.until_us - 1)] == [0.5]
    long_over = replace(state, accepted=Map())
    assert limiting.due(dso.profile, long_over, nothing, known.until_us - 1) == ()


@pytest.mark.parametrize(
    ("policy", "left", "ordered_mw"),
    [("release", {}, 2.0), ("keep", {"b|unit-b|up": 0.5}, 0.5), ("terminate", {"b|unit-b|up": 0.0}, 0.0)],
)
def test_a_silent_dsos_limits_hold_until_their_validity_and_then_the_policy(
    policy: str, left: dict[str, float], ordered_mw: float, make: Any
) -> None:
    agents = town(make, make.capped(b=0.5), tso={"lapsed_limits": policy}, limit_validity_us=3 * MINUTE_US).run(3650)
    silence(agents, "dso")
    until_s = agents.state("tso").activation.cap_ends["b|unit-b|up"] / 1e6
    agents.run(until_s - 1)
    assert (caps(agents), agents.state("b").set_points["unit-b"]) == ({"b|unit-b|up": 0.5}, 0.5)
    agents.run(until_s + 10)
    assert caps(agents) == left
    assert agents.noted("limits lapsed")[0]["policy"] == policy
    assert agents.state("b").set_points["unit-b"] == ordered_mw


def test_a_participant_whose_limit_lapses_rises_only_when_it_is_ordered_to(make: Any) -> None:
    agents = town(make, make.capped(b=0.5), limit_validity_us=3 * MINUTE_US).run(3650)
    agents.loses = lambda envelope: envelope.sender in ("dso", "tso")
    until_s = agents.state("b").book.cap_ends["unit-b|up"] / 1e6
    agents.run(until_s + 3)
    assert agents.noted("limit lapsed") == [{"name": "limit lapsed", "limited": "unit-b|up"}]
    assert dict(agents.state("b").book.caps) == {}
    assert agents.state("b").set_points["unit-b"] == 0.5


def test_a_dso_looks_at_every_nth_reading_only_if_told_so(make: Any) -> None:
    agents = town(make, make.capped(b=0.5), state_every=5)
    agents.run(3640)
    limited_s = next(at for at, e in agents.said if isinstance(e.content, LimitRequest)) / 1e6
    assert (limited_s - 3600) % 20 == 0
    assert agents.state("dso").counting.readings


def test_a_limit_is_lifted_only_to_the_room_that_has_lasted(make: Any) -> None:
    """Room that comes and goes within the hold time lifts nothing; what was always there does."""
    agents = town(make, make.capped(b=0.5)).run(3650)
    for second in range(3660, 4400, 20):
        agents.lab = make.capped(b=2.0 if (second // 60) % 2 else 0.9)
        agents.run(second)
    sent = [limit.max_mw for request in agents.contents(LimitRequest) for limit in request.limits]
    assert sent[0] == 0.5
    assert set(sent) <= {0.5, 0.9}
    assert sent == sorted(sent)


@settings(max_examples=6, deadline=None)
@given(room=st.lists(st.sampled_from([0.0, 0.3, 0.8, 1.4, 2.0]), min_size=12, max_size=12))
def test_a_limit_is_reversed_at_most_once_in_five_minutes(room: list[float], make: Any) -> None:
    """However the room changes from minute to minute: taken-back lifts are at least five minutes apart."""
    profile = changed(make).profile
    from gridpact.scenarios.kpis.reaction import FIVE_MINUTES_US, _densest

    agents = town(make, make.capped())
    agents.run(3605)
    for minute, mw in enumerate(room):
        agents.lab = make.capped(b=mw)
        agents.run(3605 + 60 * (minute + 1))
    requests = [(at, e.content) for at, e in agents.said if isinstance(e.content, LimitRequest)]
    sent = [(at, limit.max_mw) for at, request in requests for limit in request.limits]
    raised_us = [at for (_, before), (at, mw) in pairwise(sent) if mw > before]
    assert profile.hold_limit_us == FIVE_MINUTES_US
    assert _densest(raised_us) <= 1


def test_without_info_7_all_that_was_accepted_counts_as_on(make: Any) -> None:
    agents = town(make, make.capped()).run(3700)
    agents.loses = lambda e: isinstance(e.content, Measurement) and (e.sender, e.receiver) == ("b", "dso")
    jobs: list[Any] = []
    agents.lab = lambda job: (jobs.append(job), make.answers(job))[1]
    agents.need_mw = 2.0
    agents.run(3760)
    assert agents.noted("measurements missing") == [
        {"name": "measurements missing", "participant": "b", "assumed_share": 1.0}
    ]
    assert dict(jobs[-1].measured)["point-b"] == 2.0
    assert {each.id: each.p_mw for each in jobs[-1].ordered}["b.Q1.mFRR-up.1"] == 2.0
    agents.loses = lambda _: False
    agents.run(3780)
    assert dict(jobs[-1].measured)["point-b"] == 0.0
    assert agents.noted("measurements no longer missing")


def test_info_7_from_the_future_is_none(make: Any) -> None:
    agents = town(make, make.capped()).run(3700)
    make.ahead(agents, "b", 3600)
    agents.run(3760)
    assert [note["participant"] for note in agents.noted("measurements missing")] == ["b"]
    make.ahead(agents, "b", -3600)
    agents.run(3780)
    assert agents.noted("measurements no longer missing")


def test_a_clock_that_is_a_little_ahead_makes_nobody_missing_and_nobody_fresh_for_longer(make: Any) -> None:
    agents = town(make, make.capped()).run(3700)
    make.ahead(agents, "b", 12)
    agents.run(3760)
    assert agents.noted("measurements missing") == []
    assert agents.state("dso").heard_us["b"] == 3_760_000_000


def test_a_confirmed_limit_bounds_what_is_assumed(make: Any) -> None:
    agents = town(make, make.capped(b=0.5)).run(3700)
    agents.loses = lambda e: isinstance(e.content, Measurement) and (e.sender, e.receiver) == ("b", "dso")
    jobs: list[Any] = []
    lab = make.capped(b=0.5)
    agents.lab = lambda job: (jobs.append(job), lab(job))[1]
    agents.run(3730)
    assert dict(jobs[-1].measured)["point-b"] == 0.5


def test_the_first_violating_reading_leads_to_info_8_in_the_same_dso_cycle(make: Any) -> None:
    agents, begun_us = town(make, make.capped()).run(3701), 3_701_000_000
    agents.lab = make.capped(b=0.5)
    agents.run(3709)
    read_us = next(
        at for at, _, note in agents.notes if note.evidence["name"] == "grid monitored" and at > 3_701_000_000
    )
    asked_us = next(at for at, e in agents.said if isinstance(e.content, LimitRequest))
    assert asked_us == read_us <= begun_us + make.CYCLE


def test_info_8_leads_to_a_lowered_set_point_within_two_tso_cycles(make: Any) -> None:
    agents = town(make, make.capped()).run(3701)
    agents.lab = make.capped(b=0.5)
    agents.run(3720)
    asked_us = next(at for at, e in agents.said if isinstance(e.content, LimitRequest))
    lowered_us = next(at for at, e in agents.said if isinstance(e.content, LimitOrder))
    applied_us = next(at for at, name, move in agents.moves if name == "b" and move.value == 0.5)
    assert asked_us <= lowered_us <= applied_us <= asked_us + 2 * make.CYCLE


def test_what_is_known_of_a_limit_can_be_hashed() -> None:
    assert isinstance(hash(InForce(1.0, 0, "c", looks=((1, 2.0),))), int)


def test_a_limit_says_whether_its_ground_is_measured_or_expected(make: Any) -> None:
    ahead = make.capped(b=0.5)

    def now(job: object) -> object:
        found = ahead(job)
        return found._replace(now=found.ahead) if getattr(found, "allowed", None) else found

    grounds = []
    for lab in (ahead, now):
        agents = town(make, lab, limit_validity_us=3 * MINUTE_US).run(4200)
        requests = agents.contents(LimitRequest)
        assert len(requests) > 1  # the renewals keep it
        grounds.append({limit.ground for request in requests for limit in request.limits})
        assert {order.limit.ground for order in agents.contents(LimitOrder)} == grounds[-1]
    assert grounds == [{"expected"}, {"measured"}]


def test_a_lift_has_no_ground(make: Any) -> None:
    agents = town(make, make.capped(b=0.5)).run(3700)
    agents.lab = make.capped(b=9.0)
    last = agents.run(4400).contents(LimitRequest)[-1].limits[0]
    assert (last.binding, last.ground) == (None, None)
