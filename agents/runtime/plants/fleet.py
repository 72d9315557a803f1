"""Participants of whom it is known what a reading comes to: read, published and counted without being asked.

    tick ─▶ Seat: shows the same, nothing else has happened ─▶ one more reading of its standing ─┐
               └─ shows something else ─▶ a new standing (bsp/standing.py) ──────────────────────┴─▶ Chorus of all
    set-point that repeats the last ─▶ noted here          anything else ─▶ `back`: the node is told all, and reacts

What a reading or a repeated set-point changes is decided by the participant's own functions; here they are only
gathered, so that a state is made for many of them at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import is_

from ....protocols.flow import Flow
from ....protocols.information.activation import Measurement
from ....protocols.information.sheet import Sheet
from ....protocols.messages import Message
from ...bsp.agent import Bsp
from ...bsp.delivery import METER
from ...bsp.following import acknowledging, repeats
from ...bsp.reading import ParticipantReading
from ...bsp.standing import Standing, goes_on, passed, standing_at
from ...profiles import BspProfile
from ..inputs import Chorus
from ..messages.exchange import Exchange
from ..node import Node
from .meters import Meters


@dataclass(eq=False, slots=True)
class Seat:
    """One participant's place: what its readings come to, how many there have been, the last set-point heard.

    `resting` is what its meters show as long as nothing moves there; `heard` the id and time of the set-point.
    """

    node: Node
    profile: BspProfile
    meters: Meters
    standing: Standing | None = None
    resting: ParticipantReading | None = None
    readings: int = 0
    last_us: int = 0
    acknowledged: str | None = None
    set_point_us: int = 0
    has_heard: bool = False
    flows: tuple[Flow, ...] = ()

    def goes_on(self, at_us: int) -> bool:
        """Take the reading of a tick; False if the participant itself has to look at it."""
        standing = self.standing
        if (
            standing is not None
            and at_us < standing.until_us
            and at_us - self.set_point_us <= standing.hold_us
            and self._shows_the_same(standing.reading, at_us)
        ):
            self.readings += 1
            self.last_us = at_us
            return True
        return self._begins(at_us)

    def _shows_the_same(self, before: ParticipantReading, at_us: int) -> bool:
        """Whether nothing of its own moves, or what moves shows no other power and range than before."""
        if self.resting is not None and self.meters.at_rest(self.profile.name) is self.resting:
            return True
        return all(map(is_, self.meters.read(self.profile.name, METER, at_us)[1:], before[1:]))

    def _begins(self, at_us: int) -> bool:
        """Find out what the reading comes to, and those that show the same."""
        self.back()
        profile, state = self.profile, self.node.state
        reading = self.meters.read(profile.name, METER, at_us)
        if not goes_on(profile, state, reading):
            return False
        flows = self.node.streams.flows(state.listeners, Measurement)
        if flows is None:
            return False
        self.standing, self.flows = standing_at(profile, state, reading), flows
        self.resting = self.meters.at_rest(profile.name)
        self.readings, self.last_us = 1, at_us
        self.acknowledged, self.set_point_us = state.acknowledged, state.set_point_us
        self.node.back = self.back
        return True

    def hear(self, flow: Flow, number: int, content: Message, received_us: int | None) -> bool:
        """Take note of a set-point that repeats the last one; False if it does not, or nothing is known yet."""
        if self.standing is None or received_us is None or not repeats(self.node.state, content):
            return False
        if not self.node.streams.repeated(flow, number):
            return False
        self.acknowledged, self.set_point_us, self.has_heard = f"{flow.prefix}{number}", received_us, True
        return True

    def back(self) -> None:
        """Tell the node all that has happened here."""
        node, standing = self.node, self.standing
        node.back = None
        if standing is None:
            return
        state = passed(self.profile, node.state, standing, self.readings, self.last_us)
        if self.has_heard:
            state = acknowledging(state, self.acknowledged, self.set_point_us)
        node.state = state
        self.standing, self.has_heard = None, False


@dataclass
class Fleet:
    """All seats of a run; `exchange` is set when all hosts are known."""

    meters: Meters
    exchange: Exchange | None = None
    _seats: dict[str, Seat] = field(default_factory=dict)
    _choir: list[tuple[Flow, ...]] = field(default_factory=list)
    _flows: tuple[Flow, ...] = ()
    _who: tuple[int, ...] = ()

    def seat(self, node: Node, source: str) -> Seat | None:
        """The place of a node; None if it is no participant that reads its meter."""
        agent = node.agent
        if source != METER or not isinstance(agent, Bsp):
            return None
        return self._seats.setdefault(agent.name, Seat(node, agent.profile, self.meters))

    def speak(self, seats: Sequence[Seat], at_us: int) -> None:
        """Publish what all of these have to say of this tick's reading, and move what they move."""
        if not seats:
            return
        assert self.exchange is not None
        choir = [seat.flows for seat in seats]
        if choir != self._choir:
            self._choir = choir
            self._flows = tuple(flow for flows in choir for flow in flows)
            self._who = tuple(place for place, flows in enumerate(choir) for _ in flows)
        flows, who = self._flows, self._who
        numbers = [flow.number for flow in flows]
        for flow in flows:
            flow.number += 1
        standings = [seat.standing for seat in seats if seat.standing is not None]
        sheet = Sheet(at_us, tuple([standing.measurement for standing in standings]), who)
        causes = [seat.acknowledged for seat in seats]
        if flows:
            self.exchange.chorus(Chorus(flows, numbers, sheet, [causes[place] for place in who]), at_us)
        for seat, standing in zip(seats, standings, strict=True):
            for move in standing.moves:
                self.meters.move(seat.profile.name, move, at_us)
