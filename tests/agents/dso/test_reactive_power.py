"""A DSO studies the reactive power that comes along with active power: as it was declared, and as it is measured."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.bsp import Bsp
from gridpact.agents.dso import hearing
from gridpact.agents.dso.state import Told
from gridpact.agents.dso.studies import Monitor, Prequalify, Validate
from gridpact.grid.limits.allowing import Activation
from gridpact.protocols.information.activation import PointPower

RATE = 0.5


def town(make: Any) -> tuple[Any, list[Any]]:
    """a's unit injects Mvar with its MW, b's does not; what the DSO asked of its studies."""
    jobs: list[Any] = []
    answers = make.capped(b=0.5)

    def lab(job: object) -> object:
        jobs.append(job)
        return answers(job)

    own = make.bsp("a").profile
    unit = own.resources[0].model_copy(update={"q_mvar_per_mw": RATE})
    people = Bsp(replace(own, resources=(unit,))), make.bsp("b", price=70.0)
    t = make.bsp("t", grid=make.TRANSMISSION, mw=10.0, price=95.0)
    return make.town(make.tso(), make.dso(), *people, t, lab=lab, need_mw=4.0).begin().run(3900), jobs


def asked(job: Any) -> tuple[Activation, ...]:
    return job.ordered if isinstance(job, Monitor) else job.activations


@pytest.mark.parametrize("study", [Prequalify, Validate, Monitor])
def test_every_study_knows_the_reactive_power_that_was_declared(study: type, make: Any) -> None:
    _, jobs = town(make)
    found = [each for job in jobs if isinstance(job, study) for each in asked(job)]
    assert {each.q_per_p for each in found if each.points[0][0] == "point-a"} == {RATE}
    assert {each.q_per_p for each in found if each.points[0][0] == "point-b"} == {0.0}


def test_what_is_measured_of_a_point_counts_with_its_reactive_power() -> None:
    assert PointPower(point="point-a", p_mw=2.0, q_mvar=-0.3).power_mva == 2.0 - 0.3j
    assert isinstance(PointPower(point="point-a", p_mw=2.0, q_mvar=0.0).power_mva, float)


def test_whoever_is_missing_counts_with_the_reactive_power_that_it_declared(make: Any) -> None:
    place, _ = town(make)
    profile, state = place.nodes["dso"].agent.profile, place.state("dso")
    heard = replace(state, told=state.told.set("a", Told(1.0, 1.0, (("point-a", 1.0 + 0.2j),))), missing=frozenset())
    assert dict(hearing.measured(profile, heard, place.now_us))["point-a"] == 1.0 + 0.2j
    silent = dict(hearing.measured(profile, replace(heard, missing=frozenset({"a"})), place.now_us))["point-a"]
    assert silent.real > 0
    assert silent.imag == pytest.approx(RATE * silent.real)
