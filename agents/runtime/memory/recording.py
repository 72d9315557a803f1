"""What a run leaves behind, told as it happens; who keeps it is somebody else's business."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from ....grid.arrays import Floats
from ....protocols.envelope import Envelope
from ....protocols.flow import Row, Volley

Values = Sequence[float] | Floats


class Sent(NamedTuple):
    """One message as it left: when, in which order, and when it was received (None: lost)."""

    sequence: int | None
    sent_at_us: int
    received_at_us: int | None
    envelope: Envelope
    sender_role: str
    receiver_role: str
    stage: str
    step: str | None


class Recorder(Protocol):
    """Keeps the record of a run."""

    def message(self, sent: Sent) -> None:
        """A negotiation message, in the order of sending."""

    def stream(self, sent: Sent) -> None:
        """A high-rate message (INFO 7) of a subscription."""

    def flowed(self, row: Row) -> None:
        """The same, as a row of a flow."""

    def volley(self, volley: Volley) -> None:
        """The same, as many rows of flows sent at one instant."""

    def event(self, *, agent: str, at_us: int, stage: str, step: str | None, evidence: Mapping[str, object]) -> None:
        """A step without a message, with its evidence."""

    def telemetry(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """One tick of the area and of every participant, by column; the values are copied."""

    def state(self, grid: str, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """One tick of a grid's physical state, by column; the values are copied."""

    def network(self, grid: str, json_text: str) -> None:
        """A grid's pandapower network, once."""

    def journal(self, agent: str, at_us: int, line: str) -> None:
        """One input of an agent, before its effects."""
