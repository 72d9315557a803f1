"""What a scenario says about faults of links and processes in simulated time, seeded, to see what becomes of a run.

faults:
  loss: 0.1                                        # of attempts to send
  duplication: 0.1
  reordering: 0.1
  late: 0.1
  spread_s: 5                                      # by so much at most a fault makes a message later
  repeat_s: 2                                      # null: what is lost stays lost
  partitions: [{who: [bsp-a], to: [tso], since: "11:50:00", until: "11:52:00"}]
  crashes: {share: 0.01, down_s: 1, who: [tso]}    # of an agent's inputs
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ...grid.clock import clock_us
from ...grid.description.part import ClockTime, Part, Size

Share = Annotated[float, Field(ge=0, le=0.9)]
Seconds = Annotated[Size, Field(le=3600)]


class Partition(Part):
    """Nothing passes, either way, between these and those (not said: everybody else) in a span of the first day."""

    who: tuple[str, ...] = Field(min_length=1)
    to: tuple[str, ...] | None = Field(default=None, min_length=1)
    since: ClockTime
    until: ClockTime

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if clock_us(self.until) <= clock_us(self.since):
            raise ValueError(f"a partition must end after it begins: {self.since} to {self.until}")
        return self


class Crashes(Part):
    """Whose process is killed at a share of its inputs, and started again `down_s` later (no `who`: everybody)."""

    share: float = Field(default=0.0, ge=0, le=1)
    down_s: Seconds = 0.0
    who: tuple[str, ...] = ()


class FaultRules(Part):
    """Shares of messages that a fault befalls; `spread_s`: the most by which one makes a message later.

    `repeat_s`: what is not acknowledged is said again so much later, until it is, and links keep their order, as over a
    broker. Measurements and set-points of a stream are never said again. Without `seed` it is the scenario's.
    """

    seed: int | None = Field(default=None, ge=0, lt=2**63)
    loss: Share = 0.0
    duplication: Share = 0.0
    reordering: Share = 0.0
    late: Share = 0.0
    spread_s: Seconds = 2.0
    repeat_s: Annotated[Seconds, Field(ge=0.1)] | None = 2.0
    partitions: tuple[Partition, ...] = ()
    crashes: Crashes = Crashes()
