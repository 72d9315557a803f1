"""One side's view of one conversation: where it stands in its protocol's table.

    me ──── say ────▶ next state          peer ──── hear ────▶ next state          reply-by ──▶ silence

The two sides need not be in the same state at the same time, because messages take time; the table
declares what may cross. Immutable: each step gives a new value.
"""

from typing import NamedTuple

from .envelope import Envelope, Side, Topic, index_in, message_id
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
        about = self.id
        spoken = message_id(about, self.side, self.said)
        names = (spoken, self.me, self.peer, self.protocol.name, about)
        envelope = Envelope(*names, content, self.last_heard, caused_by, reply_by_us)
        return self._moved(step.then, reply_by_us, said=self.said + 1, last_said=spoken), envelope

    def hear(self, envelope: Envelope, index: int | None = None) -> tuple["Conversation", Step]:
        """Hear the peer; RemoteProtocolError if the table does not let it say this here.

        `index`: the running number of the message, where it is known already.
        """
        step = self.protocol.next_state.get((self.state, self.side.other, type(envelope.content)))
        if step is None:
            may = ", ".join(self.protocol.understood(self.state, self.side.other)) or "nothing"
            where = f"'{self.state}' of {self.protocol.name}"
            raise RemoteProtocolError(f"{envelope.content.type_id} is out of turn in {where}; understood: {may}")
        if index is None:
            index = self.index_of(envelope)
        self._check_reference(envelope, index)
        return self._moved(step.then, envelope.reply_by_us, heard=index + 1, last_heard=envelope.id), step

    def heard_before(self, envelope: Envelope) -> bool:
        """Whether this is a copy of a message already heard, or was overtaken by a later one; errors as `index_of`."""
        return self.index_of(envelope) < self.heard

    def silent(self) -> "Conversation":
        """The deadline has passed: go where the table says silence leads."""
        then = self.protocol.after_silence[(self.state, self.side)]
        return self._replace(state=then, deadline_us=None)

    def index_of(self, envelope: Envelope) -> int:
        """The running number of a message of the peer; RemoteProtocolError if its id is not one of the peer's.

        One below `heard` is a copy of what has been heard, or was overtaken by a later message.
        """
        if envelope.id == message_id(self.id, self.side.other, self.heard):
            return self.heard
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

    def _moved(
        self,
        state: str,
        reply_by_us: int | None,
        *,
        said: int | None = None,
        heard: int | None = None,
        last_said: str | None = None,
        last_heard: str | None = None,
    ) -> "Conversation":
        """The conversation in its next state; written out, because `_replace` takes three times as long."""
        return Conversation(
            self.protocol,
            self.topic,
            self.side,
            state,
            self.said if said is None else said,
            self.heard if heard is None else heard,
            self.last_said if last_said is None else last_said,
            self.last_heard if last_heard is None else last_heard,
            self._deadline_in(state, reply_by_us),
            self.round,
        )

    def _deadline_in(self, state: str, reply_by_us: int | None) -> int | None:
        """Until when we wait in a state: as the last message says, else as before; None where we do not wait."""
        if not self.protocol.waits(state, self.side):
            return None
        return self.deadline_us if reply_by_us is None else reply_by_us
