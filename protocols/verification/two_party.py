"""One protocol between two desks: what may happen between them, in every order.

    initiator's desk ══▶ messages on their way ══▶ respondent's desk        one copy may stray
                     ◀══                       ◀══

Each side says whatever the table lets it say, whenever it may; order is kept on each way; a side that waits
may find that its deadline has passed at any moment; at most `faults` messages are lost or doubled, and a
copy may arrive at any later time. Rules:

    handled   no message is answered with not-understood, unless what opened the conversation was lost
    ended     from every state both sides can come to an end
    agreed    when nothing is on its way any more and both have ended, they have ended alike, or one of them
              knows that it has missed something: it stands where only a silence leads
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..conversation import NOT_UNDERSTOOD, Conversation
from ..desk import Desk
from ..envelope import Envelope, Side, Topic
from ..messages import Message, NotUnderstood
from ..tables import START, Protocol
from ..vocabulary import Vocabulary
from .search import Interning
from .story import Moment, Wrong

SIDES = (Side.INITIATOR, Side.RESPONDENT)
NOBODY = -1
ANYTIME_US = 1
UNHANDLED, DISAGREED = "a message is not handled", "the two sides disagree"


class Between(NamedTuple):
    """Both desks' conversations, what is on its way from each side, a stray copy, and the faults still to come."""

    stands: tuple[int, int]
    ways: tuple[tuple[int, ...], tuple[int, ...]]
    stray: int
    faults: int
    opening_lost: bool


class Move(NamedTuple):
    """What happens, by which side; `envelope` is the message that is heard, lost or doubled."""

    kind: str
    side: int
    message: type[Message] | None = None
    envelope: int = NOBODY


