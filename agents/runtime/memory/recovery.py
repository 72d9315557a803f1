"""An agent that has died is rebuilt from its inputs, and what it had under way is taken up again.

    log ─▶ input by input into a fresh node ─▶ the state it was in
                         └▶ effects ─▶ Unfinished: timers, deadlines, studies and observations that are still to come

Effects of the last input may or may not have been carried out: they are carried out again, and whoever has had them
already drops them, for they have the same ids and numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ....protocols.desk import Desk
from ...actions import Compute, Observe
from ..happenings.rhythm import next_tick
from ..host import Host
from ..inputs import Alarm, Arrival, Begin, Deadline, Due, Effect, Input, Reading, Result, SetTimer
from ..messages.streams import Streams
from ..node import Node
from .input_log import Entry
from .journal import from_line


class Lived(NamedTuple):
    """One input of the life so far: when, what, and what it led to."""

    at_us: int
    given: Input
    effects: list[Effect]


class Watching(NamedTuple):
    """An observation, and when its next reading is due."""

    wish: Observe
    next_us: int


def forget(node: Node) -> None:
    """What a process knew is gone: the node is as it was before anything happened."""
    node.desk = Desk(node.desk.name, node.desk.kinds, node.desk.vocabulary, tidy=node.desk.tidy)
    node.streams = Streams(node.desk, node.agent.name)
    node.state, node.timers = node.agent.start(), {}
    node.refused.clear()


def relive(node: Node, entries: Iterable[Entry], types: Mapping[str, type[Any]]) -> Iterator[Lived]:
    """Let a fresh node experience its inputs again; ValueError, KeyError or ProtocolError for a log that is none.

    `types`: what plugins' studies answer with, by name.
    """
    for entry in entries:
        given = from_line(entry.text, node.desk.vocabulary, types)
        if not isinstance(given, Begin | Arrival | Due | Alarm | Result | Reading):
            raise ValueError(f"input {entry.number} of {entry.agent} names what is written elsewhere")
        yield Lived(entry.at_us, given, node.take(given, entry.at_us))


@dataclass
class Unfinished:
    """What is still to come, kept while a life is gone through."""

    begun: bool = False
    timed: list[SetTimer | Deadline] = field(default_factory=list)
    studies: list[tuple[int, Compute]] = field(default_factory=list)
    watching: list[Watching] = field(default_factory=list)

    def note(self, lived: Lived) -> None:
        """One input has ended something, and its effects have begun other things."""
        match lived.given:
            case Begin():
                self.begun = True
            case Result(key, _, _):
                self._end_study(key)
            case Reading(source, _):
                self._go_on(source, lived.at_us)
        for effect in lived.effects:
            match effect:
                case SetTimer() | Deadline():
                    self.timed.append(effect)
                case Compute():
                    self.studies.append((lived.at_us, effect))
                case Observe():
                    self.watching.append(Watching(effect, next_tick(lived.at_us - 1, effect.every_us)))

    def due(self, node: Node) -> Iterator[tuple[Input, int]]:
        """Timers and deadlines that have not been replaced since, in the order in which they were set."""
        for effect in self.timed:
            if isinstance(effect, SetTimer):
                given: Input = Alarm(effect.timer, effect.at_us)
                at_us = effect.at_us
            else:
                given, at_us = Due(effect.conversation_id, effect.deadline_us), effect.deadline_us
            if not node.is_stale(given):
                yield given, at_us

    def _end_study(self, key: str) -> None:
        for place, (_, asked) in enumerate(self.studies):
            if asked.key == key:
                del self.studies[place]
                return

    def _go_on(self, source: str, at_us: int) -> None:
        for place, (wish, next_us) in enumerate(self.watching):
            if wish.source == source and next_us <= at_us:
                after_us = next_tick(at_us, wish.every_us)
                self.watching[place : place + 1] = [Watching(wish, after_us)] if after_us <= wish.until_us else []
                return


def take_up(host: Host, unfinished: Unfinished, now_us: int) -> None:
    """Let a host begin if it has not, wake at its timers and deadlines, and ask again for its studies."""
    if not unfinished.begun:
        host.plan(Begin(), now_us)
    for given, at_us in unfinished.due(host.node):
        host.plan(given, at_us)
    for asked_us, (key, job) in unfinished.studies:
        heard_us = asked_us + host.world.laboratory.times.of(job)
        host.plan_call(host.study(key, job), heard_us, Result)
