"""What a scenario says about running on many hosts: where the plants are, and how much one party may ask of another."""

from __future__ import annotations

from pydantic import Field

from ...grid.description.part import Part, Positive


class TakenFromOthers(Part):
    """The most that an agent takes from one other agent over a broker; what is beyond is refused and counted.

    Rates count wall-clock seconds at speed 1; `inbox` counts messages that wait to be taken, of everybody together.
    """

    message_kb: int = Field(default=1024, ge=64, le=262_144)
    messages_per_s: Positive = 100.0
    open_conversations: int = Field(default=500, ge=1)
    known_conversations: int = Field(default=20_000, ge=1)
    inbox: int = Field(default=10_000, ge=1)


class Hosting(Part):
    """Where the plants run (on the host of this agent; the TSO's if it is not given), and what is taken from others.

    `waits`: the time of the run stands still for everybody while somebody is away.
    """

    plants: str | None = None
    waits: bool = False
    limits: TakenFromOthers = TakenFromOthers()
