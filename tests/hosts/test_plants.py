"""Plants that serve agents on other hosts: as of the right moment, to their owners only, whatever comes in."""

import json
from pathlib import Path

import pytest

from gridpact.agents.actions import Actuate, Observe
from gridpact.agents.bsp.reading import ParticipantReading
from gridpact.agents.runtime.inputs import Reading
from gridpact.agents.runtime.memory.journal import to_line
from gridpact.agents.runtime.mqtt.plants import MOST_OBSERVED, PlantService, RemotePlants
from gridpact.agents.runtime.plants.physics import Holding, Physics
from gridpact.grid.area.area import Area
from gridpact.grid.area.description import AreaDescription
from gridpact.grid.resources.description import Response, UnitDescription
from gridpact.grid.resources.unit import Unit
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE

S = 1_000_000
START_US = 1_772_442_000 * S
END_US = START_US + 3600 * S
NO_SOURCE = to_line(Reading(["meter"], ParticipantReading(START_US, 0.0, 0.0, 0.0, 0.0, (), ()))).encode()  # type: ignore[arg-type]


class Rig:
    """A plant with one unit of `bsp-a`, and the agents that reach it."""

    def __init__(self) -> None:
        unit = Unit(
            UnitDescription(id="unit-a", up_mw=2.0),
            Response(reaction_s=0.0, preparation_s=0.0, ramping_s=1.0),
            START_US,
        )
        area = Area(AreaDescription(), START_US, START_US)
        holdings = {"unit-a": Holding("bsp-a", unit, None)}
        self.physics = Physics(area, {}, {}, holdings, START_US)
        self.sent: list[tuple[str, bytes]] = []
        self.service = PlantService(
            self.physics, lambda agent, payload: self.sent.append((agent, payload)), end_us=END_US
        )
        self.now_us = START_US
        self.remote = RemotePlants(
            lambda agent, payload: self.service.hear(agent, payload, self.now_us), BUSINESS_USE_CASE
        )

    def run(self, until_s: float) -> None:
        """The plants' clock goes on to some seconds after the start."""
        until_us = START_US + round(until_s * S)
        while (at_us := self.service.queue.next_time()) is not None and at_us <= until_us:
            self.service.queue.step()

    def readings(self) -> list[ParticipantReading]:
        return [reading.reading for _, payload in self.sent if (reading := self.remote.reading(payload))]  # type: ignore[misc]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_readings_come_at_the_ticks_asked_for(rig: Rig) -> None:
    rig.now_us = START_US + 3 * S
    rig.remote.observe("bsp-a", Observe("meter", 4 * S, START_US + 10 * S), START_US + 3 * S)
    rig.run(60)
    assert [(each.at_us - START_US) / S for each in rig.readings()] == [4.0, 8.0]
    assert {agent for agent, _ in rig.sent} == {"bsp-a"}


def test_one_look_is_answered_even_if_its_moment_has_passed(rig: Rig) -> None:
    rig.service.queue.now_us = START_US + 9 * S
    rig.remote.observe("bsp-a", Observe("availability", 1, START_US + 5 * S), START_US + 5 * S)
    rig.run(60)
    assert len(rig.readings()) == 1


def test_an_order_is_carried_out_as_of_the_moment_at_which_it_was_given(rig: Rig) -> None:
    rig.now_us = START_US + 7 * S
    rig.remote.actuate("bsp-a", Actuate("unit-a", 1.5), START_US + 6 * S)
    rig.remote.observe("bsp-a", Observe("meter", S, START_US + 8 * S), START_US + 5 * S)
    rig.run(60)
    assert [(each.at_us - START_US, each.activated_mw) for each in rig.readings()] == [
        (5 * S, 0.0),
        (6 * S, 0.0),
        (7 * S, 1.5),
        (8 * S, 1.5),
    ]


def test_nobody_can_order_as_of_the_future(rig: Rig) -> None:
    rig.remote.actuate("bsp-a", Actuate("unit-a", 1.5), END_US)
    assert rig.service.queue.next_time() == START_US


def test_what_is_not_its_own_nobody_can_move(rig: Rig) -> None:
    for target in ("unit-a", "unit-x", "taps/0", "reserve/unit-a"):
        rig.remote.actuate("bsp-b", Actuate(target, 2.0), START_US)
    rig.run(60)
    assert rig.service.counts["refused orders"] == 4
    assert rig.physics.holdings["unit-a"].resource.power_mw() == 0.0


def test_who_owns_nothing_has_no_meter(rig: Rig) -> None:
    rig.remote.observe("bsp-b", Observe("meter", S, END_US), START_US)
    rig.run(60)
    assert rig.sent == []
    assert rig.service.counts["refused readings"] == 1


def test_a_repeated_request_is_served_once(rig: Rig) -> None:
    asked = json.dumps(
        {"kind": "observe", "number": 1, "at_us": START_US, "source": "meter", "every_us": 1, "until_us": START_US}
    )
    for _ in range(3):
        rig.service.hear("bsp-a", asked.encode(), START_US)
    rig.run(60)
    assert len(rig.sent) == 1


def test_observations_are_limited(rig: Rig) -> None:
    for _ in range(MOST_OBSERVED + 5):
        rig.remote.observe("bsp-a", Observe("meter", 60 * S, END_US), START_US)
    rig.run(1)
    assert rig.service.counts["too many observations"] == 5


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"kind":"observe"}',
        b'{"kind":"actuate","number":1,"at_us":0,"target":"unit-a","value":NaN,"announced":false}',
        b'{"kind":"actuate","number":1,"at_us":-1,"target":"unit-a","value":1,"announced":false}',
        b'{"kind":"explode","number":1,"at_us":0}',
    ],
)
def test_what_is_no_request_is_counted(rig: Rig, payload: bytes) -> None:
    rig.service.hear("bsp-a", payload, START_US)
    assert rig.service.queue.next_time() is None
    assert rig.service.counts["unreadable requests"] == 1


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'{"@":"Begin"}', b'{"@":"Path"}', b'{"source":1}', b"[" * 99_999, NO_SOURCE]
)
def test_what_is_no_reading_is_none(rig: Rig, payload: bytes) -> None:
    assert rig.remote.reading(payload) is None


def test_a_module_named_in_a_payload_is_not_imported(rig: Rig, tmp_path: Path) -> None:
    assert rig.remote.reading(b'{"@":"os.system","command":"touch ' + bytes(tmp_path / "x") + b'"}') is None
    assert list(tmp_path.iterdir()) == []
