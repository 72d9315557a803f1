"""What a participant reads of its own resources."""

from typing import NamedTuple

from ...protocols.information.activation import PointPower


class ResourceReading(NamedTuple):
    """One resource: change from the baseline, and the range left in both directions (MW, + = up)."""

    resource: str
    activated_mw: float
    available_up_mw: float
    available_down_mw: float


class ParticipantReading(NamedTuple):
    """All resources of a participant at one instant; P and Q as injections at the connection points."""

    at_us: int
    p_mw: float
    q_mvar: float
    activated_mw: float
    baseline_mw: float
    resources: tuple[ResourceReading, ...]
    points: tuple[PointPower, ...]
