"""How limits in real time are handled, and what everybody does when communication is lost.

coordination:
  limits: {validity_min: 15, hold_min: 5, state_every: 1, short_time: false}
  lost_communication: {stale_after_ticks: 3, patience_s: 60, lapsed_limits: release, assumed_share: 1}
links:
  silences: [{who: dso-north, since: "12:35:00", until: "12:50:00"}]
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ...grid.clock import clock_us
from ...grid.description.part import ClockTime, Part, Positive, Size


class LimitRules(Part):
    """Limits in real time: how long each is valid, how long it is held, at every how many readings the DSO looks.

    `short_time`: what a grid's short-time rating bears (`short_time_percent`, `short_time_minutes`) is not limited
    before its time is nearly over.
    """

    validity_min: float = Field(default=15.0, ge=1, le=1440)
    hold_min: Size = 5.0
    state_every: int = Field(default=1, ge=1, le=1000)
    short_time: bool = False


class LostCommunication(Part):
    """What counts as lost, and what is done then (docs/lost-communication.md).

    Data are stale after so many of the sender's ticks. The TSO waits `patience_s` between warning, lowering and
    terminating a service; `lapsed_limits` is what it makes of limits that a silent DSO has not renewed. A DSO that
    gets no INFO 7 of a participant takes `assumed_share` of what was accepted of it for activated. A participant that
    gets no set-points holds the last one for `hold_set_point_s`, then goes back to its baseline.
    """

    stale_after_ticks: int = Field(default=3, ge=1, le=1000)
    patience_s: Positive = 60.0
    hold_set_point_s: Positive = 60.0
    lapsed_limits: Literal["release", "keep", "terminate"] = "release"
    assumed_share: float = Field(default=1.0, ge=0, le=1)


class Silence(Part):
    """What somebody sends in a span of the first day is lost: to everybody or one receiver, all or measurements."""

    who: str
    to: str | None = None
    only: Literal["everything", "measurements"] = "everything"
    since: ClockTime
    until: ClockTime

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if clock_us(self.until) <= clock_us(self.since):
            raise ValueError(f"the silence of {self.who} must end after it begins: {self.since} to {self.until}")
        return self
