"""A town of nodes that talk through memory: no physics, no delay, resources that follow at once; and short builders.

A test makes a town, changes what it is about (`need_mw`, `lab`, `loses`, who is silent), lets it run to a time, and
looks at what was said (`said`), noted (`notes`) and moved (`moves`).
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gridpact.agents.actions import Actuate, Compute, Note, Observe
from gridpact.agents.bsp import Bsp
from gridpact.agents.bsp.reading import ParticipantReading, ResourceReading
from gridpact.agents.calendar import Calendar, MarketTimeUnit
from gridpact.agents.dso import Dso
from gridpact.agents.dso.studies import Monitor, Prequalify, Validate, Watch
from gridpact.agents.market.merit_order import Rules
from gridpact.agents.profiles import (
    ActivationRules,
    BidPlan,
    BspProfile,
    Coordination,
    DsoProfile,
    Need,
    TestRules,
    TsoProfile,
)
from gridpact.agents.runtime.happenings.queue import KIND_OF_INPUT, PHASE_OF_KIND
from gridpact.agents.runtime.inputs import Alarm, Arrival, Begin, Deadline, Due, Reading, Result, Send, SetTimer
from gridpact.agents.runtime.node import Node
from gridpact.agents.tso import Tso
from gridpact.grid.area.area import AreaReading
from gridpact.grid.limits.allowing import Allowed, Binding
from gridpact.grid.readings import Assessment, Readings
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope
from gridpact.protocols.information.activation import PointPower
from gridpact.protocols.information.capacity import ConnectedShare, Dynamics, ResourceData
from gridpact.protocols.information.offering import Offer
from gridpact.protocols.information.quantities import TRANSMISSION
from gridpact.protocols.stages import PROTOCOLS
from gridpact.protocols.vocabulary import Vocabulary

S = 1_000_000
CYCLE = 4 * S
FIRST, SECOND = (
    MarketTimeUnit("Q1", 1000 * S, 2000 * S, 3600 * S, 4500 * S),
    MarketTimeUnit("Q2", 1100 * S, 2100 * S, 4500 * S, 5400 * S),
)
CALENDAR = Calendar(0, 60 * S, (FIRST, SECOND), 5400 * S)
VOCABULARY = Vocabulary.of(PROTOCOLS)
DYNAMICS = Dynamics(preparation_s=10, ramping_s=20, deactivation_s=10)
BOUND = Binding("line 3-8", "loading_percent", 120.0, 100.0, "forecast")


def scheme(**changes: Any) -> Coordination:
    parts = {"dso_validates": True, "dso_in_offering": True, "dso_limits": True, "dso_is_participant": False}
    return Coordination(**{**parts, **changes})


def offer(name: str, mw: float = 2.0, price: float = 60.0, direction: str = "up", **changes: Any) -> Offer:
    period = changes.pop("period", FIRST)
    number = changes.pop("number", 1)
    parts: dict[str, Any] = {
        "offer_id": f"{name}.{period.id}.mFRR-{direction}.{number}",
        "participant": name,
        "session": period.id,
        "product": "mFRR",
        "direction": direction,
        "quantity_mw": mw,
        "price_eur_per_mwh": price,
        "delivery_start": period.start_us,
        "delivery_end": period.end_us,
        "grid": "north",
        "resource": f"unit-{name}",
        "submitted_at": 1,
    }
    return Offer(**{**parts, **changes})


def tso(*needs: Need, **changes: Any) -> Tso:
    profile = TsoProfile(
        name="tso",
        calendar=CALENDAR,
        coordination=scheme(**changes),
        dso_of_grid={"north": "dso"},
        needs=needs or (Need("mFRR", "up", 4.0),),
        rules=Rules(0.1, 0.01, 15_000),
        test=TestRules(60 * S, 5 * S, 0.05, 0.95),
        activation=ActivationRules(0.1, CYCLE, 450 * S),
        control_us=CYCLE,
    )
    return Tso(profile)


def dso(**changes: Any) -> Dso:
    return Dso(DsoProfile("dso", "tso", "north", CALENDAR, scheme(**changes), CYCLE))


def bsp(name: str, *plans: BidPlan, grid: str = "north", mw: float = 2.0, price: float = 60.0, **changes: Any) -> Bsp:
    share = ConnectedShare(unit=f"unit-{name}", point=f"point-{name}", share=1.0)
    resource = ResourceData(
        id=f"unit-{name}", kind="generator", grid=grid, scheme=(share,), max_up_mw=mw, max_down_mw=mw
    )
    profile = BspProfile(
        name=name,
        kind="BSP",
        tso="tso",
        calendar=CALENDAR,
        product="mFRR",
        resources=(resource,),
        dynamics=DYNAMICS,
        bids=plans or (plan(name, mw=mw, price=price),),
        applies_us=5 * S,
        measurement_us=CYCLE,
        coordination=scheme(**changes),
        dso=None if grid == TRANSMISSION else "dso",
    )
    return Bsp(profile)


def plan(name: str, mw: float = 2.0, price: float = 60.0, direction: str = "up", **changes: Any) -> BidPlan:
    parts = {"product": "mFRR", "resource": f"unit-{name}", "min_quantity_mw": 0.0, "divisible": True}
    return BidPlan(**{**parts, "direction": direction, "quantity_mw": mw, "price_eur_per_mwh": price, **changes})


def calm(at_us: int = 0, *violations: Binding) -> Assessment:
    return Assessment(at_us, "line 3-8", 50.0, 1.0, 1.0, 30.0, 5.0, 0.0, violations, False)


def answers(job: object) -> object:
    """A grid without limits."""
    if isinstance(job, Prequalify | Validate):
        return tuple(Allowed(each.id, each.p_mw, None) for each in job.activations)
    return Watch(calm(), calm(), None, 0.0)


def capped(**most: float) -> Callable[[object], object]:
    """A grid that bears only so much of each participant's activations in real time, seen whenever they are on."""

    def lab(job: object) -> object:
        if not isinstance(job, Monitor):
            return answers(job)
        allowed = []
        for each in job.ordered:
            limit = most.get(each.id.partition(".")[0], abs(each.p_mw))
            cut = abs(each.p_mw) > limit
            allowed.append(Allowed(each.id, min(abs(each.p_mw), limit), BOUND if cut else None))
        bound = any(each.binding for each in allowed)
        return Watch(calm(), calm(0, *([BOUND] if bound else [])), tuple(allowed) if bound or job.look else None, 0.0)

    return lab


