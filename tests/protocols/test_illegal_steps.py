"""What is not in a table is refused and changes nothing: every state, speaker and message type of every protocol."""

from collections.abc import Callable

import pytest

from gridpact.protocols.conversation import NOT_UNDERSTOOD, Conversation
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Side, Topic, message_id
from gridpact.protocols.errors import LocalProtocolError
from gridpact.protocols.messages import Message, NotUnderstood
from gridpact.protocols.stages import PROTOCOLS
from gridpact.protocols.tables import START, Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE

Example = Callable[[type[Message]], Message]
MESSAGES = [message for message in BUSINESS_USE_CASE.messages.values() if message is not NotUnderstood]
PARTY = {"TSO": "tso", "DSO": "dso", "BSP": "bsp"}
STATES = [(protocol, state) for protocol in PROTOCOLS for state in sorted({*protocol.states, NOT_UNDERSTOOD})]


def standing(desks: dict[str, Desk], protocol: Protocol, side: Side, state: str) -> tuple[Desk, Conversation]:
    """A desk with a conversation in a state, some messages after its beginning."""
    topic = Topic(PARTY[protocol.initiator], protocol.stage, "qh1", "mFRR-up", PARTY[protocol.respondent])
    number = 0 if state == START else 1
    conversation = Conversation(protocol, topic, side, state, said=number, heard=number, deadline_us=None)
    desk = desks[conversation.me]
    desk.conversations[conversation.id] = conversation
    return desk, conversation


@pytest.mark.parametrize(("protocol", "state"), STATES, ids=lambda value: getattr(value, "name", value))
def test_what_may_not_be_said_here_is_our_fault(
    protocol: Protocol, state: str, desks: dict[str, Desk], example: Example
) -> None:
    for side in Side:
        desk, conversation = standing(desks, protocol, side, state)
        allowed = protocol.may_say(state, side)
        for message in (message for message in MESSAGES if message.type_id not in allowed):
            with pytest.raises(LocalProtocolError, match=f"we say {message.type_id} in '{state}'"):
                desk.say(conversation.id, example(message), reply_by_us=1)
            assert desk.conversations[conversation.id] is conversation


@pytest.mark.parametrize(("protocol", "state"), STATES, ids=lambda value: getattr(value, "name", value))
def test_what_may_not_come_here_is_their_fault_and_answered_with_not_understood(
    protocol: Protocol, state: str, desks: dict[str, Desk], example: Example
) -> None:
    for side in Side:
        desk, conversation = standing(desks, protocol, side, state)
        understood = protocol.understood(state, side.other)
        for message in (message for message in MESSAGES if message.type_id not in understood):
            said = message_id(conversation.id, side.other, conversation.heard)
            names = (said, conversation.peer, conversation.me, protocol.name, conversation.id)
            hearing = desk.hear(Envelope(*names, example(message)))
            assert desk.conversations[conversation.id] is conversation
            assert hearing.step is None
            assert hearing.reply is not None
            assert isinstance(hearing.reply.content, NotUnderstood)
            assert f"{message.type_id} is out of turn in '{state}'" in hearing.reply.content.reason
            assert (hearing.reply.receiver, hearing.reply.in_reply_to) == (conversation.peer, said)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_what_can_only_be_heard_is_never_said_knowingly(
    protocol: Protocol, desks: dict[str, Desk], example: Example
) -> None:
    for step in (step for step in protocol.steps if step.only_heard):
        desk, conversation = standing(desks, protocol, step.speaker, step.state)
        with pytest.raises(LocalProtocolError):
            desk.say(conversation.id, example(step.message))
