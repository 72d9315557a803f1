"""A subscription as it flows: messages of one kind, one after the other, that leave both sides where they stand.

    say  ─▶ Flow: what all of them share, and the next number ─▶ Row ─▶ Hearer: what is expected next
            └─ settled ─▶ the conversation, as if each had been said by itself      settled ◀─┘

Nothing about it is new to the table: whoever is in a state that an inform leads back to may say the next one, and
whoever has heard one from there understands the next. So a row needs neither an envelope nor a look into the table.
As soon as anything else is said or heard in the conversation, both sides settle what has flowed, and go on from there.
What many flows say at the same instant is a Volley: one thing on its way, as columns, of which a row is made only for
those who look at it by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import NamedTuple

from .conversation import Conversation
from .envelope import Envelope
from .messages import Message


@dataclass(eq=False, slots=True)
class Flow:
    """What one side says in a conversation without moving on; `number` is that of the next message.

    `roles` and `link` are the kinds and names of who speaks and who hears.
    """

    conversation: Conversation
    kind: type[Message]
    stage: str
    step: str | None
    roles: tuple[str, str]
    link: tuple[str, str]
    prefix: str
    number: int

    @property
    def sender(self) -> str:
        """Who speaks."""
        return self.link[0]

    @property
    def receiver(self) -> str:
        """Who hears."""
        return self.link[1]

    def settled(self) -> Conversation:
        """The conversation after all that has been said."""
        if self.number == self.conversation.said:
            return self.conversation
        return self.conversation._replace(said=self.number, last_said=f"{self.prefix}{self.number - 1}")


class Row(NamedTuple):
    """One message of a flow: its id and number, what it says and because of what, and when it was sent and arrives."""

    flow: Flow
    id: str
    number: int
    content: Message
    caused_by: str | None
    sent_us: int
    received_us: int | None

    @property
    def heard_us(self) -> int:
        """When it is heard; what is lost is never asked."""
        assert self.received_us is not None
        return self.received_us

    def envelope(self) -> Envelope:
        """The message as any other."""
        view = self.flow.conversation
        ids = self.id, *self.flow.link, view.protocol.name, view.id
        return Envelope(*ids, self.content, view.last_heard, self.caused_by)


_row = partial(tuple.__new__, Row)  # of a tuple of known length, made with every message


@dataclass(eq=False, slots=True)
class Volley:
    """The next message of many flows, said at one instant: their numbers, contents, causes, and when they arrive.

    The same `flows` in the same order are the same object, so that what follows from them is found once.
    """

    flows: tuple[Flow, ...]
    numbers: Sequence[int]
    contents: Sequence[Message]
    causes: Sequence[str | None]
    sent_us: int
    received_us: Sequence[int | None]

    def __len__(self) -> int:
        """How many messages."""
        return len(self.flows)

    def ids(self) -> list[str]:
        """The ids of all of them."""
        return [f"{flow.prefix}{number}" for flow, number in zip(self.flows, self.numbers, strict=True)]

    def row(self, place: int) -> Row:
        """One of them by itself."""
        flow, number = self.flows[place], self.numbers[place]
        content, cause = self.contents[place], self.causes[place]
        return Row(flow, f"{flow.prefix}{number}", number, content, cause, self.sent_us, self.received_us[place])

    def rows(self, places: Sequence[int]) -> list[Row]:
        """Some of them by themselves, in that order."""
        flows, numbers = [self.flows[place] for place in places], [self.numbers[place] for place in places]
        columns = self.contents, self.causes, self.received_us
        contents, causes, received_us = [[column[place] for place in places] for column in columns]
        ids = [f"{flow.prefix}{number}" for flow, number in zip(flows, numbers, strict=True)]
        return list(map(_row, zip(flows, ids, numbers, contents, causes, repeat(self.sent_us), received_us)))

    def part(self, places: slice) -> "Volley":
        """Some of them, one after the other."""
        flows, numbers, contents = self.flows[places], self.numbers[places], self.contents[places]
        return Volley(flows, numbers, contents, self.causes[places], self.sent_us, self.received_us[places])


@dataclass(eq=False, slots=True)
class Hearer:
    """What the other side has heard of a flow: `number` is the one expected next."""

    conversation: Conversation
    flow: Flow
    number: int

    def settled(self) -> Conversation:
        """The conversation after all that has been heard."""
        if self.number == self.conversation.heard:
            return self.conversation
        return self.conversation._replace(heard=self.number, last_heard=f"{self.flow.prefix}{self.number - 1}")


def flow_of(conversation: Conversation, kind: type[Message], roles: tuple[str, str]) -> Flow | None:
    """The flow of messages of a kind that we may say from here; None if one would lead elsewhere, or may not be said.

    `roles`: the kinds of agent of sender and receiver.
    """
    protocol, side = conversation.protocol, conversation.side
    step = protocol.next_state.get((conversation.state, side, kind))
    if step is None or step.only_heard or step.then != conversation.state or protocol.waits(step.then, side):
        return None
    return Flow(
        conversation,
        kind,
        protocol.stage,
        protocol.paper.get(kind),
        roles,
        (conversation.me, conversation.peer),
        f"{conversation.id}#{side[0]}",
        conversation.said,
    )


def hearer_of(conversation: Conversation, flow: Flow) -> Hearer | None:
    """Whoever has just heard a message of a flow understands the next; None if it has led elsewhere."""
    protocol, speaker = conversation.protocol, conversation.side.other
    step = protocol.next_state.get((conversation.state, speaker, flow.kind))
    if step is None or step.only_heard or step.then != conversation.state:
        return None
    if protocol.waits(conversation.state, conversation.side) or flow.conversation.side is not speaker:
        return None
    return Hearer(conversation, flow, conversation.heard)
