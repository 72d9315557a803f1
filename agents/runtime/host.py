"""A host connects one node to the world, as a mango agent: it carries out what the node wants done.

In simulated time the event queue calls `take` directly; in real time mango's inbox calls
`handle_message`, which calls `take`. What a foreign message can do wrong is answered by the desk; what our
own code does wrong must not end mango's inbox task silently, so the guard keeps the error and the run
raises it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mango import Agent as MangoAgent

from ...protocols.flow import Row, Volley
from ..actions import Actuate, Compute, Note, Observe
from ..bsp.delivery import METER
from .happenings.queue import KIND_OF_INPUT, PHASE_OF_KIND, EventQueue, Happening
from .happenings.rhythm import Rhythm, next_tick
from .happenings.rounds import Member, Rounds, Span
from .inputs import Alarm, Arrival, Chorus, Deadline, Due, Effect, Input, Reading, Result, Send, SetTimer, Stream
from .memory.journal import to_line
from .memory.recording import Recorder
from .messages.exchange import Exchange
from .node import Node
from .plants.fleet import Fleet, Seat
from .plants.meters import Meters
from .plants.physics import Physics
from .studies.laboratory import Laboratory

TIMED = (Alarm, Due)
_new = tuple.__new__  # an Alarm has the members of its SetTimer, and a Due those of its Deadline


@dataclass(frozen=True)
class World:
    """What the hosts of a run share."""

    queue: EventQueue
    physics: Physics
    laboratory: Laboratory
    recorder: Recorder
    journalled: bool = True
    rhythm: Rhythm = field(default_factory=Rhythm)

    @cached_property
    def rounds(self) -> Rounds:
        """Who reads at the same ticks."""
        return Rounds(self.queue, self.fleet)

    @cached_property
    def fleet(self) -> Fleet:
        """Who is read and heard without being asked."""
        return Fleet(self.meters)

    @cached_property
    def meters(self) -> Meters:
        """The readings of the physics, each taken once."""
        return Meters(self.physics)


class Host(MangoAgent):  # type: ignore[misc]
    """One node in the world."""

    def __init__(self, node: Node, world: World) -> None:
        """Connect a node; `exchange` is set when all hosts are known."""
        super().__init__()
        self.node = node
        self.world = world
        self.exchange: Exchange | None = None
        self.failure: Exception | None = None
        self.study: Callable[[str, object], Happening] = self._inline
        self.agent_name = node.agent.name
        self.seat: Seat | None = None
        self._journal = world.recorder.journal
        self.phase = PHASE_OF_KIND.get(node.agent.kind, 5)

    def handle_message(self, content: Any, meta: dict[str, Any]) -> None:
        """Take an arrival from mango's inbox; the guard of a started container."""
        try:
            self.take(content, self.world.queue.now_us)
        except Exception as error:  # noqa: BLE001 - the outermost guard: kept, and raised by the run
            self.failure = error

    def plan(self, given: Input, at_us: int) -> None:
        """Let the node experience something at a time."""
        self.world.queue.give(at_us, given, self.take, phase=self.phase, agent=self.agent_name)

    def plan_call(self, happening: Happening, at_us: int, kind: type[Input] = Arrival) -> None:
        """Let something happen at the time and rank of an arrival, or another kind of input, here."""
        self._put(happening, at_us, rank=KIND_OF_INPUT[kind])

    def _put(self, happening: Happening, at_us: int, *, rank: int) -> None:
        self.world.queue.put(at_us, happening, phase=self.phase, agent=self.agent_name, rank=rank)

    def take(self, given: Input, now_us: int) -> None:
        """Let the node experience something now: journal first, then the effects."""
        if type(given) in TIMED and self.node.is_stale(given):
            return
        if self.world.journalled:
            self._journal(self.agent_name, now_us, to_line(given))
        self._carry_out_all(self.node.take(given, now_us), now_us)

    def _carry_out_all(self, effects: list[Effect], now_us: int) -> None:
        assert self.exchange is not None
        for effect in effects:
            if type(effect) is Stream:
                self.exchange.stream(effect, now_us)
            elif type(effect) is Chorus:
                self.exchange.chorus(effect, now_us)
            elif type(effect) is Send:
                self.exchange.send(effect, now_us)
            else:
                self._carry_out(effect, now_us)

    def listen(self, rows: list[Row]) -> list[Row]:
        """Let the node hear rows that have arrived; returns those to be heard after another look at the queue.

        One alone that its seat does not take note of is news.
        """
        if self.seat is not None and len(rows) == 1:
            flow, _, number, content, _, _, received_us = rows[0]
            taken = int(self.seat.hear(flow, number, content, received_us))
        else:
            taken = self.node.listen(rows)
        if taken == len(rows):
            return []
        row = rows[taken]
        assert row.received_us is not None
        effects = self.node.hear_next(row)
        if effects is not None:
            self._carry_out_all(effects, row.received_us)
            return rows[taken + 1 :]
        self.take(Arrival(row.envelope()), row.received_us)
        self.node.streams.follow(row.flow)
        return rows[taken + 1 :]

    def hear(self, volley: Volley, places: Sequence[int]) -> bool:
        """Let the node hear its part of a volley at once; False if it has to be row by row."""
        if self.seat is not None and len(places) == 1:
            place = places[0]
            said = volley.flows[place], volley.numbers[place], volley.contents[place]
            return self.seat.hear(*said, volley.received_us[place])
        return self.node.hear(volley, places)

    def _carry_out(self, effect: Effect, now_us: int) -> None:
        if type(effect) is SetTimer:
            self.plan(_new(Alarm, effect), effect.at_us)
            return
        if type(effect) is Deadline:
            self.plan(_new(Due, effect), effect.deadline_us)
            return
        match effect:
            case Compute(key, job):
                self.plan_call(self.study(key, job), now_us + self.world.laboratory.times.of(job), Result)
            case Observe():
                self._watch(effect, next_tick(now_us - 1, effect.every_us))
            case Actuate():
                self.world.meters.move(self.agent_name, effect, now_us)
            case Note(stage, step, evidence):
                self.world.recorder.event(
                    agent=self.agent_name, at_us=now_us, stage=stage, step=step, evidence=evidence
                )

    def _inline(self, key: str, job: object) -> Happening:
        """Compute a study here and now; to be heard when its time has come."""
        result, error = self.world.laboratory.run(job)
        return lambda now_us: self.take(Result(key, result, error), now_us)

    def _watch(self, wish: Observe, first_us: int) -> None:
        """Readings at the ticks from one of them on; in bulk, together with all who read then."""
        source, every_us, until_us = wish.source, wish.every_us, wish.until_us

        def read(at_us: int) -> None:
            self._read(source, at_us)
            follow(next_tick(self.world.rhythm.passed_us(at_us), every_us))

        def follow(at_us: int) -> None:
            if at_us > until_us:
                return
            if self.node.in_bulk and at_us > self.world.queue.now_us:
                span = Span(source, at_us, until_us)
                self.seat = self.world.fleet.seat(self.node, source) or self.seat
                member = Member(self.agent_name, span, self._read, self.seat if source == METER else None)
                self.world.rounds.join(member, self.phase, every_us=every_us)
            else:
                self._put(read, at_us, rank=KIND_OF_INPUT[Reading])

        follow(first_us)

    def _read(self, source: str, at_us: int) -> None:
        reading, exchange = self.world.meters.read(self.agent_name, source, at_us), self.exchange
        assert exchange is not None
        if not self.node.in_bulk:
            self.take(Reading(source, reading), at_us)
            return
        effects: list[Effect] = [] if exchange.gathered is None else [exchange.gathered]  # what flows is added to it
        begun = len(effects)
        self.node.sample(source, reading, at_us, effects)
        if len(effects) > begun:
            self._carry_out_all(effects[begun:], at_us)

    def receive(self, arrival: Arrival, at_us: int) -> None:
        """An envelope will arrive at a time."""
        self.world.queue.give(at_us, arrival, self.take, phase=self.phase, agent=self.agent_name)
