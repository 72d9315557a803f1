"""Everybody at their desks: the agents of a scenario, with what its plugins add, ready to run or to be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...agents.agent import Agent
from ...agents.extension import Extended, Extension, Party, Situation
from ..description.schema import Scenario
from ..extension import plugins
from . import assembly, plants

if TYPE_CHECKING:
    from ...agents.runtime.node import Node


@dataclass(frozen=True)
class Cast:
    """The nodes by name, the kind of each agent, and the plugins that they all know."""

    nodes: Mapping[str, Node]
    kinds: Mapping[str, str]
    extensions: tuple[Extension, ...]


def cast(scenario: Scenario, made: plants.Resources) -> Cast:
    """Every agent of a scenario, who knows nothing yet."""
    from ...agents.runtime.node import Node
    from ...protocols.desk import Desk

    added = plugins.extensions(scenario)
    vocabulary = plugins.vocabulary_of(added)
    people = extended(scenario, assembly.agents(scenario, made), added)
    kinds = {agent.name: agent.kind for agent in people}
    nodes = {agent.name: Node(agent, Desk(agent.name, kinds, vocabulary, tidy=True)) for agent in people}
    return Cast(nodes, kinds, added)


def extended(
    scenario: Scenario, people: tuple[Agent[Any], ...], added: tuple[Extension, ...]
) -> tuple[Agent[Any], ...]:
    """The agents with the behaviours that plugins add; the very same ones if there are no plugins."""
    if not added:
        return people
    grids = {name: getattr(who, "grid", None) for name, who in scenario.participants.items()}
    parties = tuple(Party(agent.name, agent.kind, grids[agent.name]) for agent in people)
    dates = assembly.calendar(scenario)
    return tuple(
        Extended(agent, Situation(party, parties, dates), added) for agent, party in zip(people, parties, strict=True)
    )


def played_by(node: Node) -> tuple[Agent[Any], Any]:
    """The base agent of a node and its state, whatever plugins have been put around it."""
    if isinstance(node.agent, Extended):
        return node.agent.base, node.state.base
    return node.agent, node.state