@dataclass
class TwoParty:
    """One protocol as a system to explore; `longest` bounds what one side says where the table has a loop."""

    protocol: Protocol
    faults: int = 1
    longest: int = 4
    _standing: Interning[object, Conversation | None] = field(default_factory=Interning)
    _envelopes: Interning[object, Envelope] = field(default_factory=Interning)

    def __post_init__(self) -> None:
        """Two agents, each of a kind that may take one role."""
        protocol = self.protocol
        messages = {message.type_id: message for message in (*protocol.messages, NotUnderstood)}
        roles = {"INITIATOR": frozenset({protocol.initiator}), "RESPONDENT": frozenset({protocol.respondent})}
        self._vocabulary = Vocabulary({protocol.name: protocol}, messages, roles)
        self._kinds = {side.value: side.value.upper() for side in SIDES}
        self._topic = Topic(SIDES[0].value, protocol.stage, "period", "subject", SIDES[1].value)
        self._loops = loops(protocol)
        self._after_silence = after_silence(protocol)

    @property
    def name(self) -> str:
        """The protocol's name."""
        return self.protocol.name

    @property
    def bounds(self) -> tuple[str, ...]:
        """Faults, and how much each side says where a table could go on for ever."""
        again = (f"what the table lets a side repeat: up to its message {self.longest}",) if self._loops else ()
        return (f"at most {self.faults} message lost or doubled", "silence at any time", *again)

    def starts(self) -> Iterator[Between]:
        """The initiator has opened, in each way that it may."""
        for type_id in self.protocol.may_say(START, Side.INITIATOR):
            desk = self._desk(0, None)
            said = desk.open(self.protocol, self._topic, self._content(type_id), reply_by_us=ANYTIME_US)
            nobody = self._stand(None)
            yield Between(
                (self._stand(desk.conversations[said.conversation_id]), nobody),
                ((self._envelope(said),), ()),
                NOBODY,
                self.faults,
                opening_lost=False,
            )

    def moves(self, state: Between) -> Iterator[tuple[Move, Between | Wrong]]:
        """What each side may say, hear or miss now, and what may happen to what is on its way."""
        for side in (0, 1):
            yield from self._says(state, side)
            yield from self._hears(state, side)
            conversation = self._standing[state.stands[side]]
            if conversation is not None and conversation.deadline_us is not None:
                yield Move("silence", side), self._silent(state, side, conversation)

    def _says(self, state: Between, side: int) -> Iterator[tuple[Move, Between]]:
        conversation = self._standing[state.stands[side]]
        if conversation is None:
            return
        for type_id in self.protocol.may_say(conversation.state, SIDES[side]):
            desk, content = self._desk(side, conversation), self._content(type_id)
            if conversation.said >= self.longest and (conversation.state, SIDES[side], type(content)) in self._loops:
                continue
            said = desk.say(conversation.id, content, reply_by_us=ANYTIME_US)
            yield Move("say", side, type(content)), self._sent(self._stood(state, side, desk), side, said)

    def _hears(self, state: Between, side: int) -> Iterator[tuple[Move, Between | Wrong]]:
        """The next message on the way to a side is heard, lost, or heard while a copy stays; or the stray copy is."""
        way = state.ways[1 - side]
        if way:
            rest = _with_way(state, 1 - side, way[1:])
            yield Move("message", side, envelope=way[0]), self._heard(rest, side, way[0])
            if state.faults:
                fewer = rest._replace(faults=state.faults - 1)
                opening = self._standing[state.stands[side]] is None
                lost = fewer._replace(opening_lost=state.opening_lost or opening)
                yield Move("lost", side, envelope=way[0]), lost
                yield Move("doubled", side, envelope=way[0]), self._heard(fewer._replace(stray=way[0]), side, way[0])
        if state.stray != NOBODY and self._envelopes[state.stray].receiver == SIDES[side].value:
            rest = state._replace(stray=NOBODY)
            yield Move("copy", side, envelope=state.stray), self._heard(rest, side, state.stray)

    def _heard(self, state: Between, side: int, number: int) -> Between | Wrong:
        conversation, envelope = self._standing[state.stands[side]], self._envelopes[number]
        desk = self._desk(side, conversation)
        hearing = desk.hear(envelope)
        after = self._stood(state, side, desk)
        if hearing.reply is None:
            return after
        assert isinstance(hearing.reply.content, NotUnderstood)
        if not (state.opening_lost and conversation is None):
            return Wrong(UNHANDLED, f"{SIDES[side]}: {hearing.reply.content.reason}")
        return self._sent(after, side, hearing.reply)

    def _silent(self, state: Between, side: int, conversation: Conversation) -> Between:
        desk = self._desk(side, conversation)
        desk.silence(conversation.id, ANYTIME_US)
        return self._stood(state, side, desk)

    def is_end(self, state: Between) -> bool:
        """Nothing is on its way, and neither side owes anything."""
        return state.ways == ((), ()) and all(self._has_ended(number) for number in state.stands)

    def _has_ended(self, number: int) -> bool:
        conversation = self._standing[number]
        return conversation is None or conversation.ended

    def wrong(self, state: Between) -> Wrong | None:
        """Whether both have ended, differently, and neither knows."""
        if state.stray != NOBODY or not self.is_end(state):
            return None
        mine, theirs = (self._standing[number] for number in state.stands)
        places = ["never opened" if one is None else one.state for one in (mine, theirs)]
        knows = any(place in self._after_silence or place == NOT_UNDERSTOOD for place in places)
        if places[0] == places[1] or knows:
            return None
        return Wrong(DISAGREED, f"initiator ends in '{places[0]}', respondent in '{places[1]}', and neither knows")

    def tell(self, state: Between, label: object) -> Moment:
        """A move in words."""
        assert isinstance(label, Move)
        me, conversation = SIDES[label.side].value, self._standing[state.stands[label.side]]
        if label.envelope != NOBODY:
            sent = self._envelopes[label.envelope]
            kind = label.kind
            assert kind in {"message", "lost", "doubled", "copy"}
            return Moment(kind, sent.sender, sent.content.type_id, sent.receiver)  # type: ignore[arg-type]
        assert conversation is not None
        if label.message is not None:
            return Moment("within", me, f"says {label.message.type_id} in '{conversation.state}'")
        return Moment("within", me, f"silence: its deadline passes in '{conversation.state}'")

    def describe(self, state: Between) -> str:
        """Where both sides stand."""
        places = []
        for side, number in zip(SIDES, state.stands, strict=True):
            conversation = self._standing[number]
            places.append(f"{side} in '{conversation.state}'" if conversation else f"{side} has heard nothing")
        return " and ".join(places)

    def _desk(self, side: int, conversation: Conversation | None) -> Desk:
        known = {} if conversation is None else {conversation.id: conversation}
        return Desk(SIDES[side].value, self._kinds, self._vocabulary, known)

    def _content(self, type_id: str) -> Message:
        """A message without content: the desk looks at the type only."""
        return self._vocabulary.messages[type_id].model_construct()

    def _stand(self, conversation: Conversation | None) -> int:
        return self._standing.number(None if conversation is None else conversation[2:], conversation)

    def _stood(self, state: Between, side: int, desk: Desk) -> Between:
        stands = list(state.stands)
        stands[side] = self._stand(next(iter(desk.conversations.values()), None))
        return state._replace(stands=(stands[0], stands[1]))

    def _envelope(self, envelope: Envelope) -> int:
        key = (envelope.id, type(envelope.content), envelope.in_reply_to)
        return self._envelopes.number(key, envelope)

    def _sent(self, state: Between, side: int, envelope: Envelope) -> Between:
        return _with_way(state, side, (*state.ways[side], self._envelope(envelope)))


def _with_way(state: Between, side: int, way: tuple[int, ...]) -> Between:
    ways = (way, state.ways[1]) if side == 0 else (state.ways[0], way)
    return state._replace(ways=ways)


def loops(protocol: Protocol) -> frozenset[tuple[str, Side, type[Message]]]:
    """What may be said again and again: steps from whose end a way leads back to where they began."""
    said = [(step.state, step.then) for step in protocol.steps if not step.only_heard]
    said += [(silence.state, silence.then) for silence in protocol.silences]
    return frozenset(
        (step.state, step.speaker, step.message)
        for step in protocol.steps
        if not step.only_heard and step.state in _reachable(step.then, said)
    )


def after_silence(protocol: Protocol) -> frozenset[str]:
    """States to which only ways through a silence, or through something heard out of its turn, lead."""
    in_turn = [(step.state, step.then) for step in protocol.steps if not step.only_heard]
    return protocol.states - _reachable(START, in_turn)


def _reachable(start: str, edges: Iterable[tuple[str, str]]) -> frozenset[str]:
    edges, reached, frontier = list(edges), {start}, {start}
    while frontier:
        frontier = {then for state, then in edges if state in frontier} - reached
        reached |= frontier
    return frozenset(reached)
