"""An agent's desk: all its conversations, without any input or output.

    open / say      what our agent wants to say → envelopes to send        LocalProtocolError: our bug
    hear            an envelope that came in → Hearing                     theirs: not-understood goes back
    hear_text       the same, from a wire, on the channel of somebody
    silence         a deadline that has passed → Silent, or None if it is stale

The desk checks who speaks: that the message is for us, that the peer may take the protocol's role, that
the conversation is its own, and that the message is in turn. What is not is answered with not-understood
and changes nothing. A copy of what has been heard is dropped. A not-understood is never answered; it ends the
conversation if it is about the last thing we said, and changes nothing if we have gone on since.

A *round* groups conversations: it closes, once, when all have answered or run into their deadlines. It is remembered as
long as one of them is.

A desk that is `tidy` keeps what is over apart and small (`past.py`), so that what it holds hangs on what is going on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .conversation import NOT_UNDERSTOOD, Conversation
from .envelope import Envelope, Side, Topic, parts_of
from .errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from .messages import Message, NotUnderstood
from .past import Past
from .tables import START, Protocol, Step
from .vocabulary import Vocabulary
from .wire import LONGEST, Plain, from_plain, to_plain

_new = tuple.__new__  # a named tuple of known length, made with every message


class Hearing(NamedTuple):
    """What came of an incoming envelope.

    `step` is the table's step (None if refused, a copy, or a not-understood), `reply` what the desk answers
    by itself, `closed_round` the round that this message completed, `fault` why it was refused.
    """

    conversation: Conversation | None
    step: Step | None = None
    reply: Envelope | None = None
    copy: bool = False
    closed_round: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A deadline has passed: the conversation as it stands now, where it was, and the round that this completed."""

    conversation: Conversation
    waited_in: str
    closed_round: str | None = None


