"""One agent with its desk: inputs in, effects out, no I/O. What is run, replayed and verified is this.

    Arrival ─▶ desk ─▶ Heard / Rejected ─┐
    Due     ─▶ desk ─▶ Silence ──────────┤                     ┌─▶ Send, Deadline
    Alarm, Result, Reading, Begin ───────┼─▶ agent ─▶ actions ─┼─▶ SetTimer, Start, Watch, Move
    the desk closes a round ─────────────┘                     └─▶ Leave (evidence)

A node is deterministic: the same inputs in the same order give the same effects. The journal is the list
of its inputs. A node that is `in_bulk` says and hears subscriptions as flows (protocols/flow.py): what comes of it is
the same, only that nothing is made of a message that nobody looks at. Somebody else may keep account of what readings
and repeated set-points come to (fleet.py); before the node experiences anything by itself it calls that `back`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...protocols.conversation import NOT_UNDERSTOOD
from ...protocols.desk import Desk, Hearing
from ...protocols.envelope import Envelope
from ...protocols.errors import LocalProtocolError
from ...protocols.flow import Flow, Hearer, Row, Volley
from ...protocols.information.sheet import Sheet
from ...protocols.messages import Message
from ..actions import Action, Actuate, Compute, Forget, Note, Observe, Open, Publish, PublishEach, Say, Wake
from ..agent import Agent
from ..cycle import Cycle
from ..events import Computed, Event, Heard, Rejected, RoundClosed, Sampled, Silence, Started, Woken
from ..extension import Extended
from .inputs import Alarm, Arrival, Begin, Chorus, Deadline, Due, Effect, Input, Reading, Result, Send, SetTimer, Stream
from .messages.streams import Streams

_new = tuple.__new__  # a named tuple of known length, made with every message


@dataclass
class Node:
    """An agent at its desk; `refused` counts messages that have changed nothing, by the reason."""

    agent: Agent[Any]
    desk: Desk
    state: Any = None
    timers: dict[str, int] = field(default_factory=dict)
    in_bulk: bool = False
    streams: Streams = field(init=False, compare=False)
    back: Callable[[], None] | None = field(default=None, compare=False)
    refused: Counter[str] = field(default_factory=Counter, compare=False)

    def __post_init__(self) -> None:
        """Begin in the agent's first state."""
        self.state = self.agent.start()
        self.streams = Streams(self.desk, self.agent.name)

    def is_stale(self, given: Input) -> bool:
        """Whether this timer or deadline has been replaced or dropped since it was set."""
        if type(given) is Alarm:
            return self.timers.get(given.timer) != given.at_us
        if type(given) is Due:
            conversation = self.desk.conversations.get(given.conversation_id)
            return conversation is None or conversation.deadline_us != given.deadline_us
        return False

    def listen(self, rows: Sequence[Row]) -> int:
        """Hear rows of flows, in the order of arrival; returns how many, up to the first that needs a closer look."""
        if self.back is not None:
            self.back()
        find, known = self.streams.hearers.get, list[Hearer]()
        for flow, _, number, _, _, _, _ in rows:
            hearer = find(flow)
            if hearer is None or number < hearer.number:
                break
            known.append(hearer)
        if not known:
            return 0
        self.state, taken = self.agent.overhear(self.state, rows if len(known) == len(rows) else rows[: len(known)])
        for hearer, row in zip(known, rows[:taken], strict=False):
            hearer.number = row.number + 1
        return taken

    def hear_next(self, row: Row) -> list[Effect] | None:
        """Hear the next message of a flow by itself; None if it is not the next one, so that the desk has to look."""
        hearer = self.streams.hearers.get(row.flow)
        if hearer is None or row.number != hearer.number or row.received_us is None:
            return None
        if self.back is not None:
            self.back()
        hearer.number = row.number + 1
        effects: list[Effect] = []
        heard = Heard(row.envelope(), hearer.settled(), False)
        self.state, actions = self.agent.react(self.state, heard, row.received_us)
        self._carry_out(actions, heard, effects)
        return effects

    def hear(self, volley: Volley, places: Sequence[int]) -> bool:
        """Hear a part of a volley at once; False if something of it needs a closer look, so that nothing is taken."""
        sheet = volley.contents
        audience = self.streams.audience(volley, places) if isinstance(sheet, Sheet) else None
        if audience is None or not isinstance(sheet, Sheet):
            return False
        numbers = [volley.numbers[place] for place in places]
        if not audience.expects(numbers):
            return False
        if self.back is not None:
            self.back()
        state = self.agent.told(self.state, Cycle(audience.names, sheet.said_by(places), sheet.at_us))
        if state is None:
            return False
        self.state = state
        audience.hear(numbers)
        return True

    def take(self, given: Input, now_us: int) -> list[Effect]:
        """Experience one input; returns what is to be done about it, in order."""
        if self.back is not None:
            self.back()
        effects: list[Effect] = []
        for event in _EVENTS[type(given)](self, given, effects):
            self.state, actions = self.agent.react(self.state, event, now_us)
            self._carry_out(actions, event, effects)
        self.desk.tidy_up(now_us)
        return effects

    def sample(self, source: str, reading: object, now_us: int, effects: list[Effect]) -> None:
        """The same as to take a reading, without looking what kind of input it is; adds to what is to be done."""
        if self.back is not None:
            self.back()
        sampled = _new(Sampled, (source, reading))
        self.state, actions = self.agent.react(self.state, sampled, now_us)
        self._carry_out(actions, sampled, effects)

    def _carry_out(self, actions: Sequence[Action], event: Event, effects: list[Effect]) -> None:
        for action in actions:
            try:
                _DEEDS[type(action)](self, action, effects)
            except LocalProtocolError as error:
                if isinstance(self.agent, Extended):
                    self.agent.answer_for(action, event, error)
                raise

    def _arrived(self, given: Arrival, effects: list[Effect]) -> Sequence[Event]:
        envelope = given.envelope
        if self.streams.flowing:
            self.streams.settle(envelope.conversation_id)
        hearing = self.desk.hear(envelope)
        conversation, step, _, _, closed_round, _ = hearing
        if conversation is None or step is None:
            return self._not_in_turn(envelope, hearing, effects)
        if conversation.deadline_us is not None:
            effects.append(_new(Deadline, (envelope.conversation_id, conversation.deadline_us)))
        heard = _new(Heard, (envelope, conversation, step.late))
        return (heard,) if closed_round is None else (heard, RoundClosed(closed_round))

    def _not_in_turn(self, envelope: Envelope, hearing: Hearing, effects: list[Effect]) -> Sequence[Event]:
        """What the desk has refused, has heard before, or is the other side's not-understood."""
        if hearing.reply is not None:
            effects.append(Send(hearing.reply, _stage_of(hearing.reply.conversation_id), None))
        if hearing.conversation is None or hearing.copy:
            self.refused[_why(hearing)] += 1
            return ()
        return (Rejected(envelope, hearing.conversation), *_closed(hearing.closed_round))

    def _due(self, given: Due, effects: list[Effect]) -> Sequence[Event]:
        self.streams.settle(given.conversation_id)
        silent = self.desk.silence(given.conversation_id, given.deadline_us)
        if silent is None:
            return ()
        silence = _new(Silence, (silent.conversation, silent.waited_in))
        return (silence,) if silent.closed_round is None else (silence, RoundClosed(silent.closed_round))

    def _alarmed(self, given: Alarm, effects: list[Effect]) -> Sequence[Event]:
        timer = given.timer
        self.timers.pop(timer, None)
        return (_new(Woken, (timer,)),)

    def _open(self, action: Open, effects: list[Effect]) -> None:
        protocol, topic, content, reply_by_us, caused_by, round_id = action
        if not self.desk.may_take(topic.peer, protocol.respondent):
            effects.append(_unsaid(topic.conversation_id, content, f"{topic.peer} is no {protocol.respondent} here"))
            return
        sent = self.desk.open(protocol, topic, content, reply_by_us=reply_by_us, caused_by=caused_by, round_id=round_id)
        self._send(sent, effects)

    def _say(self, action: Say, effects: list[Effect]) -> None:
        conversation_id, content, reply_by_us, caused_by = action
        if self._is_broken(conversation_id):
            effects.append(_unsaid(conversation_id, content, "the peer has not understood us"))
            return
        if self.streams.flowing:
            self.streams.settle(conversation_id)
        sent = self.desk.say(conversation_id, content, reply_by_us=reply_by_us, caused_by=caused_by)
        self._send(sent, effects)

    def _wake(self, action: Wake, effects: list[Effect]) -> None:
        timer, at_us = action
        self.timers[timer] = at_us
        effects.append(_new(SetTimer, action))

    def _forget(self, action: Forget, effects: list[Effect]) -> None:
        self.timers.pop(action.timer, None)

    def _leave(self, action: Compute | Observe | Actuate | Note, effects: list[Effect]) -> None:
        effects.append(action)

    def _publish(self, action: Publish, effects: list[Effect]) -> None:
        """Say it in every subscription that has not been broken."""
        conversation_ids, content, caused_by = action
        kind = type(content)
        for conversation_id in conversation_ids:
            flow = self.streams.flow(conversation_id, kind) if self.in_bulk else None
            if flow is not None:
                _flows(flow, content, caused_by, effects)
            elif not self._is_broken(conversation_id):
                said = self.desk.say(conversation_id, content, caused_by=caused_by)
                self._send(said, effects, streamed=True)

    def _publish_each(self, action: PublishEach, effects: list[Effect]) -> None:
        """Say to each its own: at once where all of it flows."""
        conversation_ids, contents = action
        kinds = {type(content) for content in contents}
        flows = self.streams.choir(conversation_ids, kinds.pop()) if self.in_bulk and len(kinds) == 1 else None
        if flows is None:
            for conversation_id, content in zip(conversation_ids, contents, strict=True):
                self._publish(Publish((conversation_id,), content), effects)
            return
        numbers = [flow.number for flow in flows]
        for flow in flows:
            flow.number += 1
        effects.append(Chorus(flows, numbers, contents, (None,) * len(numbers)))

    def _is_broken(self, conversation_id: str) -> bool:
        """Whether the peer has ended this branch by not understanding us: its doing, so no bug of ours."""
        conversation = self.desk.find(conversation_id)
        return conversation is not None and conversation.state == NOT_UNDERSTOOD

    def _send(self, envelope: Envelope, effects: list[Effect], *, streamed: bool = False) -> None:
        conversation = self.desk.conversations[envelope.conversation_id]
        protocol = conversation.protocol
        step = protocol.paper.get(type(envelope.content))
        effects.append(_new(Send, (envelope, protocol.stage, step, streamed)))
        if conversation.deadline_us is not None:
            effects.append(_new(Deadline, (envelope.conversation_id, conversation.deadline_us)))


