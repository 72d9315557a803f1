"""Messages that a conversation must not take, against every state of every protocol and both sides of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from gridpact.protocols.conversation import NOT_UNDERSTOOD, Conversation
from gridpact.protocols.desk import Desk, Hearing
from gridpact.protocols.envelope import Envelope, Side, Topic, message_id
from gridpact.protocols.examples import example
from gridpact.protocols.messages import Message, NotUnderstood
from gridpact.protocols.tables import START, Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE

KINDS = {"tso": "TSO", "dso-north": "DSO", "bsp-a": "BSP", "bsp-b": "BSP", "agg-1": "AGGREGATOR"}
PARTY = {"TSO": "tso", "DSO": "dso-north", "BSP": "bsp-a"}
CONTENTS: dict[type[Message], Message] = {each: example(each) for each in BUSINESS_USE_CASE.messages.values()}
MESSAGES = tuple(each for each in CONTENTS if each is not NotUnderstood)
OPENINGS = {s.message for each in BUSINESS_USE_CASE.protocols.values() for s in each.steps if s.state == START}
ODD_TEXTS = (
    "#",
    "/",
    "x",
    "\x00",
    "a/b/c/d/e#i0",
    "x" * 900,
    "é",
    "$SYS",
    "bsp-a/offering/x/y/tso#i-1",
    "i0",
    "#i0#i0",
)


@dataclass(frozen=True)
class Standing:
    """A desk with one conversation that has come to some state, a message from each side after its beginning."""

    conversation: Conversation
    desk: Desk

    @classmethod
    def at(cls, protocol: Protocol, side: Side, state: str) -> Standing:
        """Somebody's desk in that state of a protocol; in a round, so that the round is looked at too."""
        topic = Topic(PARTY[protocol.initiator], protocol.stage, "qh1", "mFRR-up", PARTY[protocol.respondent])
        about = topic.conversation_id
        said, heard = message_id(about, side, 0), message_id(about, side.other, 0)
        waits = 10**15 if protocol.waits(state, side) else None
        conversation = Conversation(protocol, topic, side, state, 1, 1, said, heard, waits, "round")
        desk = Desk(conversation.me, KINDS, BUSINESS_USE_CASE, {about: conversation}, {"round": {about}})
        return cls(conversation, desk)


def standings() -> tuple[Standing, ...]:
    """Every state of every protocol, as seen by both sides."""
    found = [
        Standing.at(protocol, side, state)
        for _, protocol in sorted(BUSINESS_USE_CASE.protocols.items())
        for side in Side
        for state in sorted({*protocol.states, NOT_UNDERSTOOD} - {START})
    ]
    return tuple(found)


class Attack(NamedTuple):
    """A message that must change nothing; `answered` with not-understood, or dropped without a word."""

    name: str
    envelope: Envelope
    answered: bool


def _next(one: Conversation, content: Message) -> Envelope:
    said = message_id(one.id, one.side.other, one.heard)
    return Envelope(said, one.peer, one.me, one.protocol.name, one.id, content, one.last_said)


def _any(choice: Random) -> Message:
    return CONTENTS[choice.choice(MESSAGES)]


def _out_of_turn(choice: Random, one: Conversation) -> Envelope:
    understood = one.protocol.understood(one.state, one.side.other)
    wrong = [each for each in MESSAGES if each.type_id not in understood]
    return _next(one, CONTENTS[choice.choice(wrong)])


def _in_turn(choice: Random, one: Conversation) -> Envelope | None:
    """What would be taken, if it came from the right party with the right names."""
    understood = one.protocol.understood(one.state, one.side.other)
    known = [each for each in MESSAGES if each.type_id in understood]
    return _next(one, CONTENTS[choice.choice(known)]) if known else None


def _of_another(choice: Random, one: Conversation) -> Envelope:
    others = sorted({*KINDS, "nobody", one.me, "plants", one.peer.upper()} - {one.peer})
    return (_in_turn(choice, one) or _out_of_turn(choice, one))._replace(sender=choice.choice(others))


def _to_another(choice: Random, one: Conversation) -> Envelope:
    sent = _in_turn(choice, one) or _out_of_turn(choice, one)
    return sent._replace(receiver=choice.choice((one.peer, "nobody", "+")))


def _misnumbered(choice: Random, one: Conversation) -> Envelope:
    wrong = (
        message_id(one.id, one.side, one.heard),
        f"{one.id}#{one.side.other[0]}01",
        f"{one.id}#x1",
        one.id,
        *ODD_TEXTS,
    )
    return (_in_turn(choice, one) or _out_of_turn(choice, one))._replace(id=choice.choice(wrong))


def _other_protocol(choice: Random, one: Conversation) -> Envelope:
    names = sorted({*BUSINESS_USE_CASE.protocols, "nothing", "x" * 1000} - {one.protocol.name})
    return (_in_turn(choice, one) or _out_of_turn(choice, one))._replace(protocol=choice.choice(names))


def _answer_to_nothing(choice: Random, one: Conversation) -> Envelope:
    wrong = (message_id(one.id, one.side, one.said), message_id(one.id, one.side.other, 0), f"{one.id}#i99", *ODD_TEXTS)
    return (_in_turn(choice, one) or _out_of_turn(choice, one))._replace(in_reply_to=choice.choice(wrong))


