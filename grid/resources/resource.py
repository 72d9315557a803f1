"""What every resource can do, whatever it is made of: take a target, let time pass, and say what it injects.

Powers are changes from the baseline in MW, + = up; what a resource reports is rounded to 1 W. Time is microseconds
since the Unix epoch and never runs backwards for one resource.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from ..errors import GridError
from .description import Bus, Kind


class ResourceError(GridError):
    """A resource was asked for something that no machine can do: a time in its past, or a power that is no number."""


class Site(NamedTuple):
    """A named connection point of a resource; `bus` None means the transmission grid."""

    name: str
    bus: Bus | None
    kind: Kind
    baseline_mw: float


class PointPower(NamedTuple):
    """The change from baseline that a resource injects at one of its sites."""

    name: str
    p_mw: float
    q_mvar: float


class ResourceState(NamedTuple):
    """One telemetry sample: ordered and delivered change, and what is left of the range in either direction."""

    id: str
    ordered_mw: float
    p_mw: float
    q_mvar: float
    baseline_mw: float
    available_up_mw: float
    available_down_mw: float


class Agility(NamedTuple):
    """How fast a resource answers the frequency: a first-order lag, then its greatest rate."""

    lag_s: float
    rate_mw_per_s: float


class Resource(Protocol):
    """A unit or a pool, as the plants and the market parties' hosts see it."""

    @property
    def id(self) -> str:
        """The name under which the scenario knows it."""

    @property
    def full_activation_s(self) -> float:
        """Seconds from an order to full delivery."""

    @property
    def agility(self) -> Agility:
        """How fast its local frequency control is."""

    @property
    def contained_mw(self) -> float:
        """What its local frequency control (FCR) adds, part of its power."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it changes by itself, however much time passes."""

    def sites(self) -> tuple[Site, ...]:
        """Where it is connected, in a fixed order."""

    def set_target(self, p_mw: float, at_us: int) -> None:
        """Order a change from the baseline; beyond the range it is clipped."""

    def contain(self, p_mw: float) -> None:
        """From the time reached on its local frequency control adds so much, + up, whatever has been ordered."""

    def advance(self, to_us: int) -> None:
        """Let time pass until `to_us`."""

    def power_mw(self) -> float:
        """The change from baseline at the time reached."""

    def points(self) -> tuple[PointPower, ...]:
        """The change from baseline at every site, in the order of `sites`."""

    def state(self) -> ResourceState:
        """One sample for telemetry at the time reached."""


def require_finite(resource_id: str, p_mw: float) -> None:
    """Raise ResourceError for a power that is no number."""
    if not math.isfinite(p_mw):
        raise ResourceError(f"{resource_id}: the target is {p_mw} MW, but a target is a finite number")


def require_forward(resource_id: str, now_us: int, to_us: int) -> None:
    """Raise ResourceError for a time before the one already reached."""
    if to_us < now_us:
        raise ResourceError(f"{resource_id}: asked for {to_us} µs, but {now_us} µs has been reached already")
