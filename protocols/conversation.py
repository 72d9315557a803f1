"""One side's view of one conversation: where it stands in its protocol's table.

    me ──── say ────▶ next state          peer ──── hear ────▶ next state          reply-by ──▶ silence

The two sides need not be in the same state at the same time, because messages take time; the table
declares what may cross. Immutable: each step gives a new value.
"""

from typing import NamedTuple

from .envelope import Envelope, Side, Topic, index_of, message_id
from .errors import LocalProtocolError, RemoteProtocolError
from .messages import Message
from .tables import START, Protocol, Step

NOT_UNDERSTOOD = "not_understood"


class Conversation(NamedTuple):
    """State of a conversation as `side` sees it; `deadline_us` is when our waiting ends, if it does."""

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
        """Say something; LocalProtocolError if the table does not let us."""
        step = self.protocol.next_state.get((self.state, self.side, type(content)))
        if step is None or step.only_heard:
            may = ", ".join(self.protocol.may_say(self.state, self.side)) or "nothing"
            raise LocalProtocolError(f"{self.id}: we say {content.type_id} in '{self.state}', where we may say {may}")
        envelope = Envelope(
            message_id(self.id, self.side, self.said),
            self.me,
            self.peer,
            self.protocol.name,
            self.id,
            content,
            self.last_heard,
            caused_by,
            reply_by_us,
        )
        moved = self._moved(step, reply_by_us)
        return moved._replace(said=self.said + 1, last_said=envelope.id), envelope

    def hear(self, envelope: Envelope) -> tuple["Conversation", Step]:
        """Hear the peer; RemoteProtocolError if the table does not let it say this here."""
        step = self.protocol.next_state.get((self.state, self.side.other, type(envelope.content)))
        if step is None:
            may = ", ".join(self.protocol.understood(self.state, self.side.other)) or "nothing"
            raise RemoteProtocolError(
                f"{envelope.content.type_id} is out of turn in '{self.state}' of {self.protocol.name}; understood: {may}"
            )
        index = self._index(envelope)
        self._check_reference(envelope, index)
        moved = self._moved(step, envelope.reply_by_us)
        return moved._replace(heard=index + 1, last_heard=envelope.id), step

    def heard_before(self, envelope: Envelope) -> bool:
        """Whether this is a copy of a message already heard, or was overtaken by a later one.

        RemoteProtocolError if its id is not one of the peer's.
        """
        return self._index(envelope) < self.heard

    def silent(self) -> "Conversation":
        """The deadline has passed: go where the table says silence leads."""
        then = self.protocol.after_silence[(self.state, self.side)]
        return self._replace(state=then, deadline_us=None)

    def _index(self, envelope: Envelope) -> int:
        found = index_of(envelope.id)
        if found is None or message_id(self.id, self.side.other, found[1]) != envelope.id:
            raise RemoteProtocolError(f"message id '{envelope.id}' is not one of {self.peer} in {self.id}")
        return found[1]

    def _check_reference(self, envelope: Envelope, index: int) -> None:
        """An opening has number 0; an answer names something that we have said."""
        if self.state == START and index:
            raise RemoteProtocolError(f"message id '{envelope.id}': the first message of {self.id} has number 0")
        if envelope.in_reply_to is None:
            return
        found = index_of(envelope.in_reply_to)
        ours = found is not None and message_id(self.id, self.side, found[1]) == envelope.in_reply_to
        if found is None or not ours or found[1] >= self.said:
            raise RemoteProtocolError(f"in_reply_to '{envelope.in_reply_to}' is nothing that {self.me} has said")

    def _moved(self, step: Step, reply_by_us: int | None) -> "Conversation":
        waits = self.protocol.waits(step.then, self.side)
        deadline_us = (self.deadline_us if reply_by_us is None else reply_by_us) if waits else None
        return self._replace(state=step.then, deadline_us=deadline_us)
