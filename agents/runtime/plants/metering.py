"""From what the resources of a participant show to what it reads of them all together."""

from ....grid.resources.resource import PointPower as Injection
from ....grid.resources.resource import ResourceState
from ....protocols.information.activation import PointPower
from ...bsp.reading import ParticipantReading, ResourceReading

Shown = tuple[tuple[ResourceState, tuple[Injection, ...]], ...]


def reading_of(meters: Shown, at_us: int) -> ParticipantReading:
    """A participant's reading of all its meters together."""
    states = [state for state, _ in meters]
    baseline_mw = round(sum([state.baseline_mw for state in states]), 6)
    activated_mw = round(sum([state.p_mw for state in states]), 6)
    points = tuple(
        [PointPower(point=name, p_mw=p_mw, q_mvar=q_mvar) for _, shown in meters for name, p_mw, q_mvar in shown]
    )
    return ParticipantReading(
        at_us,
        round(baseline_mw + activated_mw, 6),
        round(sum([state.q_mvar for state in states]), 6),
        activated_mw,
        baseline_mw,
        tuple(
            [ResourceReading(state.id, state.p_mw, state.available_up_mw, state.available_down_mw) for state in states]
        ),
        points,
    )
