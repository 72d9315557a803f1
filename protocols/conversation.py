"""One side's view of one conversation: where it stands in its protocol's table.

    me ──── say ────▶ next state          peer ──── hear ────▶ next state          reply-by ──▶ silence

The two sides need not be in the same state at the same time, because messages take time; the table
declares what may cross. Immutable: each step gives a new value.
"""

from typing import NamedTuple

from .envelope import Envelope, Side, Topic, index_in
from .errors import LocalProtocolError, RemoteProtocolError
from .messages import Message
from .tables import START, Protocol, Step

NOT_UNDERSTOOD = "not_understood"
_new = tuple.__new__  # a named tuple of known length, in a third of the time: it is made anew with every message


class Conversation(NamedTuple):
    """State of a conversation as `side` sees it.

    `deadline_us` is when our waiting ends, if we wait: as our last message with a reply-by says, or an answer that puts
    it off.
    """

    protocol: Protocol
    topic: Topic
    side: Side
    state: str = START
    said: int = 0
    heard: int = 0
    last_said: str | None = None
    last_heard: str | None = None
    deadline_us: int | None = None
    round: str | None = None

    @property
    def id(self) -> str:
        """The conversation's id."""
        return self.topic.conversation_id

    @property
    def me(self) -> str:
        """The agent on our side."""
        return self.topic.initiator if self.side is Side.INITIATOR else self.topic.peer

    @property
    def peer(self) -> str:
        """The agent on the other side."""
        return self.topic.peer if self.side is Side.INITIATOR else self.topic.initiator

    @property
    def ended(self) -> bool:
        """Whether nothing is owed any more."""
        return self.state == NOT_UNDERSTOOD or self.state in self.protocol.final

    @property
    def answered(self) -> bool:
        """Whether we wait for nothing: the other side has answered, or our waiting has ended."""
        return not self.protocol.waits(self.state, self.side)

    def say(
        self, content: Message, *, reply_by_us: int | None = None, caused_by: str | None = None
    ) -> tuple["Conversation", Envelope]:
        """Say something; LocalProtocolError if the table does not let us.

        Who has asked does not wait without a deadline; a proposal without one binds until it is answered.
        """
        protocol, topic, side, state, said, heard, _, last_heard, deadline_us, round_id = self
        found = protocol.sayings.get((state, side, type(content)))
        if found is None:
            may = ", ".join(protocol.may_say(state, side)) or "nothing"
            raise LocalProtocolError(f"{self.id}: we say {content.type_id} in '{state}', where we may say {may}")
        then, waits = found
        name, about = protocol.name, topic.conversation_id
        if side is Side.INITIATOR:
            spoken, me, peer = f"{about}#i{said}", topic.initiator, topic.peer
        else:
            spoken, me, peer = f"{about}#r{said}", topic.peer, topic.initiator
        envelope = _new(Envelope, (spoken, me, peer, name, about, content, last_heard, caused_by, reply_by_us))
        until_us = (deadline_us if reply_by_us is None else reply_by_us) if waits else None
        if waits and until_us is None and side is Side.INITIATOR:
            raise LocalProtocolError(f"{self.id}: we wait for an answer to {content.type_id} without reply-by")
        now = (protocol, topic, side, then, said + 1, heard, spoken, last_heard, until_us, round_id)
        return _new(Conversation, now), envelope

    def hear(self, envelope: Envelope, index: int | None = None) -> tuple["Conversation", Step]:
        """Hear the peer; RemoteProtocolError if the table does not let it say this here.

        `index`: the running number of the message, where it is known already.
        """
        protocol, topic, side, state, said, _, last_said, _, deadline_us, round_id = self
        speaker = Side.RESPONDENT if side is Side.INITIATOR else Side.INITIATOR
        found = protocol.hearings.get((state, speaker, type(envelope.content)))
        if found is None:
            may = ", ".join(protocol.understood(state, speaker)) or "nothing"
            where = f"'{state}' of {protocol.name}"
            raise RemoteProtocolError(f"{envelope.content.type_id} is out of turn in {where}; understood: {may}")
        step, waits = found
        if index is None:
            index = self.index_of(envelope)
        if state == START or envelope.in_reply_to != last_said:
            self._check_reference(envelope, index)
        until_us = deadline_us if waits else None
        if waits and step.puts_off and envelope.reply_by_us is not None:
            until_us = envelope.reply_by_us
        now = (protocol, topic, side, step.then, said, index + 1, last_said, envelope.id, until_us, round_id)
        return _new(Conversation, now), step

    def heard_before(self, envelope: Envelope) -> bool:
        """Whether this is a copy of a message already heard, or was overtaken by a later one; errors as `index_of`."""
        return self.index_of(envelope) < self.heard

    def silent(self) -> "Conversation":
        """The deadline has passed: go where the table says silence leads."""
        protocol, topic, side, state, said, heard, last_said, last_heard, _, round_id = self
        then = protocol.after_silence[(state, side)]
        now = (protocol, topic, side, then, said, heard, last_said, last_heard, None, round_id)
        return _new(Conversation, now)

    def index_of(self, envelope: Envelope) -> int:
        """The running number of a message of the peer; RemoteProtocolError if its id is not one of the peer's.

        One below `heard` is a copy of what has been heard, or was overtaken by a later message.
        """
        heard = self.heard
        if envelope.id == f"{self.topic.conversation_id}#{'r' if self.side is Side.INITIATOR else 'i'}{heard}":
            return heard
        index = index_in(envelope.id, self.id, self.side.other)
        if index is None:
            raise RemoteProtocolError(f"message id '{envelope.id}' is not one of {self.peer} in {self.id}")
        return index

    def _check_reference(self, envelope: Envelope, index: int) -> None:
        """An opening has number 0; an answer names something that we have said."""
        if self.state == START and index:
            raise RemoteProtocolError(f"message id '{envelope.id}': the first message of {self.id} has number 0")
        reference = envelope.in_reply_to
        if reference is None or reference == self.last_said:
            return
        answered = index_in(reference, self.id, self.side)
        if answered is None or answered >= self.said:
            raise RemoteProtocolError(f"in_reply_to '{reference}' is nothing that {self.me} has said")
