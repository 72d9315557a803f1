"""What the meters of a resource show when protection has left some of its connection points without supply."""

from __future__ import annotations

from .resource import PointPower, Resource, ResourceState


def is_lost(resource: Resource, lost: frozenset[str]) -> bool:
    """Whether none of a resource's connection points has supply."""
    return bool(lost) and all(site.name in lost for site in resource.sites())


def metered(resource: Resource, lost: frozenset[str]) -> tuple[ResourceState, tuple[PointPower, ...]]:
    """The sample and the power at every site (MW, Mvar as changes from the baseline, + up).

    `lost`: connection points without supply. There, nothing is injected or drawn: the change is minus the baseline.
    """
    state, points = resource.state(), resource.points()
    if not lost or lost.isdisjoint(point.name for point in points):
        return state, points
    baselines = {site.name: site.baseline_mw for site in resource.sites()}
    points = tuple(PointPower(p.name, -baselines[p.name] + 0.0, 0.0) if p.name in lost else p for p in points)
    p_mw, q_mvar = (round(sum(values), 6) for values in zip(*((p.p_mw, p.q_mvar) for p in points), strict=True))
    state = state._replace(p_mw=p_mw, q_mvar=q_mvar)
    if is_lost(resource, lost):
        state = state._replace(available_up_mw=0.0, available_down_mw=0.0)
    return state, points