_EVENTS: Mapping[type[Input], Callable[[Node, Any, list[Effect]], Sequence[Event]]] = {
    Arrival: Node._arrived,
    Due: Node._due,
    Alarm: Node._alarmed,
    Reading: lambda _, given, effects: (Sampled(given.source, given.reading),),
    Result: lambda _, given, effects: (Computed(given.key, given.result, given.error),),
    Begin: lambda _, given, effects: (Started(),),
}
_DEEDS: Mapping[type[Action], Callable[[Node, Any, list[Effect]], None]] = {
    Open: Node._open,
    Say: Node._say,
    Publish: Node._publish,
    PublishEach: Node._publish_each,
    Wake: Node._wake,
    Forget: Node._forget,
    **dict.fromkeys((Compute, Observe, Actuate, Note), Node._leave),
}


def _flows(flow: Flow, content: Message, caused_by: str | None, effects: list[Effect]) -> None:
    """The next message of a flow, together with those that have flowed right before it."""
    number = flow.number
    flow.number = number + 1
    if effects and type(last := effects[-1]) is Stream:
        flows, numbers, contents, causes = last
        flows.append(flow)
        numbers.append(number)
        contents.append(content)
        causes.append(caused_by)
    else:
        effects.append(_new(Stream, ([flow], [number], [content], [caused_by])))


def _why(hearing: Hearing) -> str:
    """Why a message has changed nothing."""
    if hearing.copy:
        return "heard before"
    return "not in order" if hearing.reply is not None else "not understood, but never said"


def _unsaid(conversation_id: str, content: Message, reason: str) -> Note:
    evidence = {"name": "not said", "conversation_id": conversation_id, "type": content.type_id, "reason": reason}
    return Note(_stage_of(conversation_id), None, evidence)


def _closed(round_id: str | None) -> list[Event]:
    return [RoundClosed(round_id)] if round_id is not None else []


def _stage_of(conversation_id: str) -> str:
    parts = conversation_id.split("/")
    return parts[1] if len(parts) == 5 else "unknown"
