"""Lists of two products for one time: fine apart they may be too much together, so one is validated on the other."""

from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.actions import Compute, Say
from gridpact.agents.bsp import Bsp
from gridpact.agents.calendar import MarketTimeUnit
from gridpact.agents.dso import merit_lists
from gridpact.agents.dso.studies import Validate
from gridpact.agents.events import Heard
from gridpact.agents.market.channel import ChannelRules
from gridpact.agents.profiles import Need, RegulationRules
from gridpact.agents.runtime.inputs import Arrival
from gridpact.agents.strategies import ProportionalIntegral
from gridpact.agents.tso import Tso
from gridpact.grid.limits.allowing import Activation, Allowed
from gridpact.protocols.information.offering import (
    Acceptance,
    AcceptanceNotice,
    MeritOrderList,
    MeritOrderVerdict,
)
from gridpact.protocols.messages import Refuse
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import load_scenario

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


def the_dso(town: Any) -> Any:
    return next(node for node in town.nodes.values() if node.agent.kind == "DSO")


def heard_of(town: Any, product: str, unit: MarketTimeUnit, period: str | None = None) -> Heard:
    """The list of a product as the DSO would hear it for another time, in the conversation of that or another."""
    envelope = next(e for _, e in town.said if isinstance(e.content, MeritOrderList) and e.content.product == product)
    times = {"delivery_start": unit.start_us, "delivery_end": unit.end_us}
    conversation = the_dso(town).desk.conversations[envelope.conversation_id]
    topic = replace(conversation.topic, period=period or unit.id)
    said = envelope._replace(content=envelope.content.model_copy(update=times), conversation_id=topic.conversation_id)
    return Heard(said, conversation._replace(topic=topic), late=False)


def until_a_list_waits(town: Any) -> Any:
    for seconds in range(2050):
        town.run(seconds)
        if any(listed.waits for _, listed in the_dso(town).state.lists.items()):
            return the_dso(town)
    raise AssertionError("no list has waited")


@pytest.mark.parametrize(
    ("period", "now_s", "reason"),
    [
        ("Q1", 2050, "the delivery of Q1 is from 1970-01-01T01:00:00Z to 1970-01-01T01:15:00Z, not as the list says"),
        ("Q9", 2050, "no market time unit 'Q9'"),
        ("Q2", 5400, "the delivery of Q2 is over"),
    ],
)
def test_a_list_that_is_not_for_its_conversations_period_is_refused(
    make: Any, period: str, now_s: int, reason: str
) -> None:
    town, _ = two_products(make)
    town.run(2050)
    dso = the_dso(town)
    heard = heard_of(town, "aFRR", make.SECOND, period)
    answer = merit_lists.list_received(dso.agent.profile, dso.state, heard, now_s * S)
    assert answer == (dso.state, (Say(heard.conversation.id, Refuse(reason=reason)),))


def test_lists_whose_delivery_is_over_go_when_the_next_comes(make: Any) -> None:
    town, _ = two_products(make)
    town.run(2050)
    dso = the_dso(town)
    heard = heard_of(town, "aFRR", make.SECOND)
    state, actions = merit_lists.list_received(dso.agent.profile, dso.state, heard, make.FIRST.end_us)
    assert [each.job.at_us[0] for each in actions if isinstance(each, Compute)] == [make.SECOND.start_us]
    assert [listed.mol.delivery_end for _, listed in state.lists.items()] == [make.SECOND.end_us]


def test_a_list_that_waits_until_its_delivery_is_over_is_not_studied_any_more(make: Any) -> None:
    town, asked = two_products(make, afrr_mw=0.5, loses=lambda e: isinstance(e.content, AcceptanceNotice))
    dso = until_a_list_waits(town)
    waiting = next(key for key, listed in dso.state.lists.items() if listed.waits)
    heard = heard_of(town, "aFRR", make.SECOND)
    state, _ = merit_lists.list_received(dso.agent.profile, dso.state, heard, make.FIRST.end_us)
    assert merit_lists.waited(dso.agent.profile, state, waiting, make.FIRST.end_us + S) == (state, ())
    assert len(asked) == 1


def test_who_is_said_to_be_accepted_without_a_resource_in_the_grid_brings_nothing(make: Any) -> None:
    town, asked = two_products(make, loses=lambda e: isinstance(e.content, AcceptanceNotice))
    dso = until_a_list_waits(town)
    notice = next(e for _, e in town.said if isinstance(e.content, AcceptanceNotice))
    offers = tuple(offer.model_copy(update={"resource": "nowhere"}) for offer in notice.content.offers)
    town.give(dso.agent.name, Arrival(notice._replace(content=AcceptanceNotice(offers=offers))), town.now_us)
    town.run(2050)
    assert offers
    assert asked[1].earlier == ()


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
