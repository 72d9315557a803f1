"""Two sides that follow a table: every order, silence, loss and copy is walked through, none ends in confusion.

A joint state is both conversations and what is on its way. A move is something said, something heard, a
deadline that passes at any time, a message that is lost (two of them) or comes twice (one of them). A message
that is overtaken is dropped like a lost one, so other orders of arrival are covered too; only an opening is not
lost, for then there is no conversation.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Envelope, Side, Topic
from gridpact.protocols.information.offering import (
    Acceptance,
    CallForOffers,
    DeliveryRecord,
    NoOffer,
    Offers,
    Rejection,
    Withdrawal,
)
from gridpact.protocols.messages import Message
from gridpact.protocols.stages import PROTOCOLS as IN_USE
from gridpact.protocols.tables import START, Protocol
from gridpact.protocols.templates import contract_net

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids
LOSSES, COPIES, REPEATS = 2, 1, 2
ITERATED = contract_net(
    "iterated",
    stage="offering",
    by="TSO",
    of="BSP",
    cfp=CallForOffers,
    propose=Offers,
    refuse=NoOffer,
    accept=Acceptance,
    reject=Rejection,
    result=DeliveryRecord,
    failure=Withdrawal,
    rounds=3,
)
PROTOCOLS = (*IN_USE, ITERATED)
Example = Callable[[type[Message]], Message]


class Joint(NamedTuple):
    """Both sides, what is on its way from each, and what has gone wrong so far."""

    initiator: Conversation
    respondent: Conversation
    to_respondent: tuple[Envelope, ...] = ()
    to_initiator: tuple[Envelope, ...] = ()
    lost: int = 0
    copied: int = 0
    silent: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two joint states the same."""
        sides = [(s.state, s.said, s.heard, s.deadline_us) for s in (self.initiator, self.respondent)]
        on_their_way = [tuple((e.id, type(e.content)) for e in q) for q in (self.to_respondent, self.to_initiator)]
        return (*sides, *on_their_way, self.lost, self.copied, self.silent)

    @property
    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not self.to_respondent and not self.to_initiator

    @property
    def over(self) -> bool:
        """Whether both have ended and nothing is on its way."""
        return self.quiet and self.initiator.ended and self.respondent.ended


def beginning(protocol: Protocol) -> Joint:
    topic = Topic("one", protocol.stage, "qh1", "subject", "other")
    return Joint(Conversation(protocol, topic, I), Conversation(protocol, topic, R))


def moves(joint: Joint, example: Example) -> Iterator[Joint]:
    """Everything that can happen next."""
    for side in Side:
        yield from said(joint, side, example)
        yield from arrived(joint, side)
        me = mine(joint, side)
        if me.deadline_us is not None:
            yield with_side(joint, side, me.silent())._replace(silent=True)


def mine(joint: Joint, side: Side) -> Conversation:
    return joint.initiator if side is I else joint.respondent


def with_side(joint: Joint, side: Side, moved: Conversation) -> Joint:
    return joint._replace(initiator=moved) if side is I else joint._replace(respondent=moved)


def said(joint: Joint, side: Side, example: Example) -> Iterator[Joint]:
    me = mine(joint, side)
    for step in me.protocol.steps:
        again = step.state in {step.then, "cancel_expired"}
        repeats = again and me.said >= REPEATS + (step.state == "cancel_expired")
        if (step.state, step.speaker) == (me.state, side) and not step.only_heard and not repeats:
            moved, envelope = me.say(example(step.message), reply_by_us=1)
            after = with_side(joint, side, moved)
            if side is I:
                yield after._replace(to_respondent=(*after.to_respondent, envelope))
            else:
                yield after._replace(to_initiator=(*after.to_initiator, envelope))


def arrived(joint: Joint, side: Side) -> Iterator[Joint]:
    """The next message to a side is heard, is heard and comes again, or is lost."""
    queue = joint.to_initiator if side is I else joint.to_respondent
    if not queue:
        return
    name = "to_initiator" if side is I else "to_respondent"
    envelope, rest = queue[0], {name: queue[1:]}
    me = mine(joint, side)
    moved = me if me.heard_before(envelope) else me.hear(envelope)[0]
    heard = with_side(joint, side, moved)
    yield heard._replace(**rest)
    if joint.copied < COPIES:
        yield heard._replace(copied=joint.copied + 1)
    if joint.lost < LOSSES and me.state != START:
        yield joint._replace(**rest, lost=joint.lost + 1)


def explored(protocol: Protocol, example: Example) -> tuple[dict[Any, Joint], dict[Any, set[Any]]]:
    """All joint states by key, and from which each can come; raises where a message is not understood."""
    first = beginning(protocol)
    seen, before, waiting = {first.key: first}, {first.key: set()}, deque([first])
    while waiting:
        joint = waiting.popleft()
        for after in moves(joint, example):
            before.setdefault(after.key, set()).add(joint.key)
            if after.key not in seen:
                seen[after.key] = after
                waiting.append(after)
    return seen, before


def shape(protocol: Protocol) -> Any:
    """Tables that differ in names of messages only are walked through once."""
    letters = {message: number for number, message in enumerate(protocol.messages)}
    steps = [(s.state, s.speaker, letters[s.message], s.then, s.late, s.crossed) for s in protocol.steps]
    return protocol.fipa == "fipa-subscribe", tuple(steps)


SHAPES = {shape(protocol): protocol for protocol in reversed(PROTOCOLS)}.values()


@pytest.mark.parametrize("protocol", SHAPES, ids=lambda protocol: protocol.name)
def test_two_sides_that_follow_the_table_always_understand_each_other_and_can_end(
    protocol: Protocol, example: Example
) -> None:
    seen, before = explored(protocol, example)
    can_end = {key for key, joint in seen.items() if joint.over}
    frontier = set(can_end)
    while frontier:
        frontier = {earlier for key in frontier for earlier in before[key]} - can_end
        can_end |= frontier
    stuck = [(j.initiator.state, j.respondent.state) for key, j in seen.items() if key not in can_end]
    assert stuck == []
    apart = [
        (joint.initiator.state, joint.respondent.state)
        for joint in seen.values()
        if joint.quiet and not joint.lost and not joint.silent and joint.initiator.state != joint.respondent.state
    ]
    assert apart == [], "without silence or loss both sides end up in the same state"


def test_every_kind_of_protocol_is_walked_through() -> None:
    kinds = {(protocol.fipa, bool(protocol.crossings)) for protocol in SHAPES}
    assert {fipa for fipa, _ in kinds} == {protocol.fipa for protocol in PROTOCOLS} - {
        "fipa-request-when",
        "fipa-query",
    }
    assert ("fipa-request", True) in kinds
    assert ("fipa-request", False) in kinds