def ahead(town: "Town", name: str, ahead_s: float) -> None:
    """From now on somebody's clock is ahead: its meter dates what it reads so much later than it is."""
    true = town._reading

    def reading(who: str, source: str) -> Any:
        read: Any = true(who, source)
        return read._replace(at_us=read.at_us + round(ahead_s * S)) if (who, source) == (name, "meter") else read

    town._reading = reading  # type: ignore[method-assign]


@dataclass
class Town:
    """Nodes, what happens next, and what has happened."""

    nodes: dict[str, Node]
    lab: Callable[[object], object] = answers
    need_mw: float = 0.0
    now_us: int = 0
    loses: Callable[[Envelope], bool] = lambda _: False
    deaf: set[str] = field(default_factory=set)
    said: list[tuple[int, Envelope]] = field(default_factory=list)
    notes: list[tuple[int, str, Note]] = field(default_factory=list)
    moves: list[tuple[int, str, Actuate]] = field(default_factory=list)
    power_mw: dict[str, float] = field(default_factory=dict)
    available_mw: float = 100.0
    _heap: list[Any] = field(default_factory=list)
    _put: int = 0

    def begin(self) -> "Town":
        for name in sorted(self.nodes):
            self.give(name, Begin(), 0)
        return self

    def give(self, name: str, given: Any, at_us: int) -> None:
        self._put += 1
        rank = KIND_OF_INPUT[type(given)] if not isinstance(given, Observe) else KIND_OF_INPUT[Reading]
        phase = PHASE_OF_KIND[self.nodes[name].agent.kind]
        heapq.heappush(self._heap, (max(at_us, self.now_us), phase, name, rank, self._put, given))

    def run(self, until_s: float) -> "Town":
        while self._heap and self._heap[0][0] <= until_s * S:
            self.now_us, _, name, *_, given = heapq.heappop(self._heap)
            if isinstance(given, Observe):
                given = self._observed(name, given)
            if not self.nodes[name].is_stale(given):
                for effect in self.nodes[name].take(given, self.now_us):
                    self._carry_out(name, effect)
        return self

    def _observed(self, name: str, wish: Observe) -> Reading:
        if self.now_us + wish.every_us <= wish.until_us:
            self.give(name, wish, self.now_us + wish.every_us)
        return Reading(wish.source, self._reading(name, wish.source))

    def _reading(self, name: str, source: str) -> object:
        if source == "area":
            return AreaReading(self.now_us, 50.0, sum(self.power_mw.values()) - self.need_mw, 0.0, 0.0)
        if self.nodes[name].agent.kind == "DSO":
            return Readings(self.now_us, (), (), (("t0", 30.0, 5.0),))
        units = self.nodes[name].agent.profile.resources
        powers = {unit.id: self.power_mw.get(unit.id, 0.0) for unit in units}
        mw = sum(powers.values())
        own = tuple(ResourceReading(unit, p_mw, self.available_mw, self.available_mw) for unit, p_mw in powers.items())
        points = tuple(PointPower(point=u.scheme[0].point, p_mw=powers[u.id], q_mvar=0) for u in units)
        return ParticipantReading(self.now_us, mw, 0.0, mw, 0.0, own, points)

    def _carry_out(self, name: str, effect: Any) -> None:
        match effect:
            case Send(envelope):
                self.said.append((self.now_us, envelope))
                if envelope.receiver not in self.deaf and not self.loses(envelope):
                    self.give(envelope.receiver, Arrival(envelope), self.now_us)
            case Deadline(conversation_id, deadline_us):
                self.give(name, Due(conversation_id, deadline_us), deadline_us)
            case SetTimer(timer, at_us):
                self.give(name, Alarm(timer, at_us), at_us)
            case Compute(key, job):
                result = self.lab(job)
                error = result if isinstance(result, str) else None
                self.give(name, Result(key, None if error else result, error), self.now_us)
            case Observe(_, every_us):
                self.give(name, effect, -(-self.now_us // every_us) * every_us)
            case Actuate(target, value):
                self.moves.append((self.now_us, name, effect))
                self.power_mw[target] = value
            case Note():
                self.notes.append((self.now_us, name, effect))

    def contents(self, kind: type, sender: str | None = None) -> list[Any]:
        """What was said of a message type, in order."""
        return [e.content for _, e in self.said if isinstance(e.content, kind) and sender in (None, e.sender)]

    def noted(self, name: str) -> list[dict[str, Any]]:
        """The evidence of notes by their name."""
        return [dict(note.evidence) for _, _, note in self.notes if note.evidence["name"] == name]

    def state(self, name: str) -> Any:
        return self.nodes[name].state


def town(*agents: Any, **changes: Any) -> Town:
    kinds = {agent.name: agent.kind for agent in agents}
    return Town({a.name: Node(a, Desk(a.name, kinds, VOCABULARY)) for a in agents}, **changes)


class Make:
    """The builders, for tests."""

    S, CYCLE, FIRST, SECOND, CALENDAR, BOUND, TRANSMISSION = S, CYCLE, FIRST, SECOND, CALENDAR, BOUND, TRANSMISSION
    VOCABULARY = VOCABULARY
    offer, tso, dso, bsp, plan, town = map(staticmethod, (offer, tso, dso, bsp, plan, town))
    answers, capped, calm, scheme, ahead = map(staticmethod, (answers, capped, calm, scheme, ahead))

    @staticmethod
    def usual(**changes: Any) -> Town:
        """a and b in the distribution grid, t on transmission: 60, 70, 95 EUR/MWh; begun."""
        world = {key: changes.pop(key) for key in ("lab", "need_mw", "loses", "deaf") if key in changes}
        needs = changes.pop("needs", ())
        people = (bsp("a", **changes), bsp("b", price=70.0, **changes))
        t = bsp("t", grid=TRANSMISSION, mw=10.0, price=95.0, **changes)
        return town(tso(*needs, **changes), dso(**changes), *people, t, **world).begin()


@pytest.fixture(scope="session")
def make() -> type[Make]:
    """The builders of towns, agents and offers."""
    return Make
