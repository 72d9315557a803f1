"""The short-time rating in real time: borne for its time, then limits tighten; lifted by the continuous rating only."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.dso import Dso, short_time
from gridpact.agents.dso.state import DsoState
from gridpact.agents.dso.studies import Monitor, Watch
from gridpact.agents.profiles import DsoProfile
from gridpact.grid.limits.allowing import Allowed, Binding
from gridpact.protocols.information.activation import LimitRequest
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import load_scenario

S = 1_000_000
SHORT_S = 300
LOADED = Binding("line 3-8", "loading_percent", 110.0, 100.0, "12:00:00")


def town(make: Any, lab: Any, short_time_us: int | None = SHORT_S * S) -> Any:
    profile = make.dso().profile
    parts = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    dso = Dso(DsoProfile(**{**parts, "short_time_us": short_time_us}))
    people = (make.bsp("a"), make.bsp("b", price=70.0), make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0))
    return make.town(make.tso(), dso, *people, lab=lab, need_mw=4.0).begin()


def loaded(make: Any) -> Any:
    """More than 0.5 MW of b is beyond the continuous rating, more than 1.5 MW beyond the short-time one."""

    def lab(job: object) -> object:
        if not isinstance(job, Monitor):
            return make.answers(job)
        most = 1.5 if job.rating == "short_time" and LOADED.element not in job.spent else 0.5
        found = []
        for each in job.ordered:
            room = min(each.p_mw, most if each.id.startswith("b.") else 9.0)
            found.append(Allowed(each.id, room, LOADED if room < each.p_mw else None))
        on_mw = sum(each.p_mw for each in job.ordered if each.id.startswith("b."))
        bound = any(each.binding for each in found)
        now = make.calm(0, *([LOADED] if on_mw > 0.5 else []))
        return Watch(now, now, tuple(found) if bound or job.look else None, 0.0)

    return lab


def requests(agents: Any) -> list[tuple[float, float]]:
    return [(at / S, e.content.limits[0].max_mw) for at, e in agents.said if isinstance(e.content, LimitRequest)]


def test_what_the_short_time_rating_bears_stays_for_its_time_and_is_then_limited(make: Any) -> None:
    agents = town(make, loaded(make)).run(4400)
    (first, borne_mw), (second, left_mw) = requests(agents)[:2]
    assert (borne_mw, left_mw) == (1.5, 0.5)
    began = next(at for at, _, note in agents.notes if note.evidence["name"] == "short-time rating in use") / S
    assert first - began <= 4
    assert 0.8 * SHORT_S <= second - began <= SHORT_S
    assert agents.noted("short-time rating in use")[0]["left_s"] == SHORT_S - 4
    assert len(agents.noted("short time nearly over")) == 1


def test_the_time_is_available_again_only_when_all_has_cooled_down(make: Any) -> None:
    agents = town(make, loaded(make)).run(4500)
    over = next(at for at, _, note in agents.notes if note.evidence["name"] == "short time nearly over")
    again = next(at for at, _, note in agents.notes if note.evidence["name"] == "short-time rating available again")
    assert (again - over) / S >= 0.8 * SHORT_S
    assert {mw for _, mw in requests(agents)[1:]} == {0.5}  # and nothing is lifted by the short-time rating


def test_without_the_option_the_continuous_rating_counts_at_once(make: Any) -> None:
    agents = town(make, loaded(make), None).run(4000)
    assert requests(agents)[0][1] == 0.5
    assert agents.noted("short-time rating in use") == []


def test_the_option_needs_a_grid_with_a_short_time_rating() -> None:
    option = {"coordination.limits.short_time": "true"}
    with pytest.raises(ScenarioError, match="short_time needs a grid with"):
        load_scenario("scenario-1-dso", option)
    rated = load_scenario("scenario-1-dso", {**option, "grids.north.limits.short_time_percent": "120"})
    assert rated.coordination.limits.short_time


def test_each_element_has_its_own_time(make: Any) -> None:
    profile = replace(make.dso().profile, short_time_us=SHORT_S * S)
    look_us = profile.monitoring_us * profile.state_every
    state, names = DsoState(), []
    for look in range(SHORT_S * S // look_us):
        loaded_now = [LOADED] if look < 60 else [LOADED, replace(LOADED, element="line 2-3")]
        now = make.calm(0, *loaded_now)
        state, notes = short_time.counted(profile, state, Watch(now, now, None, 0.0))
        names += [(note.evidence["name"], note.evidence["element"]) for note in notes]
    assert state.spent == ("line 3-8",)
    assert 0 < state.heated_us["line 2-3"] < state.heated_us["line 3-8"]
    assert names == [
        ("short-time rating in use", "line 3-8"),
        ("short time nearly over", "line 3-8"),
        ("short-time rating in use", "line 2-3"),
    ]
