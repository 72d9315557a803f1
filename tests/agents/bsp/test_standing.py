"""A participant that goes on as it is: its readings ask for no more than to be published and counted."""

from typing import Any

from gridpact.agents.bsp import delivery
from gridpact.agents.bsp.reading import ParticipantReading, ResourceReading
from gridpact.agents.bsp.standing import goes_on
from gridpact.agents.bsp.state import BspState


def reading(left_mw: float) -> ParticipantReading:
    return ParticipantReading(0, 0.0, 0.0, 0.0, 0.0, (ResourceReading("unit-a", 0.0, left_mw, 0.0),), ())


def test_whoever_has_lost_its_supply_goes_on_until_that_is_back(make: Any) -> None:
    profile, dark, lit = make.bsp("a").profile, reading(0.0), reading(1.0)
    assert not goes_on(profile, BspState(), dark)
    state, _ = delivery.measured(profile, BspState(), dark, 0)
    assert goes_on(profile, state, dark)
    assert not goes_on(profile, state, lit)
