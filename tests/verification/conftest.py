"""Small worlds in which one agent behaves oddly."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gridpact.agents.agent import Agent, Reaction
from gridpact.agents.verification.stages import Task
from gridpact.agents.verification.world import World
from gridpact.protocols.verification.search import explore
from gridpact.protocols.verification.story import Report

React = Callable[[Any, Any, int], Reaction[Any]]
Oddity = Callable[[Any, React, Any, Any, int], Reaction[Any]]


def odd(agent: Agent[Any], oddity: Oddity) -> Agent[Any]:
    """The same agent, but it reacts as `oddity(agent, react, state, event, now_us)` says."""

    def react(self: Any, state: Any, event: Any, now_us: int) -> Reaction[Any]:
        return oddity(self, lambda *given: type(agent).react(self, *given), state, event, now_us)

    return type(f"Odd{type(agent).__name__}", (type(agent),), {"react": react})(agent.profile)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def report_of() -> Callable[..., Report]:
    """Explore a task in which the agent of a name behaves oddly."""

    def explored(task: Task, name: str = "", oddity: Oddity | None = None, max_states: int = 60_000) -> Report:
        world = task.world()
        agents = [odd(one, oddity) if oddity is not None and one.name == name else one for one in world.agents]
        return explore(World(agents, replace(world.window), world.surroundings, world.simplify), max_states)

    return explored
