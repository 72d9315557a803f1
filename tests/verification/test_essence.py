"""What is left out of an agent's state when commitments are explored decides nothing of what it says and promises."""

from collections.abc import Iterable
from typing import Any

import pytest

from gridpact.agents.actions import Note
from gridpact.agents.runtime.inputs import Effect, Input, Send
from gridpact.agents.verification.actor import Actor, Outcome, Standing
from gridpact.agents.verification.essence import commitments
from gridpact.agents.verification.stages import AFRR_LIMITS, AWARDS, NEW_ORDERS, Task
from gridpact.agents.verification.world import World
from gridpact.protocols.verification.search import explore
from gridpact.protocols.verification.story import Wrong


def deeds(effects: Iterable[Effect]) -> list[Effect]:
    """Effects without evidence, and without which set-point a measurement answers."""
    said = [one for one in effects if not isinstance(one, Note)]
    return [
        one._replace(envelope=one.envelope._replace(caused_by=None)) if isinstance(one, Send) and one.streamed else one
        for one in said
    ]


@pytest.mark.parametrize(
    "task",
    [
        Task("scenario-1-dso", AWARDS, 0),
        Task("scenario-1-dso", NEW_ORDERS, 0),
        Task("scenario-1-dso", AFRR_LIMITS, 0, product="aFRR"),
    ],
    ids=lambda task: task.name,
)
def test_what_is_left_out_decides_nothing_before_settlement(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reaction is asked for twice, with all that an agent knows and with its commitments."""
    react, compared = Actor._react, list[str]()

    def both(self: Actor, before: Standing, restored: Standing, given: Input, now_us: int) -> Outcome | Wrong:
        came: list[tuple[Any, ...]] = []
        for state in (restored.state, commitments(restored.state)):
            self._restore(restored._replace(state=state))
            effects = self._node.take(given, now_us)
            desk = sorted(self._node.desk.conversations.items())
            came.append((deeds(effects), commitments(self._node.state), self._node.timers, desk))
        assert came[0] == came[1]
        compared.append(self.name)
        return react(self, before, restored, given, now_us)

    world = task.world()
    whole = World(world.agents, world.window, world.surroundings)
    monkeypatch.setattr(Actor, "_react", both)
    explore(whole, max_states=300)
    assert {"tso", "dso", "bsp"} <= {*compared}
