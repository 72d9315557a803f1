"""What was read at an instant is read once: a participant's meter shows its agent and the telemetry the same value.

agent's tick ─▶ reading of that instant ◀─ telemetry        forgotten when the agent moves something
"""

from typing import Any

from ...actions import Actuate
from ...bsp.delivery import METER
from ...bsp.reading import ParticipantReading
from .physics import Physics


class Meters:
    """The meters of all participants, and any other source of the plants."""

    def __init__(self, physics: Physics) -> None:
        """Nothing has been read yet."""
        self.physics = physics
        self._read: dict[str, tuple[int, Any]] = {}

    def read(self, agent: str, source: str, at_us: int) -> Any:
        """What an agent reads of a source at an instant."""
        if source != METER:
            return self.physics.read(agent, source, at_us)
        known = self._read.get(agent)
        if known is None or known[0] != at_us:
            known = self._read[agent] = (at_us, self.physics.read_own(agent, at_us))
        return known[1]

    def at_rest(self, agent: str) -> ParticipantReading | None:
        """What an agent's meter shows as long as nothing of its own moves, the same object; None while it does."""
        return self.physics.at_rest(agent)

    def move(self, agent: str, order: Actuate, at_us: int) -> None:
        """The agent moves something of its own."""
        self.forget(agent)
        self.physics.actuate(agent, order, at_us)

    def forget(self, agent: str) -> None:
        """The agent has moved something, so what its meter showed need not hold any more."""
        self._read.pop(agent, None)
