"""Lists of two products for one time: fine apart they may be too much together, so one is validated on the other."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.bsp import Bsp
from gridpact.agents.dso.studies import Validate
from gridpact.agents.market.channel import ChannelRules
from gridpact.agents.profiles import Need, RegulationRules
from gridpact.agents.strategies import ProportionalIntegral
from gridpact.agents.tso import Tso
from gridpact.grid.limits.allowing import Activation, Allowed
from gridpact.protocols.information.offering import Acceptance, AcceptanceNotice, MeritOrderVerdict
from gridpact.scenarios import plants
from gridpact.scenarios.loading import load_scenario

S = 1_000_000
ROOM_MW = 3.0


def bears(make: Any, asked: list[Validate]) -> Any:
    """A grid that bears 3 MW upwards, whatever they are for."""

    def lab(job: object) -> object:
        if not isinstance(job, Validate):
            return make.answers(job)
        asked.append(job)
        left, found = ROOM_MW - sum(each.p_mw for each in job.earlier), []
        for each in job.activations:
            room = min(each.p_mw, left)
            left -= room
            found.append(Allowed(each.id, room, make.BOUND if room < each.p_mw else None))
        return tuple(found)

    return lab


def two_products(make: Any, afrr_mw: float = 2.0, **world: Any) -> tuple[Any, list[Validate]]:
    """a offers aFRR, b mFRR, 2 MW each in the DSO's grid; t offers mFRR on transmission."""
    asked: list[Validate] = []
    tso = make.tso(Need("aFRR", "up", afrr_mw), Need("mFRR", "up", 2.0))
    rules = RegulationRules(ProportionalIntegral(0.5, 20.0), "merit_order", ChannelRules(30 * S, 300 * S, 0.05, 100.0))
    regulating = make.bsp("a", make.plan("a", product="aFRR")).profile
    people = Bsp(replace(regulating, product="aFRR")), make.bsp("b"), make.bsp("t", grid=make.TRANSMISSION, price=90.0)
    agents = Tso(replace(tso.profile, regulation=rules)), make.dso(), *people
    return make.town(*agents, lab=bears(make, asked), **world).begin(), asked


def accepted(town: Any) -> dict[str, float]:
    offers = [offer for said in town.contents(Acceptance) for offer in said.offers if offer.session == "Q1"]
    return {offer.participant: offer.quantity_mw for offer in offers}


def test_two_products_that_are_fine_alone_are_capped_together(make: Any) -> None:
    town, asked = two_products(make)
    town.run(2050)
    first, second = asked[:2]
    assert (first.earlier, [each.id for each in second.earlier]) == ((), ["a.Q1.aFRR-up.1"])
    assert sum(each.p_mw for each in first.activations) <= ROOM_MW
    assert sum(each.p_mw for each in second.activations) <= ROOM_MW
    assert accepted(town) == {"a": 2.0, "b": 1.0, "t": 1.0}


def test_the_later_list_is_validated_on_what_was_accepted_of_the_earlier_not_on_what_was_allowed(make: Any) -> None:
    town, asked = two_products(make, afrr_mw=0.5)
    assert accepted(town.run(2050)) == {"a": 0.5, "b": 2.0}
    assert [each.p_mw for each in asked[1].earlier] == [0.5]


def test_a_list_of_which_nothing_was_accepted_leaves_all_the_room(make: Any) -> None:
    town, asked = two_products(make, afrr_mw=0.0)
    assert accepted(town.run(2050)) == {"b": 2.0}
    assert next(notice.offers for notice in town.contents(AcceptanceNotice)) == ()
    assert asked[1].earlier == ()


def test_who_does_not_hear_what_was_accepted_takes_what_was_allowed_after_a_minute(make: Any) -> None:
    town, asked = two_products(make, afrr_mw=0.5, loses=lambda e: isinstance(e.content, AcceptanceNotice))
    assert accepted(town.run(2150)) == {"a": 0.5, "b": 1.0, "t": 1.0}
    assert [each.p_mw for each in asked[1].earlier] == [2.0]
    verdicts = [at / S for at, e in town.said if isinstance(e.content, MeritOrderVerdict)][:2]
    assert verdicts[1] - verdicts[0] == pytest.approx(60, abs=1)


@pytest.mark.parametrize("scope", ["prefix", "subset"])
def test_in_a_real_grid_the_third_of_three_is_cut_whichever_list_it_is_in(scope: Any) -> None:
    scenario = load_scenario("scenario-1-dso")
    studies = plants.laboratory(scenario, plants.resources(scenario)).studies["north"]
    a, b, c = (Activation(f"{one}", ((f"unit-{one}", 1.0),), 2.5) for one in "abc")
    at_us = (scenario.time.periods[0][0],)

    def allowed(*activations: Activation, earlier: tuple[Activation, ...] = ()) -> list[float]:
        found = Validate("north", activations, at_us, scope, made_us=at_us[0], earlier=earlier).run(studies)
        return [each.p_mw for each in found if isinstance(each, Allowed)]

    assert allowed(a) == [2.5]
    assert allowed(b, c) == [2.5, 2.5]
    assert allowed(b, c, earlier=(a,)) == pytest.approx(allowed(a, b, c)[1:], abs=1e-3)
    assert allowed(b, c, earlier=(a,))[1] < 1.5
