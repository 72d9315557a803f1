"""The agents of a recorded run, played again from its journal, with attacks and odd messages in between.

An attack must change nothing. An odd message is well-formed, in turn and from who may say it, but says what nobody
expects; it may change what it likes in a copy of the agent, which then goes on for a while – but nobody may crash.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import Any

from attacks import ATTACKS, CONTENTS, KINDS
from mischief import spoilt_value

from gridpact.agents.actions import Actuate, Compute, Note, Observe
from gridpact.agents.runtime.inputs import Alarm, Arrival, Deadline, Due, Effect, Input, Result, Send, SetTimer
from gridpact.agents.runtime.memory.journal import from_line, to_line
from gridpact.agents.runtime.node import Node
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Topic, message_id
from gridpact.protocols.errors import RemoteProtocolError
from gridpact.protocols.information.quantities import LAST_US, instant
from gridpact.protocols.messages import Message, NotUnderstood
from gridpact.protocols.wire import content_from, to_json
from gridpact.scenarios.operation import plants
from gridpact.scenarios.operation.nodes import cast
from gridpact.scenarios.record.cells import line
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.replay.replaying import Recall

PERIODS = ("20260302T1100Z", "20260302T1115Z", "20260302T2359Z", "delivery", "application", "test", "x", "é", "2026")
SUBJECTS = (
    "mFRR-up",
    "mFRR",
    "mFRR-down",
    "aFRR-up",
    "FCR",
    "set-points",
    "mFRR-up.2",
    "x",
    "-",
    "limit-1",
    "unit-a-up",
)
STEPS_ON = 12


class Crowd:
    """Everybody of a run, as far as the journal has been played."""

    def __init__(self, run: Run, seed: int) -> None:
        """Nobody has experienced anything yet."""
        self.choice = Random(seed)  # noqa: S311 - seeded, not secret
        self.counts: Counter[str] = Counter()
        self._run = run
        everybody = cast(run.scenario, plants.resources(run.scenario))
        self.nodes, self.kinds = everybody.nodes, everybody.kinds
        self._everybody = everybody
        self._heard: dict[str, list[Envelope]] = defaultdict(list)
        self._contents: dict[type[Message], list[Any]] = defaultdict(list)
        for message, content in CONTENTS.items():
            self._contents[message].append(content.model_dump(mode="json"))

    def play(self, each: float) -> Iterator[tuple[Node, int]]:
        """Feed everybody its inputs; after some of them (the share `each`) a node and the time are yielded."""
        recall = Recall(self._everybody)
        for row in self._run.journal_rows():
            node, at_us = self.nodes[row["agent"]], instant(row["at"])
            given = recall.input_of(row)
            recall.keep(node.take(given, at_us))
            if isinstance(given, Arrival):
                self._heard[row["agent"]].append(given.envelope)
                self._contents[type(given.envelope.content)].append(given.envelope.content.model_dump(mode="json"))
            if self.choice.random() < each:
                yield node, at_us

    def attack(self, node: Node, at_us: int) -> None:
        """One attack on a node; AssertionError if anything changes."""
        known = [one for one in node.desk.known().values() if one.heard and one.said]
        heard = [one for one in self._heard[node.agent.name] if node.desk.find(one.conversation_id) is not None]
        if heard and (not known or self.choice.random() < 0.3):
            name, envelope = "heard before", self.choice.choice(heard)  # of what is remembered
        elif known:
            name = self.choice.choice(list(ATTACKS))
            envelope = ATTACKS[name][0](self.choice, self.choice.choice(known))
        else:
            return
        before = _snapshot(node)
        effects = node.take(Arrival(envelope), at_us)
        assert _snapshot(node) == before, (name, envelope)
        assert all(isinstance(one, Send) and isinstance(one.envelope.content, NotUnderstood) for one in effects), name
        assert name != "heard before" or not effects, envelope
        self.counts[name] += 1

    def surprise(self, node: Node, at_us: int) -> None:
        """One odd message to a copy of a node, which then goes on for a while."""
        twin = Node(node.agent, Desk(node.desk.name, node.desk.kinds, node.desk.vocabulary))
        twin.desk.conversations, twin.desk.closed_rounds = node.desk.known(), set(node.desk.closed_rounds)
        twin.desk.rounds = {name: set(waiting) for name, waiting in node.desk.rounds.items()}
        twin.state, twin.timers = node.state, dict(node.timers)
        envelope = self._odd(node, at_us)
        if envelope is None:
            return
        self.counts["odd"] += 1
        try:
            _go_on(twin, Arrival(envelope), at_us)
        except Exception as error:
            raise AssertionError(f"{node.agent.name} at {at_us}: {to_json(envelope)}") from error

    def _odd(self, node: Node, at_us: int) -> Envelope | None:
        """A message in turn in one of the node's conversations, or one that begins another."""
        live = [one for one in node.desk.known().values() if one.protocol.understood(one.state, one.side.other)]
        if live and self.choice.random() < 0.6:
            return self._in_turn(self.choice.choice(live), node, at_us)
        return self._opening(node, at_us)

    def _in_turn(self, one: Conversation, node: Node, at_us: int) -> Envelope:
        understood = one.protocol.understood(one.state, one.side.other)
        content = self._content(node.desk.vocabulary.messages[self.choice.choice(understood)])
        said = message_id(one.id, one.side.other, one.heard + self.choice.choice((0, 0, 0, 7)))
        names = (said, one.peer, one.me, one.protocol.name, one.id)
        return Envelope(*names, content, one.last_said, None, self._reply_by(at_us))

    def _opening(self, node: Node, at_us: int) -> Envelope | None:
        vocabulary, me = node.desk.vocabulary, node.agent.name
        able = [
            (protocol, peer)
            for _, protocol in sorted(vocabulary.protocols.items())
            for peer in sorted(self.kinds)
            if peer != me
            and protocol.respondent in vocabulary.roles[node.agent.kind]
            and protocol.initiator in vocabulary.roles[self.kinds[peer]]
        ]
        if not able:
            return None
        protocol, peer = self.choice.choice(able)
        period, subject = self.choice.choice(PERIODS), self.choice.choice(SUBJECTS)
        about = Topic(peer, protocol.stage, period, subject, me).conversation_id
        if node.desk.find(about) is not None:
            return None
        content = self._content(protocol.steps[0].message)
        return Envelope(f"{about}#i0", peer, me, protocol.name, about, content, None, None, self._reply_by(at_us))

    def _reply_by(self, at_us: int) -> int | None:
        return self.choice.choice((None, 0, at_us - 1, at_us, at_us + 10**7, at_us + 10**9, LAST_US))

    def _content(self, message: type[Message]) -> Message:
        """A valid content, mostly one that was said in the run with some changes."""
        value = self.choice.choice(self._contents[message][-20:])
        for _ in range(self.choice.choice((0, 1, 1, 2, 3))):
            changed = spoilt_value(self.choice, value)
            try:
                content_from(message.type_id, changed, self._everybody.nodes[min(self.nodes)].desk.vocabulary)
            except RemoteProtocolError:
                continue
            value = changed
        return message.model_validate_json(json.dumps(value))