def _without_beginning(choice: Random, one: Conversation) -> Envelope:
    """In a conversation that never began, or whose name is none."""
    others = ("bsp-a/offering/x/y", f"{one.id}/more", f"x{one.id}", one.id.replace(f"/{one.topic.period}/", "/never/"))
    odd = choice.choice((*ODD_TEXTS, *others))
    content = CONTENTS[choice.choice([each for each in MESSAGES if each not in OPENINGS])]
    return _next(one, content)._replace(conversation_id=odd, id=f"{odd}#{one.side.other[0]}1")


def _unauthorised(choice: Random, one: Conversation) -> Envelope:
    """An opening of a conversation in which sender or receiver may not take their role."""
    while True:
        protocol = choice.choice(sorted(BUSINESS_USE_CASE.protocols.values(), key=lambda each: each.name))
        sender = choice.choice(sorted({*KINDS} - {one.me}))
        roles = BUSINESS_USE_CASE.roles
        if protocol.initiator not in roles[KINDS[sender]] or protocol.respondent not in roles[KINDS.get(one.me, "BSP")]:
            break
    topic = Topic(sender, protocol.stage, "qh1", "x", one.me)
    about, content = topic.conversation_id, CONTENTS[protocol.steps[0].message]
    return Envelope(f"{about}#i0", sender, one.me, protocol.name, about, content, reply_by_us=10**15)


def _replayed(choice: Random, one: Conversation) -> Envelope:
    """The number of something that has been heard, with any content: a copy, or something forged to look like one."""
    return _next(one, _any(choice))._replace(id=message_id(one.id, one.side.other, 0))


def _stray_not_understood(choice: Random, one: Conversation) -> Envelope:
    about = choice.choice([message_id(one.id, one.side, index) for index in (one.said, one.said + 5)] + [*ODD_TEXTS])
    content = NotUnderstood(message_id=about, reason="x")
    in_reply_to = choice.choice((about, None, one.last_said))
    return _next(one, content)._replace(id=f"{about}!{one.peer}", in_reply_to=in_reply_to)


def _foreign_not_understood(choice: Random, one: Conversation) -> Envelope:
    about = str(one.last_said)
    sender = choice.choice(sorted({*KINDS, "nobody"} - {one.peer}))
    content = NotUnderstood(message_id=about, reason="x")
    return Envelope(f"{about}!{sender}", sender, one.me, one.protocol.name, one.id, content, about)


ATTACKS: dict[str, tuple[Callable[[Random, Conversation], Envelope], bool]] = {
    "out of turn": (_out_of_turn, True),
    "forged": (_of_another, True),
    "misdirected": (_to_another, True),
    "misnumbered": (_misnumbered, True),
    "in another protocol": (_other_protocol, True),
    "an answer to nothing": (_answer_to_nothing, True),
    "without a beginning": (_without_beginning, True),
    "unauthorised": (_unauthorised, True),
    "replayed": (_replayed, False),
    "stray not-understood": (_stray_not_understood, False),
    "foreign not-understood": (_foreign_not_understood, False),
}


def attack(choice: Random, one: Conversation) -> Attack:
    """One message that must change nothing."""
    name = choice.choice(list(ATTACKS))
    make, answered = ATTACKS[name]
    return Attack(name, make(choice, one), answered)


def storm(seed: int, count: int) -> Counter[str]:
    """So many attacks on desks in every state; AssertionError names the first that has changed something."""
    choice, places, counted = Random(seed), standings(), Counter[str]()  # noqa: S311 - seeded, not secret
    for number in range(count):
        standing = places[number % len(places)]
        tried = attack(choice, standing.conversation)
        strike(standing, tried)
        counted[tried.name] += 1
    return counted


def strike(standing: Standing, tried: Attack) -> Hearing:
    """Let a desk hear an attack; AssertionError if it does not stay as it was or does not answer as declared."""
    desk, before = standing.desk, dict(standing.desk.conversations)
    hearing = desk.hear(tried.envelope)
    assert list(desk.conversations.items()) == list(before.items()), tried
    assert all(desk.conversations[key] is one for key, one in before.items()), tried
    assert desk.rounds == {"round": {standing.conversation.id}}, tried
    assert desk.closed_rounds == set(), tried
    assert hearing.step is None, tried
    assert (hearing.reply is not None) == tried.answered, (tried, hearing)
    assert hearing.copy or hearing.fault, tried
    if hearing.reply is not None:
        assert isinstance(hearing.reply.content, NotUnderstood)
        assert hearing.reply.receiver == tried.envelope.sender
    return hearing


def openings() -> Iterator[Envelope]:
    """A valid opening of every protocol that a BSP may begin with the TSO."""
    for _, protocol in sorted(BUSINESS_USE_CASE.protocols.items()):
        if (protocol.initiator, protocol.respondent) == ("BSP", "TSO"):
            about = Topic("bsp-a", protocol.stage, "qh1", "mFRR-up", "tso").conversation_id
            content, names = CONTENTS[protocol.steps[0].message], ("bsp-a", "tso", protocol.name, about)
            yield Envelope(f"{about}#i0", *names, content, reply_by_us=10**15)
