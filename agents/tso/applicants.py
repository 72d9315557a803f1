"""Applicants and their lanes: who waits for qualification in which grid, and whose turn it is.

A lane's items are conversation ids of applications, or `demand-response/<dso>` in scenario II.
"""

from collections.abc import Sequence

from ...protocols.envelope import Topic
from ...protocols.information.capacity import ResourceData, ResourceVerdict
from ...protocols.information.quantities import US_PER_S, Direction
from ...protocols.stages import prequalification as stage
from ..profiles import TsoProfile
from .state import Applicant, TsoState
from .trial import Trial

DEMAND_RESPONSE = "demand-response/"
DIRECTIONS: tuple[Direction, ...] = ("up", "down")


def submitted(item: tuple[str, Applicant]) -> tuple[int, str]:
    """When an applicant applied; ties by conversation."""
    key, applicant = item
    return (applicant.application.submitted_at if applicant.application else 0), key


def as_asked(resources: Sequence[ResourceData]) -> tuple[ResourceVerdict, ...]:
    """Verdicts that allow everything applied for."""
    return tuple(
        ResourceVerdict(resource=resource.id, direction=direction, verdict="ok", max_mw=resource.maximum_mw(direction))
        for resource in resources
        for direction in DIRECTIONS
        if resource.maximum_mw(direction) > 0
    )


def rejected(verdict: ResourceVerdict) -> ResourceVerdict:
    """The same verdict, with nothing left of it."""
    return verdict.model_copy(update={"verdict": "rejected", "max_mw": 0.0})


def lane_head(profile: TsoProfile, state: TsoState, dso: str) -> str | None:
    """The applicant whose turn it is in a DSO's grid."""
    for grid, name in sorted(profile.dso_of_grid.items()):
        lane = state.prequalification.lanes.get(grid, ())
        if name == dso and lane:
            return lane[0]
    return None


def head_of(state: TsoState, participant: str) -> str | None:
    """The applicant whose turn it is in some lane and who is this participant."""
    for _, lane in sorted(state.prequalification.lanes.items()):
        if lane and lane[0].split("/")[0 if not lane[0].startswith(DEMAND_RESPONSE) else 1] == participant:
            return lane[0]
    return None


def participant(applicant: Applicant, key: str) -> str:
    """Who the applicant is."""
    return applicant.application.applicant if applicant.application else key.removeprefix(DEMAND_RESPONSE)


def keep(state: TsoState, key: str, applicant: Applicant) -> TsoState:
    """The state with an applicant changed."""
    return state.with_prequalification(applicants=state.prequalification.applicants.set(key, applicant))


def trial_of(profile: TsoProfile, applicant: Applicant, verdict: ResourceVerdict, now_us: int) -> Trial:
    """The test of one resource in one direction, beginning shortly."""
    source = applicant.technical or applicant.application
    assert source is not None
    return Trial(
        source.product,
        verdict.resource,
        verdict.direction,
        verdict.max_mw,
        source.dynamics,
        profile.test,
        now_us + 10 * US_PER_S,
    )


def topic_of(profile: TsoProfile, period: str, subject: str, peer: str) -> Topic:
    """What a prequalification conversation of the TSO is about."""
    return Topic(profile.name, stage.STAGE, period, subject, peer)