def _snapshot(node: Node) -> Any:
    desk = node.desk
    kept = [(key, id(one)) for key, one in desk.conversations.items()]
    past = desk.past.all()
    return (
        id(node.state),
        dict(node.timers),
        kept,
        past,
        {k: set(v) for k, v in desk.rounds.items()},
        set(desk.closed_rounds),
    )


def _go_on(node: Node, given: Input, at_us: int) -> None:
    """Let a node experience something and what follows from it, as a host would: journal, effects, timers."""
    waiting: list[tuple[int, int, Input]] = [(at_us, 0, given)]
    number = 0
    for _ in range(STEPS_ON):
        if not waiting:
            return
        now_us, _, given = heappop(waiting)
        now_us = max(now_us, at_us)
        if node.is_stale(given):
            continue
        assert from_line(to_line(given), node.desk.vocabulary) is not None
        for effect in node.take(given, now_us):
            later = _later(node, effect, now_us)
            if later is not None:
                number += 1
                heappush(waiting, (later[0], number, later[1]))


def _later(node: Node, effect: Effect, now_us: int) -> tuple[int, Input] | None:
    """What a host would let happen after an effect."""
    match effect:
        case Deadline(conversation_id, deadline_us):
            return deadline_us, Due(conversation_id, deadline_us)
        case SetTimer(timer, at_us):
            return at_us, Alarm(timer, at_us)
        case Compute(key, _):
            return now_us + 10**6, Result(key, None, "the study failed")
        case Send(envelope=envelope):
            assert len(to_json(envelope)) < 10**6
        case Observe(every_us=every_us, until_us=until_us):
            assert every_us > 0
            assert until_us >= 0
        case Actuate(target=target, value=value):
            _check_move(node, target, value)
        case Note(evidence=evidence):
            line(dict(evidence))
    return None


def _check_move(node: Node, target: str, value: float) -> None:
    """A participant moves what it owns, by a finite number."""
    assert abs(value) <= 1e6, value
    profile = getattr(node.agent, "profile", None)
    if KINDS.get(node.agent.name, node.agent.kind) in ("BSP", "AGGREGATOR"):
        owned = {resource.id for resource in profile.resources}  # type: ignore[union-attr]
        assert target.rpartition("/")[2] in owned, target
