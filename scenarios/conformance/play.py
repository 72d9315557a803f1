"""Who is played and what is heard: a desk and a line for each of ours, and a wait for answers.

payload ─▶ schema ─▶ in whose name ─▶ said before? ─▶ desk: in turn, in time ─▶ heard ─▶ whoever waits for it
              └─▶ what is wrong is a finding, and answered as any party would (not-understood)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...agents.calendar import Calendar
from ...protocols.desk import Desk
from ...protocols.envelope import Envelope, Topic
from ...protocols.errors import LocalProtocolError, RemoteProtocolError
from ...protocols.information.offering import Offers
from ...protocols.messages import Message, NotUnderstood
from ...protocols.tables import Protocol
from ...protocols.wire import from_json, to_json
from ..description.schema import Scenario
from .findings import Report

if TYPE_CHECKING:
    from ...agents.runtime.mqtt.clock import SharedClock
    from ...agents.runtime.mqtt.line import Line
    from ...agents.runtime.mqtt.topics import Topics

DURING = "throughout"


class Heard(NamedTuple):
    """A message that was heard in turn, when and by whom."""

    at_us: int
    envelope: Envelope
    late: bool

    @property
    def content(self) -> Message:
        """What was said."""
        return self.envelope.content


@dataclass
class Play:
    """One conformance run: the parties played, the clock, what has arrived, what of it was heard, and the report.

    `after`: what is judged when nothing waits for the clock any more.
    """

    scenario: Scenario
    calendar: Calendar
    participant: str
    topics: Topics
    report: Report
    desks: dict[str, Desk]
    patience_us: int
    quiet_us: int
    lines: dict[str, Line] = field(default_factory=dict)
    clock: SharedClock | None = None
    arrived: list[Envelope] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    misunderstood: list[Envelope] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    first: asyncio.Event = field(default_factory=asyncio.Event)
    after: list[Callable[[], object]] = field(default_factory=list)
    _texts: dict[str, bytes] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tso(self) -> str:
        """The TSO's name."""
        return self.scenario.tso

    @property
    def dso(self) -> str | None:
        """The DSO's name, if there is one."""
        return next(iter(self.scenario.dsos), None)

    @property
    def now_us(self) -> int:
        """The time of the run."""
        return self.scenario.time.start_us if self.clock is None else self.clock.now_us

    def soon_us(self) -> int:
        """Until when an answer that needs no thought is wanted."""
        return self.now_us + self.patience_us

    def open(self, who: str, protocol: Protocol, about: tuple[str, str], content: Message, until_us: int) -> Envelope:
        """One of ours begins a conversation with the participant; `about`: period and subject."""
        topic = Topic(who, protocol.stage, *about, self.participant)
        return self._sent(self.desks[who].open(protocol, topic, content, reply_by_us=until_us))

    def say(self, who: str, conversation_id: str, content: Message, until_us: int | None = None) -> Envelope | None:
        """One of ours goes on in a conversation; None (and a finding) if the participant has ended it."""
        try:
            return self._sent(self.desks[who].say(conversation_id, content, reply_by_us=until_us))
        except LocalProtocolError as error:
            self.report.judge(DURING, "order", f"{conversation_id} has been ended: {error}", "")
            return None

    def stream(self, who: str, conversation_id: str, content: Message) -> None:
        """One of ours tells more in a subscription, unless the participant has ended it."""
        try:
            self._sent(self.desks[who].say(conversation_id, content), streamed=True)
        except LocalProtocolError as error:
            self.report.judge(DURING, "order", f"{conversation_id} has been ended: {error}", "")

    def _sent(self, envelope: Envelope, *, streamed: bool = False) -> Envelope:
        self.said.add(envelope.id)
        self.throw(envelope.sender, to_json(envelope), streamed=streamed)
        return envelope

    def throw(self, who: str, text: str | bytes, *, streamed: bool = False) -> None:
        """Publish anything on the channel of one of ours."""
        payload = text.encode() if isinstance(text, str) else text
        self.lines[who].send(self.topics.message(who, self.participant, streamed=streamed), payload)

    async def expect(self, wanted: Callable[[Heard], bool], by_us: int) -> Heard | None:
        """The first message so far or until `by_us` that is wanted."""
        seen = 0
        while True:
            for one in self.heard[seen:]:
                if wanted(one):
                    return one
            seen = len(self.heard)
            if not await self._until(by_us):
                return None

    async def answer(self, envelope: Envelope | None, *kinds: type[Message], by_us: int | None = None) -> Heard | None:
        """The first answer of some kinds to a message of ours in its conversation."""
        if envelope is None:
            return None
        about = envelope.conversation_id
        return await self.expect(
            lambda one: one.envelope.conversation_id == about and isinstance(one.content, kinds),
            self.soon_us() if by_us is None else by_us,
        )

    async def refusal(self, message_id: str) -> Envelope | None:
        """The not-understood about something that we have said."""
        by_us = self.soon_us()
        while True:
            for one in self.misunderstood:
                if isinstance(one.content, NotUnderstood) and one.content.message_id == message_id:
                    return one
            if not await self._until(by_us):
                return None

    async def wait_until(self, at_us: int) -> None:
        """Let a time of the run come."""
        while await self._until(at_us):
            pass

    async def quiet(self) -> None:
        """Give the participant time to say what it should not."""
        await self.wait_until(self.now_us + self.quiet_us)

    async def _until(self, by_us: int) -> bool:
        """Wait for news, but not longer than to a time of the run; whether that time is still to come."""
        assert self.clock is not None
        self._news.clear()
        wait_s = self.clock.wait_s(by_us)
        if wait_s <= 0:
            return False
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def take(self, who: str, via: str, payload: bytes) -> None:
        """Something has come in for one of ours on the channel of `via`."""
        if via != self.participant:
            return
        self.first.set()
        try:
            envelope = from_json(payload, self.desks[who].vocabulary)
        except RemoteProtocolError as error:
            self.report.judge(DURING, "schema", str(error), "")
            self._reply(self.desks[who].hear_text(payload, via=via).reply)
            return
        self.arrived.append(envelope)
        if envelope.sender != via:
            self.report.judge(DURING, "identity", f"{envelope.id} is said in the name of {envelope.sender}", "")
        elif json.loads(self._texts.setdefault(envelope.id, payload)) != json.loads(payload):
            self.report.judge(DURING, "duplicate", f"{envelope.id} is said twice, and not the same", "")
        else:
            self._hear(who, envelope)
        self._news.set()

    def _hear(self, who: str, envelope: Envelope) -> None:
        desk, now_us = self.desks[who], self.now_us
        known = desk.conversations.get(envelope.conversation_id)
        if known is not None and known.deadline_us is not None and known.deadline_us < now_us:
            desk.silence(known.id, known.deadline_us)
        hearing = desk.hear(envelope)
        self._reply(hearing.reply)
        if isinstance(envelope.content, NotUnderstood):
            self.misunderstood.append(envelope)
        elif hearing.fault is not None:
            self.report.judge(DURING, "order", hearing.fault, "")
        elif hearing.step is not None:
            self._note(Heard(now_us, envelope, hearing.step.late))

    def _note(self, one: Heard) -> None:
        self.heard.append(one)
        if one.late:
            subject = "late offer" if isinstance(one.content, Offers) else "deadline"
            text = f"{one.envelope.id} ({one.content.type_id}) comes after its deadline"
            self.report.judge(DURING, subject, text, "")

    def _reply(self, reply: Envelope | None) -> None:
        if reply is not None:
            self.throw(reply.sender, to_json(reply))
