"""An agent's desk: all its conversations, without any input or output.

    open / say      what our agent wants to say → envelopes to send        LocalProtocolError: our bug
    hear            an envelope that came in → Hearing                     theirs: not-understood goes back
    silence         a deadline that has passed → Silent, or None if it is stale

The desk checks who speaks: that the message is for us, that the peer may take the protocol's role, that
the conversation is its own, and that the message is in turn. What is not is answered with not-understood
and changes nothing. A copy of what has been heard is dropped. A *round* groups conversations: it closes
when all have answered or run into their deadlines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .conversation import NOT_UNDERSTOOD, Conversation
from .envelope import Envelope, Side, Topic, index_of
from .errors import LocalProtocolError, RemoteProtocolError
from .messages import Message, NotUnderstood
from .tables import START, Protocol, Step
from .vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Hearing:
    """What came of an incoming envelope.

    `step` is the table's step (None if refused, a copy, or a not-understood), `reply` what the desk answers
    by itself, `closed_round` the round that this message completed.
    """

    conversation: Conversation | None
    step: Step | None = None
    reply: Envelope | None = None
    copy: bool = False
    closed_round: str | None = None


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
        """Begin a conversation (in a round, if one is named); LocalProtocolError if we may not."""
        if topic.conversation_id in self.conversations:
            raise LocalProtocolError(f"conversation {topic.conversation_id} is open already")
        self._authorise(topic.initiator, protocol.initiator, LocalProtocolError)
        self._authorise(topic.peer, protocol.respondent, LocalProtocolError)
        fresh = Conversation(protocol, topic, Side.INITIATOR, round=round_id)
        conversation, envelope = fresh.say(content, reply_by_us=reply_by_us, caused_by=caused_by)
        self.conversations[conversation.id] = conversation
        if round_id is not None:
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
        conversation = self.conversations.get(conversation_id)
        if conversation is None:
            raise LocalProtocolError(f"we say {content.type_id} in {conversation_id}, which we do not know")
        moved, envelope = conversation.say(content, reply_by_us=reply_by_us, caused_by=caused_by)
        self.conversations[conversation_id] = moved
        return envelope

    def hear(self, envelope: Envelope) -> Hearing:
        """Take in an envelope; never raises for what the other side did wrong."""
        try:
            if isinstance(envelope.content, NotUnderstood):
                return self._hear_not_understood(envelope)
            conversation = self._conversation_for(envelope)
            if conversation.heard_before(envelope):
                return Hearing(conversation, copy=True)
            moved, step = conversation.hear(envelope)
        except RemoteProtocolError as error:
            return Hearing(None, reply=self._not_understood(envelope, str(error)))
        self.conversations[moved.id] = moved
        return Hearing(moved, step, closed_round=self._closed_round(moved))

    def silence(self, conversation_id: str, deadline_us: int) -> Silent | None:
        """A deadline has passed; None if the conversation no longer waits for it."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None or conversation.deadline_us != deadline_us:
            return None
        moved = conversation.silent()
        self.conversations[conversation_id] = moved
        return Silent(moved, conversation.state, self._closed_round(moved))

    def _conversation_for(self, envelope: Envelope) -> Conversation:
        if envelope.receiver != self.name:
            raise RemoteProtocolError(f"addressed to {envelope.receiver}, heard by {self.name}")
        known = self.conversations.get(envelope.conversation_id)
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
            raise RemoteProtocolError(f"conversation id '{envelope.conversation_id}' does not name its parties and stage")
        if (START, Side.INITIATOR, type(envelope.content)) not in protocol.next_state:
            raise RemoteProtocolError(f"unknown conversation '{envelope.conversation_id}'")
        self._authorise(envelope.sender, protocol.initiator, RemoteProtocolError)
        self._authorise(self.name, protocol.respondent, RemoteProtocolError)
        return Conversation(protocol, topic, Side.RESPONDENT)

    def _authorise(self, agent: str, role: str, error: type[Exception]) -> None:
        kind = self.kinds.get(agent)
        if kind is None:
            raise error(f"unknown agent '{agent}'")
        if role not in self.vocabulary.roles.get(kind, frozenset()):
            raise error(f"{agent} ({kind}) may not take the role {role}")

    def _hear_not_understood(self, envelope: Envelope) -> Hearing:
        """Their not-understood ends the branch if it is about the last thing we said; it is never answered."""
        known = self.conversations.get(envelope.conversation_id)
        about_last = known is not None and known.peer == envelope.sender and envelope.in_reply_to == known.last_said
        if known is None or not about_last:
            return Hearing(None)
        if known.state == NOT_UNDERSTOOD:
            return Hearing(known, copy=True)
        moved = known._replace(state=NOT_UNDERSTOOD, deadline_us=None)
        self.conversations[moved.id] = moved
        return Hearing(moved, closed_round=self._closed_round(moved))

    def _not_understood(self, envelope: Envelope, reason: str) -> Envelope:
        content = NotUnderstood(message_id=envelope.id, reason=reason)
        reply_id = f"{envelope.id}!{self.name}"
        about = envelope.conversation_id
        return Envelope(reply_id, self.name, envelope.sender, envelope.protocol, about, content, envelope.id)

    def _closed_round(self, conversation: Conversation) -> str | None:
        """The round that is complete now that this conversation has been answered, if it is the last."""
        round_id = conversation.round
        waiting = self.rounds.get(round_id) if round_id is not None else None
        if not waiting or conversation.id not in waiting or not conversation.answered:
            return None
        waiting.discard(conversation.id)
        if waiting:
            return None
        del self.rounds[str(round_id)]
        return round_id


def side_of(envelope: Envelope) -> Side | None:
    """The side that spoke, read from the message id; None for a not-understood, which stands outside the table."""
    found = index_of(envelope.id)
    return found[0] if found else None
