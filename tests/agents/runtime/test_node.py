"""A node: stale timers ignored, replays identical, journal lines that round-trip, branches that a peer has broken."""

from dataclasses import dataclass
from typing import Any

import pytest

from gridpact.agents.actions import Forget, Publish, Say, Wake
from gridpact.agents.dso.studies import InterfaceForecast, TapOptions, Transformer, UnknownPoint, Watch
from gridpact.agents.events import Started
from gridpact.agents.runtime.inputs import Alarm, Arrival, Begin, Due, Reading, Result
from gridpact.agents.runtime.memory.journal import from_line, to_line
from gridpact.agents.runtime.node import Node
from gridpact.grid.limits.allowing import Allowed
from gridpact.grid.voltage.cvr import TapBlock
from gridpact.protocols.desk import Desk
from gridpact.protocols.information.offering import AcceptanceNotice
from gridpact.protocols.messages import Agree, NotUnderstood


@dataclass(frozen=True)
class Sleeper:
    """Does what it is told by its timers' names."""

    name: str = "a"
    kind: str = "BSP"

    def start(self) -> tuple[str, ...]:
        return ()

    def react(self, state: tuple[str, ...], event: Any, now_us: int) -> Any:
        timer = getattr(event, "timer", "begin")
        todo = {"begin": (Wake("x", 5), Wake("y", 6)), "y": (Wake("x", 9), Forget("z"))}
        return (*state, timer), todo.get(timer, ())

    def telemetry(self, state: Any) -> dict[str, float]:
        return {}


def test_a_timer_that_was_replaced_or_dropped_is_stale(make: Any) -> None:
    node = Node(Sleeper(), Desk("a", {"a": "BSP"}, make.VOCABULARY))
    node.take(Begin(), 0)
    assert not node.is_stale(Alarm("x", 5))
    node.take(Alarm("y", 6), 6)
    assert node.is_stale(Alarm("x", 5))
    assert not node.is_stale(Alarm("x", 9))
    node.take(Alarm("x", 9), 9)
    assert node.is_stale(Alarm("x", 9))
    assert node.is_stale(Due("unknown", 1))


def test_a_replay_of_the_inputs_gives_the_same_state_and_says_the_same(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5))
    inputs: dict[str, list[Any]] = {name: [] for name in town.nodes}
    for name, node in town.nodes.items():
        real = node.take
        node.take = lambda given, now, name=name, real=real: (inputs[name].append((given, now)), real(given, now))[1]
    town.run(4000)
    kinds = {name: node.agent.kind for name, node in town.nodes.items()}
    for name, node in town.nodes.items():
        again = Node(node.agent, Desk(name, kinds, make.VOCABULARY))
        said = [e for given, now in inputs[name] for e in again.take(from_line(to_line(given), make.VOCABULARY), now)]
        assert again.state == node.state
        envelopes = [e.envelope for e in said if hasattr(e, "envelope")]
        assert envelopes == [e for _, e in town.said if e.sender == name]


def results(make: Any) -> list[object]:
    allowed = (Allowed("a", 1.5, make.BOUND), Allowed("b", -1.0, None))
    block = TapBlock("t1", -1, 0.3, 0.1, 0.97, 1.03, 60.0, (0, -1))
    return [
        allowed,
        UnknownPoint(("x", "y")),
        Watch(make.calm(), make.calm(5, make.BOUND), allowed, 0.25),
        Watch(make.calm(), make.calm(), None, 0.0),
        TapOptions((Transformer("t1", 0, -9, 9),), (block,), 20.0, 1.5, 0.95, 1.05),
        (InterfaceForecast("t0", 7, 30.0, 40.0),),
        None,
    ]


@pytest.mark.parametrize("index", range(7))
def test_results_survive_the_journal(make: Any, index: int) -> None:
    given = Result("key", results(make)[index], "why" if index == 6 else None)
    assert from_line(to_line(given), make.VOCABULARY) == given


def test_every_input_of_a_run_survives_the_journal(make: Any) -> None:
    town = make.usual(need_mw=4.0, lab=make.capped(b=0.5)).run(4600)
    kinds = [Begin(), Alarm("x", 5), Due("a/b/c/d/e", 7)]
    readings = [Reading("s", town._reading(n, s)) for n, s in (("tso", "area"), ("dso", "grid"), ("a", "meter"))]
    for given in (*kinds, *readings, *(Arrival(e) for _, e in town.said)):
        assert from_line(to_line(given), make.VOCABULARY) == given


@pytest.mark.parametrize("line", ['{"@":"Exception"}', '{"@":"Watch"}', "[]", '{"@":"Transformer","name":"x"}', "{}"])
def test_a_line_that_is_no_input_is_refused(make: Any, line: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_line(line, make.VOCABULARY)


def test_what_is_said_to_a_peer_that_has_broken_the_branch_is_noted_not_sent(make: Any) -> None:
    town = make.usual().run(6)
    agreed = next(e for _, e in town.said if e.sender == "tso" and isinstance(e.content, Agree))
    parts = {f: getattr(agreed, f) for f in agreed._fields}
    parts |= {"id": f"{agreed.id}!a", "sender": agreed.receiver, "receiver": "tso", "in_reply_to": agreed.id}
    parts |= {"content": NotUnderstood(message_id=agreed.id, reason="garbled")}
    town.give("tso", Arrival(agreed.__class__(**parts)), town.now_us)
    town.run(7)
    effects: list[Any] = []
    town.nodes["tso"]._carry_out((Say(agreed.conversation_id, Agree()),), Started(), effects)
    town.nodes["tso"]._carry_out((Publish((agreed.conversation_id,), Agree()),), Started(), effects)
    assert [e.evidence["name"] for e in effects] == ["not said"]
    assert agreed.receiver not in town.run(999).state("tso").prequalification.qualified


def test_nothing_is_opened_with_somebody_whom_others_have_made_up(make: Any) -> None:
    """A DSO that is told of an accepted offer of nobody does not end for it."""
    town = make.usual().run(3000)
    noticed = next(e for _, e in town.said if isinstance(e.content, AcceptanceNotice))
    invented = noticed.content.offers[0].model_copy(update={"participant": "nobody", "offer_id": "x"})
    about = noticed.conversation_id.replace("/accepted", "/invented")
    told = noticed._replace(conversation_id=about, id=f"{about}#i0", content=AcceptanceNotice(offers=(invented,)))
    town.give("dso", Arrival(told), town.now_us)
    town.run(3001)
    assert [n["reason"] for n in town.noted("not said")] == ["nobody is no BSP here"]
