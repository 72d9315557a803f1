"""Agents that die and are started again, in simulated time: as if their process had been killed, seeded.

    input ─▶ †1 ─▶ log ─▶ †2 ─▶ the agent reacts ─▶ some effects ─▶ †3 ─▶ the others
    †  all that it knew is gone ─▶ `down_us` later: relive the log, redo the last effects, take up what is unfinished

What it had not logged, a link still has, and hands over again (a message), or time brings again (a timer, a reading).
While it is down, messages wait for it, but measurements do not.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...actions import Actuate, Note
from ..happenings.queue import Happening, Taker
from ..happenings.rhythm import next_tick
from ..host import Host, World
from ..inputs import Arrival, Begin, Effect, Input, Send
from ..messages.exchange import uniform
from ..messages.faults import FaultyExchange
from ..node import Node
from .input_log import InputLog
from .journal import Restarted, to_text
from .recovery import Unfinished, forget, relive, take_up

BEFORE = 1 / 3  # of all deaths so many come before the input is in the log


@dataclass
class Mortality:
    """Who dies, how likely at each of its inputs, and for how long; `counts` says how often it came to what."""

    seed: int
    share: float
    down_us: int
    who: frozenset[str]
    log: InputLog
    types: Mapping[str, type[Any]]
    counts: Counter[str]

    def moment(self, agent: str, number: int) -> float | None:
        """When in the course of its input with this number an agent dies, from 0 to 1; None: it does not."""
        key = f"{agent} {number}"
        if agent not in self.who or uniform(self.seed, "death", key) >= self.share:
            return None
        return uniform(self.seed, "moment of death", key)


class Killed(BaseException):
    """Ends whatever a host is doing; nothing of ours may catch it but the host's own door to the queue."""

    def __init__(self, unlogged: Input | None = None) -> None:
        """`unlogged`: the input that it was about to log."""
        super().__init__()
        self.unlogged = unlogged


class MortalHost(Host):
    """A host whose process may be killed at any moment."""

    def __init__(self, node: Node, world: World, mortality: Mortality) -> None:
        """`mortality` is shared by all hosts of the run."""
        super().__init__(node, world)
        self._mortality = mortality
        self._life = 0
        self._taken = 0
        self._is_down = False
        self._kept: list[Arrival] = []
        self._done = 0  # how many effects of the last input have been carried out

    def plan(self, given: Input, at_us: int) -> None:
        """Let the node experience something at a time, unless it has died by then."""
        self.world.queue.give(at_us, given, self._while_living(self.take), phase=self.phase, agent=self.agent_name)

    def receive(self, arrival: Arrival, at_us: int) -> None:
        """An envelope will arrive at a time, whoever dies until then."""
        self.world.queue.give(at_us, arrival, self._guarded, phase=self.phase, agent=self.agent_name)

    def _put(self, happening: Happening, at_us: int, *, rank: int) -> None:
        living = self._while_living(lambda _, now_us: happening(now_us))
        super()._put(lambda now_us: living(Begin(), now_us), at_us, rank=rank)

    def _while_living(self, taker: Taker) -> Taker:
        """What a life has set in motion ends with it."""
        life = self._life

        def take(given: Input, now_us: int) -> None:
            if life == self._life:
                self._guarded(given, now_us, taker)

        return take

    def _guarded(self, given: Input, now_us: int, taker: Taker | None = None) -> None:
        try:
            (taker or self.take)(given, now_us)
        except Killed as death:
            self._die(now_us, death.unlogged)

    def take(self, given: Input, now_us: int) -> None:
        """Experience something now; Killed if it is the last thing."""
        if self._is_down:
            self._miss(given)
            return
        if self.node.is_stale(given):
            return
        self._taken += 1
        moment = self._mortality.moment(self.agent_name, self._taken)
        if moment is not None and moment < BEFORE:
            raise Killed(given)
        self._log(given, now_us)
        effects = self.node.take(given, now_us)
        last = len(effects) if moment is None else int((moment - BEFORE) / (1 - BEFORE) * (len(effects) + 1))
        for self._done, effect in enumerate(effects[:last], start=1):
            self._do(effect, now_us)
        if moment is not None:
            raise Killed

    def _log(self, given: Input, now_us: int) -> None:
        text = to_text(given)
        self._mortality.log.add(self.agent_name, now_us, text)
        self._mortality.log.flush()
        if self.world.journalled:
            self._journal(self.agent_name, now_us, text)
        self._done = 0

    def _do(self, effect: Effect, now_us: int) -> None:
        if isinstance(effect, Send):
            assert self.exchange is not None
            self.exchange.send(effect, now_us)
        else:
            self._carry_out(effect, now_us)

    def _miss(self, given: Input | None) -> None:
        """A message waits for whoever is down; a measurement does not."""
        if isinstance(given, Arrival) and given.row is None:
            self._kept.append(given)
        elif isinstance(given, Arrival):
            self._mortality.counts["measurements missed"] += 1

    def _die(self, now_us: int, unlogged: Input | None) -> None:
        self._mortality.counts["deaths"] += 1
        self._life += 1
        self._is_down = True
        forget(self.node)
        self._miss(unlogged)
        if self._mortality.down_us:
            super()._put(self._rise, now_us + self._mortality.down_us, rank=0)
        else:
            self._rise(now_us)

    def _rise(self, now_us: int) -> None:
        """A new process with the old log."""
        self._is_down = False
        unfinished, last, until_us = Unfinished(), list[Effect](), now_us
        for lived in relive(self.node, self._mortality.log.entries(self.agent_name), self._mortality.types):
            unfinished.note(lived)
            last, until_us = lived.effects, lived.at_us
        if until_us < now_us:
            self._tell_of_restart(unfinished, len(last), now_us)
        for number, effect in enumerate(last):
            self._redo(effect, now_us, carried_out=number < self._done)
        self._done = len(last)
        take_up(self, unfinished, now_us)
        for wish, next_us in unfinished.watching:
            self._watch(wish, max(next_us, next_tick(now_us - 1, wish.every_us)))
        for arrival in self._kept:
            self.receive(arrival, now_us)
        self._kept = []

    def _tell_of_restart(self, unfinished: Unfinished, effects: int, now_us: int) -> None:
        """What is done late is seen: in the journal, so that a replay does it then, and in the counts."""
        counts = self._mortality.counts
        counts["done late"] += sum(at_us < now_us for _, at_us in unfinished.due(self.node))
        if self._done < effects:
            counts["done late"] += effects - self._done
            if self.world.journalled:
                self._journal(self.agent_name, now_us, to_text(Restarted(self._done)))

    def _redo(self, effect: Effect, now_us: int, *, carried_out: bool) -> None:
        """What others have had already they drop: messages by their ids, orders and notes by their numbers."""
        if isinstance(effect, Send | Actuate | Note) and not carried_out:
            self._do(effect, now_us)
        elif isinstance(effect, Send) and not effect.streamed:
            assert isinstance(self.exchange, FaultyExchange)
            self.exchange.again(effect, now_us)


def mortal(mortality: Mortality) -> Callable[[Node, World], MortalHost]:
    """How hosts are made whose agents may die."""
    return partial(MortalHost, mortality=mortality)
