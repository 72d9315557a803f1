"""All actors together, the messages between them, and the time: the system that is explored.

    a message arrives     order is kept from one agent to another; a message may take as long as it likes
    a message is lost     or arrives twice, the copy at any later time: at most `faults` in all
    a study ends          at any time, in each way that it may
                          (`late`, if given, bounds how many are late at a time)
    time passes           the next timer, deadline or reading of all agents comes, whatever is still on its way;
                          what comes at the same instant comes together, in the order of a run
    an agent falls silent from the beginning, or at any time: it hears, says and does nothing any more

Time is the order of deadlines: `now` is that of the last one that came. When a window is over, what is on its way
still arrives, and deadlines pass until nobody waits for an answer any more (or until `settle_us`), but no timers.
A window of time is explored, from a standing that is reached by playing what comes before it without faults, in
the ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...protocols.envelope import Envelope
from ...protocols.verification.search import Interning
from ...protocols.verification.story import Moment, Wrong
from ...protocols.vocabulary import BUSINESS_USE_CASE
from ..agent import Agent
from ..runtime.happenings.queue import PHASE_OF_KIND
from .actor import Actor, NextDue, Outcome, Simplify, Standing
from .agreement import RULES, Quiet, settled
from .surroundings import Surroundings
from .transit import NOBODY, Transit
from .window import Move, State, Window, about, in_words, is_due


@dataclass
class World:
    """Agents and what is between them, as a system to explore."""

    agents: Sequence[Agent[Any]]
    window: Window
    surroundings: Surroundings = field(default_factory=Surroundings)
    simplify: Simplify | None = None

    def __post_init__(self) -> None:
        """An actor for every agent, a way for every pair that may speak with each other."""
        kinds = {agent.name: agent.kind for agent in self.agents}
        self._envelopes: Interning[Any, Envelope] = Interning()
        self._actors = [
            Actor(
                agent,
                kinds,
                BUSINESS_USE_CASE,
                self._envelopes,
                self.surroundings,
                simplify=self.simplify,
                may_lose=self.window.faults > 0,
            )
            for agent in self.agents
        ]
        self._names = [agent.name for agent in self.agents]
        self._transit = Transit(self._names, self._envelopes)
        order = [(PHASE_OF_KIND[agent.kind], agent.name, at) for at, agent in enumerate(self.agents)]
        self._turns = [at for _, _, at in sorted(order)]

    @property
    def name(self) -> str:
        """The window's name."""
        return self.window.name

    @property
    def bounds(self) -> tuple[str, ...]:
        """What the window and the surroundings bound, in words."""
        return (f"{len(self.agents)} agents", *self.window.bounds, *self.surroundings.bounds)

    def starts(self) -> Iterator[State]:
        """The standing that the ordinary course has led to when the window begins, or where it goes wrong before."""
        state = self._begun()
        while state.now_us < self.window.from_us:
            onward = next(iter(self._ordinary(state)), None)
            if not isinstance(onward, State):
                break
            state = onward
        silent = self._names.index(self.window.silent) if self.window.silent in self._names else NOBODY
        yield self._hushed(state._replace(faults=self.window.faults), silent)

    def _begun(self) -> State:
        state = State((), self._transit.empty, 0, NOBODY, 0, NOBODY)
        sent: list[int] = []
        for actor in self._actors:
            outcome = actor.begin(0)
            assert isinstance(outcome, Outcome), outcome
            state, sent = state._replace(standings=(*state.standings, outcome.then)), [*sent, *outcome.sent]
        return state._replace(ways=self._transit.put(state.ways, tuple(sent), NOBODY))

    def _ordinary(self, state: State) -> Iterator[State | Wrong]:
        """What happens next without faults: messages first, then studies, then the time, each in its first way."""
        due = tuple(self._passing(state, self.window.from_us - 1))
        if due and is_due(state, due[0]):
            yield self._after(state, due[0])
        for move in (*self._arrivals(state), *self._studies(state)):
            yield self._after(state, move)
        for move in self._passing(state, self.window.from_us - 1):
            yield self._after(state, move)

    def moves(self, state: State) -> Iterator[tuple[Move, State | Wrong]]:
        """Everything that may happen next."""
        yield from self._falls(state)
        due = tuple(self._passing(state, self.window.until_us))
        if due and is_due(state, due[0]):
            yield from ((move, self._after(state, move)) for move in due)
            return
        for move in self._arrivals(state):
            then = self._after(state, move)
            yield move, then
            if state.faults:
                yield from self._mishaps(state, move, then)
        for move in (*self._copies(state), *self._studies(state), *due):
            yield move, self._after(state, move)

    def _mishaps(self, state: State, move: Move, then: State | Wrong) -> Iterator[tuple[Move, State | Wrong]]:
        """The message that arrives is lost instead, or a copy of it is still on its way when it has led to `then`."""
        standings, ways, now_us, stray, faults, silent = state
        lost = State(standings, self._transit.taken(ways, move.envelope), now_us, stray, faults - 1, silent)
        yield Move("lost", move.actor, move.envelope), lost
        doubled = Move("doubled", move.actor, move.envelope)
        if isinstance(then, Wrong):
            yield doubled, then
        else:
            standings, ways, now_us, _, faults, silent = then
            yield doubled, State(standings, ways, now_us, move.envelope, faults - 1, silent)

    def _falls(self, state: State) -> Iterator[tuple[Move, State]]:
        if self.window.silent == "at any time" and state.silent == NOBODY and not self._is_over(state):
            for name in self.window.may_fall:
                move = Move("silent", self._names.index(name))
                yield move, self._hushed(state, move.actor)

    def _arrivals(self, state: State) -> Iterator[Move]:
        for receiver, envelope in self._transit.first(state.ways):
            yield Move("message", receiver, envelope)

    def _copies(self, state: State) -> Iterator[Move]:
        if state.stray != NOBODY:
            receiver = self._names.index(self._envelopes[state.stray].receiver)
            if receiver != state.silent:
                yield Move("copy", receiver, state.stray)

    def _studies(self, state: State) -> Iterator[Move]:
        for at, actor in enumerate(self._actors):
            studies = actor.standings[state.standings[at]].studies
            for study in range(len(studies)) if at != state.silent else ():
                for way in range(actor.ways_of_study(state.standings[at], study)):
                    yield Move("study", at, study=study, way=way)

    def _passing(self, state: State, until_us: int) -> Iterator[Move]:
        """The earliest of what is due; at one instant in the order of a run."""
        who, due = self._next(state, deadlines_only=False)
        if due is not None and due.at_us > until_us:
            after = until_us == self.window.until_us and self._is_quiet(state)
            who, due = self._next(state, deadlines_only=True) if after else (NOBODY, None)
            until_us = self.window.settle_us
        if due is not None and due.at_us <= until_us and self._may_pass(state, due):
            for way in range(due.ways):
                yield Move("time", who, way=way, due=due)

    def _may_pass(self, state: State, due: NextDue) -> bool:
        """Time passes on to another instant only if no more than so many messages are still on their way then."""
        if self.window.late is None or due.at_us <= state.now_us:
            return True
        return self._transit.count(state.ways) <= self.window.late and not self._study(state)

    def _study(self, state: State) -> bool:
        return any(
            actor.standings[state.standings[at]].studies for at, actor in enumerate(self._actors) if at != state.silent
        )

    def _next(self, state: State, *, deadlines_only: bool) -> tuple[int, NextDue | None]:
        """Whose turn it is, and what the time brings."""
        who, earliest = NOBODY, None
        for at in self._turns:
            if at != state.silent:
                due = self._actors[at].due(state.standings[at], deadlines_only=deadlines_only)
                if due is not None and (earliest is None or due.at_us < earliest.at_us):
                    who, earliest = at, due
        return who, earliest

    def _after(self, state: State, move: Move) -> State | Wrong:
        """Where a move leads, but for a mishap."""
        standings, ways, now_us, stray, faults, silent = state
        actor, standing = self._actors[move.actor], standings[move.actor]
        if move.kind == "time":
            assert move.due is not None
            now_us = max(now_us, move.due.at_us)
            outcome = actor.pass_time(standing, move.due, move.way, now_us)
        elif move.kind == "study":
            outcome = actor.study_ends(standing, move.study, move.way, now_us + 1)
        else:
            if move.kind == "copy":
                stray = NOBODY
            else:
                ways = self._transit.taken(ways, move.envelope)
            outcome = actor.hear(standing, move.envelope, now_us + 1)
        if isinstance(outcome, Wrong):
            return outcome
        standings = (*standings[: move.actor], outcome.then, *standings[move.actor + 1 :])
        return State(standings, self._transit.put(ways, outcome.sent, silent), now_us, stray, faults, silent)

    def _hushed(self, state: State, silent: int) -> State:
        if silent == NOBODY:
            return state
        return state._replace(ways=self._transit.hushed(state.ways, silent), silent=silent)

    def _is_quiet(self, state: State) -> bool:
        return not any(state.ways) and not self._study(state)

    def _is_over(self, state: State) -> bool:
        quiet = self._is_quiet(state) and next(self._copies(state), None) is None
        return quiet and next(self._passing(state, self.window.until_us), None) is None

    def is_end(self, state: State) -> bool:
        """The window is over, nothing is on its way, and nobody owes anything without a timer that brings it."""
        return self._is_over(state) and not self._owing(state)

    def _owing(self, state: State) -> list[str]:
        return [
            f"{name} in '{conversation.state}' of {conversation.id}"
            for name, standing in self._present(state)
            for conversation in standing.conversations
            if not settled(conversation, standing.timers, self.window.open_ended)
        ]

    def _present(self, state: State) -> list[tuple[str, Standing]]:
        everybody = zip(self._actors, state.standings, strict=True)
        return [(a.name, a.standings[s]) for at, (a, s) in enumerate(everybody) if at != state.silent]

    def wrong(self, state: State) -> Wrong | None:
        """Whether agents disagree where nothing is on its way."""
        if not self._is_quiet(state):
            return None
        quiet = Quiet(state.now_us, {agent.name: agent for agent in self.agents}, dict(self._present(state)))
        return next((wrong for rule in RULES for wrong in rule(quiet)), None)

    def tell(self, state: State, label: object) -> Moment:
        """A move in words, with what is said in reaction."""
        assert isinstance(label, Move)
        actor, name = self._actors[label.actor], self._names[label.actor]
        if label.kind == "silent":
            return Moment("within", name, "falls silent")
        if label.envelope != NOBODY:
            envelope = self._envelopes[label.envelope]
            text = f"{envelope.content.type_id} ({about(envelope)})"
            return Moment(label.kind, envelope.sender, text, name, self._said(state, label))  # type: ignore[arg-type]
        if label.kind == "study":
            study = actor.standings[state.standings[label.actor]].studies[label.study]
            text = f"study {type(study.job).__name__} ends in way {label.way}"
            return Moment("within", name, text, "", self._said(state, label))
        assert label.due is not None
        return Moment("within", name, in_words(label.due, label.way), "", self._said(state, label))

    def _said(self, state: State, label: Move) -> tuple[str, ...]:
        """What the actor says in reaction: what is on its ways after that was not before."""
        after = state if label.kind == "lost" else self._after(state, label)
        if isinstance(after, Wrong):
            return ()
        said = self._transit.added(state.ways, after.ways, label.actor)
        return tuple(f"{self._envelopes[n].content.type_id} to {self._names[receiver]}" for receiver, n in said)

    def describe(self, state: State) -> str:
        """Who still owes what."""
        return "; ".join(self._owing(state)) or f"at {state.now_us / 1e6:g} s"
