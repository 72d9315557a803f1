"""An agent with a plugin around it: each event goes to the one it belongs to, and names cannot collide."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from immutables import Map

from gridpact.agents.actions import Action, Compute, Forget, Observe, Open, Publish, Say, Wake
from gridpact.agents.calendar import Calendar
from gridpact.agents.errors import PluginError
from gridpact.agents.events import Computed, Event, Heard, RoundClosed, Sampled, Started, Woken
from gridpact.agents.extension import Extended, ExtendedState, Extension, Party, Situation
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.errors import LocalProtocolError
from gridpact.protocols.messages import Done, Message, Performative, Refuse
from gridpact.protocols.stages.offering import MOL_NOTICE
from gridpact.protocols.templates import request
from gridpact.protocols.vocabulary import Vocabulary


class Ask(Message):
    type_id: ClassVar[str] = "my.ask/1"
    performative: ClassVar[Performative] = Performative.REQUEST


ASKING = request("asking", stage="asking", ask=Ask, by="TSO", of="BSP", results=(Done,))
TOPIC = Topic("tso", "asking", "now", "it", "bsp-a")


@dataclass(frozen=True)
class Listener:
    """Keeps every event it gets, and does what it is told to."""

    kind: str = "BSP"
    does: tuple[Action, ...] = ()

    def start(self) -> tuple[Any, ...]:
        return ()

    def react(self, situation: Situation, state: tuple[Any, ...], event: Event, now_us: int) -> Any:
        return (*state, (event, situation.base)), self.does


@dataclass(frozen=True)
class Base:
    """A base agent that counts its events."""

    name: str = "bsp-a"
    kind: str = "BSP"

    def start(self) -> int:
        return 0

    def react(self, state: int, event: Event, now_us: int) -> tuple[int, tuple[Action, ...]]:
        return state + 1, ()

    def telemetry(self, state: int) -> dict[str, float]:
        return {"events": float(state)}


def extended(*does: Action, kind: str = "BSP") -> Extended:
    me = Party("bsp-a", "BSP", "north")
    situation = Situation(me, (me,), Calendar(0, 0, (), 0))
    return Extended(Base(), situation, (Extension("mine", (ASKING,), (Listener(kind, does),)),))


def heard() -> Heard:
    vocabulary, kinds = Vocabulary.of((ASKING,)), {"tso": "TSO", "bsp-a": "BSP"}
    envelope = Desk("tso", kinds, vocabulary).open(ASKING, TOPIC, Ask(), reply_by_us=1)
    hearing = Desk("bsp-a", kinds, vocabulary).hear(envelope)
    assert hearing.conversation is not None
    return Heard(envelope, hearing.conversation, late=False)


def own(state: ExtendedState) -> list[Event]:
    return [event for event, _ in state.own.get("mine", ())]


def test_the_beginning_is_told_to_base_and_behaviour() -> None:
    agent = extended()
    state, _ = agent.react(agent.start(), Started(), 0)
    assert (state.base, own(state)) == (1, [Started()])


@pytest.mark.parametrize(
    ("event", "inner"),
    [
        (Woken("mine:tick"), Woken("tick")),
        (Computed("mine:study", 1), Computed("study", 1)),
        (Sampled("mine:grid", 1), Sampled("grid", 1)),
        (RoundClosed("mine:all"), RoundClosed("all")),
        (heard(), heard()),
    ],
)
def test_what_belongs_to_the_plugin_reaches_it_alone(event: Event, inner: Event) -> None:
    agent = extended()
    state, _ = agent.react(agent.start(), event, 0)
    assert (state.base, own(state)) == (0, [inner])


@pytest.mark.parametrize("event", [Woken("tick"), Computed("study", 1), Sampled("grid", 1), Woken("min:e")])
def test_everything_else_reaches_the_base_alone(event: Event) -> None:
    agent = extended()
    state, _ = agent.react(agent.start(), event, 0)
    assert (state.base, own(state)) == (1, [])


def test_conversations_of_the_base_stay_with_it() -> None:
    agent = extended()
    conversation = Conversation(MOL_NOTICE, TOPIC, Side.RESPONDENT)
    state, _ = agent.react(agent.start(), heard()._replace(conversation=conversation), 0)
    assert (state.base, own(state)) == (1, [])


def test_a_behaviour_sees_the_state_of_the_agent_it_extends() -> None:
    agent = extended()
    state, _ = agent.react(agent.start()._replace(base=41), Woken("mine:tick"), 0)
    assert state.own["mine"][0][1] == 41


def test_what_will_come_back_carries_the_plugins_name() -> None:
    does = (Wake("a", 1), Forget("a"), Compute("b", None), Observe("c", 1, 2), Publish(("x", "y"), Done()))
    opened = Open(ASKING, TOPIC, Ask(), reply_by_us=1, round_id="r")
    agent = extended(*does, opened)
    _, actions = agent.react(agent.start(), Woken("mine:now"), 0)
    assert actions == (
        Wake("mine:a", 1),
        Forget("mine:a"),
        Compute("mine:b", None),
        Observe("mine:c", 1, 2),
        Say("x", Done()),
        Say("y", Done()),
        opened._replace(round_id="mine:r"),
    )


def test_what_a_plugin_publishes_keeps_its_cause() -> None:
    agent = extended(Publish(("x", "y"), Done(), caused_by="a/b/c/d/e#i0"))
    _, actions = agent.react(agent.start(), Woken("mine:now"), 0)
    assert actions == tuple(Say(about, Done(), caused_by="a/b/c/d/e#i0") for about in ("x", "y"))


def test_a_plugin_cannot_open_a_conversation_of_the_base() -> None:
    agent = extended(Open(MOL_NOTICE, TOPIC, Done()))
    with pytest.raises(PluginError, match="plugin mine opens mol-notice, which is not its own") as caught:
        agent.react(agent.start(), Woken("mine:now"), 0)
    assert isinstance(caught.value.__cause__, LocalProtocolError)


def test_an_agent_without_a_behaviour_refuses() -> None:
    agent = extended(kind="DSO")
    state, actions = agent.react(agent.start(), heard(), 0)
    assert state == ExtendedState(0, Map())
    assert actions == (
        Say(TOPIC.conversation_id, Refuse(reason="BSP agents of this run do not know what to do in asking")),
    )


def test_telemetry_and_name_are_those_of_the_base() -> None:
    agent = extended()
    assert (agent.name, agent.kind, agent.telemetry(agent.start())) == ("bsp-a", "BSP", {"events": 0.0})
