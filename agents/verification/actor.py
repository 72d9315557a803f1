"""One agent at its desk, as numbered standings: the node that runs, with a memory of every reaction.

    (standing, input, time) ─▶ node.take ─▶ (standing, envelopes sent) or what is wrong       computed once

A standing is everything that may change: what the agent knows, its conversations, timers, what it observes,
studies under way, and what the watch over its conduct has seen. It is restored into one node before each
reaction, so that the code explored is the code that runs.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...protocols.conversation import Conversation
from ...protocols.desk import Desk
from ...protocols.envelope import Envelope, index_of
from ...protocols.errors import LocalProtocolError
from ...protocols.messages import NotUnderstood
from ...protocols.verification.search import Interning
from ...protocols.verification.story import Wrong
from ...protocols.vocabulary import Vocabulary
from ..actions import Compute, Observe
from ..agent import Agent
from ..runtime.happenings.queue import KIND_OF_INPUT as RANK
from ..runtime.happenings.rhythm import next_tick
from ..runtime.inputs import Alarm, Arrival, Begin, Due, Effect, Input, Reading, Result, Send
from ..runtime.node import Node
from .conduct import Seen, watch
from .surroundings import Surroundings

BUG, FAILS, UNHANDLED = "our side breaks the protocol", "an agent fails", "a message is not handled"
Simplify = Callable[[Any], Hashable]


class Observing(NamedTuple):
    """Readings of a source that are still to come."""

    source: str
    every_us: int
    until_us: int
    next_us: int


class Standing(NamedTuple):
    """Everything of an agent at its desk that may change."""

    state: Any
    conversations: tuple[Conversation, ...]
    rounds: tuple[tuple[str, tuple[str, ...]], ...]
    closed: tuple[str, ...]
    timers: tuple[tuple[str, int], ...]
    observing: tuple[Observing, ...]
    studies: tuple[Compute, ...]
    seen: Seen

    def key(self) -> Hashable:
        """The same, hashable: a protocol is known by its name."""
        return (self.state, tuple((one.protocol.name, *one[1:]) for one in self.conversations), *self[2:])


class Outcome(NamedTuple):
    """What an input leads to: the next standing, and envelopes by number to put on their way."""

    then: int
    sent: tuple[int, ...]


class NextDue(NamedTuple):
    """What the time brings next: when, what, and in how many ways it may turn out."""

    at_us: int
    given: Input
    ways: int


@dataclass
class Actor:
    """One agent, every standing it can get into, and every reaction it has shown."""

    agent: Agent[Any]
    kinds: Mapping[str, str]
    vocabulary: Vocabulary
    envelopes: Interning[Hashable, Envelope]
    surroundings: Surroundings
    simplify: Simplify | None = None
    may_lose: bool = False
    standings: Interning[Hashable, Standing] = field(default_factory=Interning)
    _reactions: dict[tuple[int, int, int, int], Outcome | Wrong] = field(default_factory=dict)
    _due: dict[tuple[int, bool], NextDue | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """One node serves all standings."""
        self._node = Node(self.agent, Desk(self.agent.name, self.kinds, self.vocabulary))

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.agent.name

    def begin(self, now_us: int) -> Outcome | Wrong:
        """The first standing, when the run has begun."""
        nothing = Standing(self.agent.start(), (), (), (), (), (), (), Seen())
        return self._react(nothing, nothing, Begin(), now_us)

    def hear(self, standing: int, envelope: int, now_us: int) -> Outcome | Wrong:
        """An envelope comes in."""
        key = (standing, envelope, -1, now_us)
        found = self._reactions.get(key)
        if found is None:
            before = self.standings[standing]
            found = self._reactions[key] = self._react(before, before, Arrival(self.envelopes[envelope]), now_us)
        return found

    def due(self, standing: int, *, deadlines_only: bool = False) -> NextDue | None:
        """What the time brings next, or None: readings before timers before deadlines, as in a run."""
        key = (standing, deadlines_only)
        if key not in self._due:
            self._due[key] = self._next_due(self.standings[standing], deadlines_only)
        return self._due[key]

    def pass_time(self, standing: int, due: NextDue, way: int, now_us: int) -> Outcome | Wrong:
        """What is due happens, in one of the ways in which it may turn out."""
        key = (standing, -1 if isinstance(due.given, Due) else -2, way, now_us)
        found = self._reactions.get(key)
        if found is None:
            before = self.standings[standing]
            found = self._reactions[key] = self._react(before, *self._happens(before, due.given, way), now_us)
        return found

    def study_ends(self, standing: int, study: int, way: int, now_us: int) -> Outcome | Wrong:
        """A study ends, in one of the ways in which it may turn out."""
        key = (standing, -3 - study, way, now_us)
        found = self._reactions.get(key)
        if found is None:
            before = self.standings[standing]
            asked = before.studies[study]
            rest = before._replace(studies=before.studies[:study] + before.studies[study + 1 :])
            result, error = self.surroundings.results(asked.job)[way]
            found = self._reactions[key] = self._react(before, rest, Result(asked.key, result, error), now_us)
        return found

    def ways_of_study(self, standing: int, study: int) -> int:
        """In how many ways a study may turn out."""
        return len(self.surroundings.results(self.standings[standing].studies[study].job))

    def _next_due(self, standing: Standing, deadlines_only: bool) -> NextDue | None:
        coming: list[tuple[int, int, str, Input]] = [
            (
                conversation.deadline_us,
                RANK[Due],
                conversation.id,
                Due(conversation.id, conversation.deadline_us),
            )
            for conversation in standing.conversations
            if conversation.deadline_us is not None
        ]
        if not deadlines_only:
            coming += [(one.next_us, RANK[Reading], one.source, Reading(one.source, one)) for one in standing.observing]
            coming += [(at_us, RANK[Alarm], timer, Alarm(timer, at_us)) for timer, at_us in standing.timers]
        if not coming:
            return None
        at_us, _, source, given = min(coming, key=lambda one: one[:3])
        return NextDue(at_us, given, len(self._readings(standing, source, at_us)) if isinstance(given, Reading) else 1)

    def _readings(self, standing: Standing, source: str, at_us: int) -> tuple[object, ...]:
        return self.surroundings.readings(self.agent, source, standing, at_us)

    def _happens(self, before: Standing, given: Input, way: int) -> tuple[Standing, Input]:
        """The standing just before the agent is told, and what it is told."""
        if not isinstance(given, Reading):
            return before, given
        one = given.reading
        assert isinstance(one, Observing)
        again = one._replace(next_us=one.next_us + one.every_us)
        left = list(before.observing)
        left.remove(one)
        if again.next_us <= one.until_us:
            left.append(again)
        reading = self._readings(before, one.source, one.next_us)[way]
        return before._replace(observing=tuple(sorted(left))), Reading(one.source, reading)

    def _react(self, before: Standing, restored: Standing, given: Input, now_us: int) -> Outcome | Wrong:
        """Restore, let the node take the input, and keep what has come of it."""
        node = self._node
        self._restore(restored)
        try:
            effects = node.take(given, now_us)
        except LocalProtocolError as error:
            return Wrong(BUG, str(error))
        except Exception as error:  # noqa: BLE001 - whatever an agent raises is a counterexample, and told as one
            return Wrong(FAILS, f"{self.name}: {type(error).__name__}: {error}")
        unhandled = self._unhandled(before, given, effects)
        if unhandled is not None:
            return unhandled
        after = self._standing(restored, effects, now_us)
        seen = watch(self.agent, restored.seen, given, effects, after)
        return seen if isinstance(seen, Wrong) else self._kept(after._replace(seen=seen), effects)

    def _restore(self, standing: Standing) -> None:
        node = self._node
        node.state, node.timers = standing.state, dict(standing.timers)
        node.desk.conversations = {one.id: one for one in standing.conversations}
        node.desk.rounds = {name: set(waiting) for name, waiting in standing.rounds}
        node.desk.closed_rounds = set(standing.closed)

    def _standing(self, before: Standing, effects: list[Effect], now_us: int) -> Standing:
        node, observing = self._node, list(before.observing)
        for effect in effects:
            if isinstance(effect, Observe):
                first_us = next_tick(now_us - 1, effect.every_us)
                if first_us <= effect.until_us:
                    observing.append(Observing(effect.source, effect.every_us, effect.until_us, first_us))
        return Standing(
            node.state if self.simplify is None else self.simplify(node.state),
            tuple(conversation for _, conversation in sorted(node.desk.conversations.items())),
            tuple((name, tuple(sorted(waiting))) for name, waiting in sorted(node.desk.rounds.items())),
            tuple(sorted(node.desk.closed_rounds)),
            tuple(sorted(node.timers.items())),
            tuple(sorted(observing)),
            (*before.studies, *(effect for effect in effects if isinstance(effect, Compute))),
            before.seen,
        )

    def _kept(self, after: Standing, effects: list[Effect]) -> Outcome:
        sent = tuple(self._envelope(effect.envelope) for effect in effects if isinstance(effect, Send))
        return Outcome(self.standings.number(after.key(), after), sent)

    def _envelope(self, envelope: Envelope) -> int:
        return self.envelopes.number(envelope, envelope)

    def _unhandled(self, before: Standing, given: Input, effects: list[Effect]) -> Wrong | None:
        """A not-understood is our answer only to what goes on in a conversation whose opening has been lost."""
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.envelope.content, NotUnderstood):
                assert isinstance(given, Arrival)
                envelope = given.envelope
                known = any(one.id == envelope.conversation_id for one in before.conversations)
                place = index_of(envelope.id)
                if known or not self.may_lose or place is None or place[1] == 0:
                    return Wrong(UNHANDLED, f"{self.name}: {effect.envelope.content.reason}")
        return None