@dataclass
class Desk:
    """The conversations of one agent; `kinds` tells every agent's kind, `vocabulary` what may be said."""

    name: str
    kinds: Mapping[str, str]
    vocabulary: Vocabulary
    conversations: dict[str, Conversation] = field(default_factory=dict)
    rounds: dict[str, set[str]] = field(default_factory=dict)
    closed_rounds: set[str] = field(default_factory=set)
    tidy: bool = False

    def __post_init__(self) -> None:
        """Nothing is over yet."""
        self.past = Past(self.vocabulary.protocols)

    def open(
        self,
        protocol: Protocol,
        topic: Topic,
        content: Message,
        *,
        reply_by_us: int | None = None,
        caused_by: str | None = None,
        round_id: str | None = None,
    ) -> Envelope:
        """Begin a conversation (in a round, if one is named); LocalProtocolError if we may not.

        What waits for an answer needs a deadline, so `reply_by_us` may only be missing where nothing is awaited.
        """
        self._check_opening(protocol, topic, round_id)
        fresh = Conversation(protocol, topic, Side.INITIATOR, round=round_id)
        conversation, envelope = fresh.say(content, reply_by_us=reply_by_us, caused_by=caused_by)
        self.conversations[conversation.id] = conversation
        if self.tidy:
            self.past.note_opening(conversation.id, reply_by_us)
        if round_id is not None and not conversation.answered:
            self.rounds.setdefault(round_id, set()).add(conversation.id)
        return envelope

    def say(
        self,
        conversation_id: str,
        content: Message,
        *,
        reply_by_us: int | None = None,
        caused_by: str | None = None,
    ) -> Envelope:
        """Go on in a conversation; LocalProtocolError if it is unknown or it is not our turn."""
        conversation = self.find(conversation_id)
        if conversation is None:
            raise LocalProtocolError(f"we say {content.type_id} in {conversation_id}, which we do not know")
        self.conversations[conversation_id], envelope = conversation.say(
            content, reply_by_us=reply_by_us, caused_by=caused_by
        )
        return envelope

    def hear(self, envelope: Envelope) -> Hearing:
        """Take in an envelope; never raises for what the other side did wrong."""
        content = envelope.content
        if isinstance(content, NotUnderstood):
            return self._hear_not_understood(envelope, content)
        try:
            conversation = self._conversation_for(envelope)
            index = conversation.index_of(envelope)
            if index < conversation.heard:
                return Hearing(conversation, copy=True)
            moved, step = conversation.hear(envelope, index)
        except RemoteProtocolError as error:
            fault = str(error)[:LONGEST]
            return Hearing(None, reply=self.not_understood(envelope, fault), fault=fault)
        self.conversations[envelope.conversation_id] = moved
        if self.tidy and conversation.state == START:
            self.past.note_opening(envelope.conversation_id, envelope.reply_by_us)
        closed = None if moved.round is None else self._closed_round(moved)
        return _new(Hearing, (moved, step, None, False, closed, None))

    def hear_text(self, text: str | bytes, *, via: str) -> Hearing:
        """Take in what came over a wire on the channel of `via`; never raises for what the other side did wrong.

        What cannot be read is answered, on the same channel, if it can be named.
        """
        plain: Plain = {}
        try:
            plain = to_plain(text)
            envelope = from_plain(plain, self.vocabulary)
            if envelope.sender != via:
                raise RemoteProtocolError(f"{via} speaks in the name of {envelope.sender}")
        except RemoteProtocolError as error:
            fault = str(error)[:LONGEST]
            return Hearing(None, reply=self._unread(plain, via, fault), fault=fault)
        return self.hear(envelope)

    def silence(self, conversation_id: str, deadline_us: int) -> Silent | None:
        """A deadline has passed; None if the conversation no longer waits for it."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None or conversation.deadline_us != deadline_us:
            return None
        moved = conversation.silent()
        self.conversations[conversation_id] = moved
        return Silent(moved, conversation.state, self._closed_round(moved))

    def find(self, conversation_id: str) -> Conversation | None:
        """A conversation that goes on or is remembered, or None."""
        known = self.conversations.get(conversation_id)
        return self.past.recall(conversation_id) if known is None else known

    def known(self) -> dict[str, Conversation]:
        """All conversations that go on or are remembered, by id."""
        return self.past.all() | self.conversations

    def tidy_up(self, now_us: int) -> None:
        """Put what is over apart, once it may be half of all, and forget what has been over for long."""
        if self.tidy and (len(self.conversations) > self.past.most or now_us >= self.past.look_us):
            horizon_us = self.past.horizon_us
            self.conversations = self.past.sort_out(self.conversations, now_us)
            if self.past.horizon_us != horizon_us:
                self.closed_rounds &= self.past.rounds() | {one.round for one in self.conversations.values()}

    def _conversation_for(self, envelope: Envelope) -> Conversation:
        if envelope.receiver != self.name:
            raise RemoteProtocolError(f"addressed to {envelope.receiver}, heard by {self.name}")
        known = self.find(envelope.conversation_id)
        if known is None:
            return self._opened_by(envelope)
        if known.peer != envelope.sender:
            raise RemoteProtocolError(f"{envelope.sender} is no party of {known.id}")
        if known.protocol.name != envelope.protocol:
            raise RemoteProtocolError(f"{known.id} follows {known.protocol.name}, not {envelope.protocol}")
        return known

    def _opened_by(self, envelope: Envelope) -> Conversation:
        protocol = self.vocabulary.protocols.get(envelope.protocol)
        if protocol is None:
            raise RemoteProtocolError(f"unknown protocol '{envelope.protocol}'")
        try:
            topic = Topic.parse(envelope.conversation_id)
        except ValueError as error:
            raise RemoteProtocolError(str(error)) from error
        if (topic.initiator, topic.peer, topic.stage) != (envelope.sender, self.name, protocol.stage):
            about = envelope.conversation_id
            raise RemoteProtocolError(f"conversation id '{about}' does not name its parties and stage")
        if (START, Side.INITIATOR, type(envelope.content)) not in protocol.next_state:
            raise RemoteProtocolError(f"unknown conversation '{envelope.conversation_id}'")
        self._authorise(envelope.sender, protocol.initiator, RemoteProtocolError)
        self._authorise(self.name, protocol.respondent, RemoteProtocolError)
        if self.past.is_too_old(envelope.reply_by_us):
            about = envelope.conversation_id
            raise RemoteProtocolError(f"'{about}' is too old to begin: its reply-by is long past")
        return Conversation(protocol, topic, Side.RESPONDENT)

    def _check_opening(self, protocol: Protocol, topic: Topic, round_id: str | None) -> None:
        """What the other side would refuse is refused here first, as our own fault."""
        about = topic.conversation_id
        if about in self.conversations or about in self.past:
            raise LocalProtocolError(f"conversation {about} is open already")
        if topic.initiator != self.name or topic.peer == self.name or topic.stage != protocol.stage:
            raise LocalProtocolError(f"{self.name} cannot open {about} as {protocol.name} of stage {protocol.stage}")
        if self.vocabulary.protocols.get(protocol.name) is not protocol:
            raise LocalProtocolError(f"{protocol.name} is not in the vocabulary of this run")
        if round_id in self.closed_rounds:
            raise LocalProtocolError(f"round {round_id} has closed, {about} cannot join it")
        try:
            parts_of(about)
        except ValueError as error:
            raise LocalProtocolError(str(error)) from error
        self._authorise(topic.initiator, protocol.initiator, LocalProtocolError)
        self._authorise(topic.peer, protocol.respondent, LocalProtocolError)

    def may_take(self, peer: str, role: str) -> bool:
        """Whether somebody else in the run has this name and may take this role."""
        return peer != self.name and role in self.vocabulary.roles.get(self.kinds.get(peer, ""), frozenset())

    def _authorise(self, agent: str, role: str, error: type[ProtocolError]) -> None:
        kind = self.kinds.get(agent)
        if kind is None:
            raise error(f"unknown agent '{agent}'")
        roles = self.vocabulary.roles.get(kind)
        if roles is None or role not in roles:
            raise error(f"{agent} ({kind}) may not take the role {role}")

    def _hear_not_understood(self, envelope: Envelope, content: NotUnderstood) -> Hearing:
        """Their not-understood ends the branch if it is about the last thing we said; it is never answered."""
        known = self.find(envelope.conversation_id)
        if known is None or (envelope.receiver, envelope.sender) != (self.name, known.peer):
            return Hearing(None, fault=f"{envelope.sender} has not understood what we did not say to it")
        if not envelope.in_reply_to == content.message_id == known.last_said:
            return Hearing(None, fault=f"{envelope.sender} has not understood {content.message_id}, which is past")
        if known.state == NOT_UNDERSTOOD:
            return Hearing(known, copy=True)
        moved = known._replace(state=NOT_UNDERSTOOD, deadline_us=None)
        self.conversations[moved.id] = moved
        return Hearing(moved, closed_round=self._closed_round(moved))

    def not_understood(self, envelope: Envelope, reason: str) -> Envelope:
        """The answer to a message that is not taken, short enough for the other side to read."""
        return self._answer((envelope.id, envelope.protocol, envelope.conversation_id), envelope.sender, reason)

    def _unread(self, plain: Plain, via: str, reason: str) -> Envelope | None:
        """The answer to a text that is no message; None if it does not say what it is, or is a not-understood."""
        about, protocol, conversation_id = named = [plain.get(key) for key in ("id", "protocol", "conversation_id")]
        if plain.get("type") == NotUnderstood.type_id:
            return None
        if not all(isinstance(name, str) and 0 < len(name) <= LONGEST for name in named):
            return None
        return self._answer((str(about), str(protocol), str(conversation_id)), via, reason)

    def _answer(self, about: tuple[str, str, str], to: str, reason: str) -> Envelope:
        """Not-understood about a message of that id, protocol and conversation."""
        heard, protocol, conversation_id = about
        reply_id = f"{heard[: LONGEST - len(self.name) - 1]}!{self.name}"
        content = NotUnderstood(message_id=heard, reason=reason)
        return Envelope(reply_id, self.name, to, protocol, conversation_id, content, heard)

    def _closed_round(self, conversation: Conversation) -> str | None:
        """The round that is complete now that this conversation has been answered, if it is the last."""
        round_id = conversation.round
        waiting = self.rounds.get(round_id) if round_id is not None else None
        if not waiting or conversation.id not in waiting or not conversation.answered:
            return None
        waiting.discard(conversation.id)
        if waiting:
            return None
        assert round_id is not None
        del self.rounds[round_id]
        self.closed_rounds.add(round_id)
        return round_id
