"""What every agent is: a name, a first state, and a pure reaction.

An agent has no clock, network or random source. Everything it needs to know comes in an event; everything
it does is an action. Its state is an immutable value, so a run can be replayed and verified.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from ..protocols.flow import Row
from .actions import Action
from .cycle import Cycle
from .events import Event

S = TypeVar("S")
Reaction = tuple[S, tuple[Action, ...]]


class Agent(Protocol, Generic[S]):
    """A participant: `kind` is TSO, DSO, BSP or AGGREGATOR."""

    @property
    def name(self) -> str:
        """Unique name in the run."""

    @property
    def kind(self) -> str:
        """Which part it may take in protocols."""

    def start(self) -> S:
        """The state before anything has happened."""

    def react(self, state: S, event: Event, now_us: int) -> Reaction[S]:
        """The next state and what to do; pure."""

    def overhear(self, state: S, rows: Sequence[Row]) -> tuple[S, int]:
        """Take in messages of subscriptions, in their order, as `react` would one by one; pure.

        Returns how many were taken: up to the first that asks for more than to be remembered.
        """

    def told(self, state: S, cycle: Cycle) -> S | None:
        """Take in a cycle of measurements, as `react` would one by one; None if it has to be one by one; pure."""

    def telemetry(self, state: S) -> Mapping[str, float]:
        """What of its state belongs in the telemetry, by column name."""
