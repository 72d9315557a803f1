"""A small plugin: the TSO asks bsp-a how much, once, and is answered."""

PLUGIN = '''
from dataclasses import dataclass
from typing import ClassVar

from gridpact.agents.actions import Open, Say, Wake
from gridpact.agents.events import Heard, Started, Woken
from gridpact.protocols.envelope import Topic
from gridpact.protocols.messages import Message, Performative
from gridpact.protocols.templates import request


class Ask(Message):
    """How much?"""

    type_id: ClassVar[str] = "my.ask/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    quantity_mw: float = 1.0


class Answer(Message):
    """So much."""

    type_id: ClassVar[str] = "my.answer/1"
    performative: ClassVar[Performative] = Performative.INFORM


PAPER = {Ask: "11.1", Answer: "11.2"}
ASKING = request("asking", stage="asking", ask=Ask, by="TSO", of="BSP", results=(Answer,), paper=PAPER)
PROTOCOLS = (ASKING,)


@dataclass(frozen=True)
class Asks:
    kind: str = "TSO"

    def start(self):
        return ()

    def react(self, situation, state, event, now_us):  # where the TSO's begins
        match event:
            case Started():
                return state, (Wake("now", now_us + 1),)
            case Woken():
                topic = Topic(situation.me.name, "asking", "now", "it", "bsp-a")
                return state, (Open(ASKING, topic, Ask(), reply_by_us=now_us + 1_000_000),)
        return state, ()


@dataclass(frozen=True)
class Answers:
    kind: str = "BSP"

    def start(self):
        return ()

    def react(self, situation, state, event, now_us):  # where the BSP's begins
        if isinstance(event, Heard):
            return state, (Say(event.conversation.id, Answer()),)
        return state, ()


BEHAVIOURS = (Asks(), Answers())
'''
