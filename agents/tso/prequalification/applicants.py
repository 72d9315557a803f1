"""Applicants and their lanes: who waits for qualification in which grid, and whose turn it is.

A lane's items are conversation ids of applications, or `demand-response/<dso>` in scenario II. Where several may be
tested at once a grid has several lanes: `north`, `north#2`, …
"""

from collections.abc import Mapping, Sequence

from ....protocols.envelope import Topic
from ....protocols.information.capacity import Application, Dynamics, ResourceVerdict, TechnicalData
from ....protocols.information.quantities import TRANSMISSION, US_PER_S
from ....protocols.stages import prequalification as stage
from ...actions import Action, Say
from ...profiles import TsoProfile
from ..state import Applicant, TsoState
from .qualifying import told
from .trial import Trial

DEMAND_RESPONSE = "demand-response/"


def submitted(item: tuple[str, Applicant]) -> tuple[int, str]:
    """When an applicant applied; ties by conversation."""
    key, applicant = item
    return (applicant.application.submitted_at if applicant.application else 0), key


def source_of(state: TsoState, name: str) -> Application | TechnicalData | None:
    """What a participant has declared of itself when it applied, or None if it has not."""
    known = state.prequalification
    applicant = known.applicants.get(known.applied.get(name, DEMAND_RESPONSE + name))
    return (applicant.technical or applicant.application) if applicant is not None else None


def entered(state: TsoState, key: str, applicant: Applicant, application: Application) -> TsoState:
    """The state with one more applicant, who is found by its name and its resources."""
    known, name = state.prequalification, application.applicant
    return state.with_prequalification(
        applicants=known.applicants.set(key, applicant),
        applied=known.applied.set(name, key),
        claimed=known.claimed.update({resource.id: name for resource in application.resources}),
    )


def left(state: TsoState, key: str) -> TsoState:
    """The state without an applicant: it may apply again, and others with its resources."""
    known = state.prequalification
    applicant = known.applicants.get(key)
    if applicant is None or applicant.application is None:
        return state
    name, claimed = applicant.application.applicant, known.claimed
    for resource in applicant.application.resources:
        claimed = claimed.delete(resource.id)
    applicants, applied = known.applicants.delete(key), known.applied.delete(name)
    return state.with_prequalification(applicants=applicants, applied=applied, claimed=claimed)


def fault(profile: TsoProfile, state: TsoState, application: Application, sender: str, now_us: int) -> str | None:
    """Why an application cannot be taken, or None."""
    grids = {resource.grid for resource in application.resources}
    unknown = sorted(grids - set(profile.dso_of_grid) - {TRANSMISSION})
    if application.applicant != sender:
        return f"{sender} cannot apply for {application.applicant}"
    if now_us > profile.calendar.applications_close_us:
        return "the window for applications has closed"
    if unknown and profile.coordination.dso_validates:
        return f"no DSO is known for grid {', '.join(unknown)}"
    if len(grids) > 1:
        return f"one application a grid, not {', '.join(sorted(grids))} in one"
    return _too_slow(profile, application) or _applied_for(state, application)


def _too_slow(profile: TsoProfile, application: Application) -> str | None:
    """Energy must be there in full within the product's full activation time; of FCR the test counts what is there."""
    own_s, product = application.dynamics.full_activation_s, application.product
    most_s = profile.full_activation_us[product] / US_PER_S
    if product == "FCR" or round(own_s - most_s, 6) <= 0:
        return None
    return f"fully active after {own_s:g} s, but {product} must be after {most_s:g} s"


def _applied_for(state: TsoState, application: Application) -> str | None:
    """A participant applies once, and a resource belongs to one application."""
    if source_of(state, application.applicant) is not None:
        return f"{application.applicant} has applied already"
    claimed = state.prequalification.claimed
    twice = sorted(resource.id for resource in application.resources if resource.id in claimed)
    return f"applied for already: {', '.join(twice)}" if twice else None


def grid_of(lane: str) -> str:
    """The grid of a lane."""
    return lane.partition("#")[0]


def split(grid: str, waiting: Sequence[str], at_once: int) -> dict[str, tuple[str, ...]]:
    """Who waits in which lane of a grid, dealt out in the order of application."""
    lanes = [tuple(waiting[number::at_once]) for number in range(at_once)]
    return {f"{grid}#{number}" if number > 1 else grid: lane for number, lane in enumerate(lanes, start=1) if lane}


def dealt(state: TsoState, lanes: Mapping[str, tuple[str, ...]]) -> TsoState:
    """The state with lanes more."""
    known = state.prequalification
    lane_of = {key: name for name, lane in lanes.items() for key in lane}
    return state.with_prequalification(lanes=known.lanes.update(lanes), lane_of=known.lane_of.update(lane_of))


def has_turn(state: TsoState, key: str) -> bool:
    """Whether it is an applicant's turn."""
    known = state.prequalification
    return known.lanes.get(known.lane_of.get(key, ""), ())[:1] == (key,)


def head_of(state: TsoState, participant: str) -> str | None:
    """The applicant whose turn it is in some lane and who is this participant."""
    key = state.prequalification.applied.get(participant, DEMAND_RESPONSE + participant)
    return key if has_turn(state, key) else None


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
    dynamics, most_s = _dynamics(source, verdict.resource), profile.full_activation_us[source.product] / US_PER_S
    return Trial(
        source.product,
        verdict.resource,
        verdict.direction,
        verdict.max_mw,
        most_s if source.product == "FCR" else min(dynamics.full_activation_s, most_s),
        dynamics.deactivation_s,
        profile.test,
        now_us + 10 * US_PER_S,
    )


def _dynamics(source: Application | TechnicalData, resource: str) -> Dynamics:
    """How fast a resource is: as declared, but taps by themselves are as fast as their steps."""
    own = next(one for one in source.resources if one.id == resource)
    if not isinstance(source, TechnicalData) or own.kind != "transformer":
        return source.dynamics
    steps_s = max(tap.seconds_per_step * max(tap.steps, tap.steps_down) for tap in source.transformers)
    return source.dynamics.model_copy(update={"ramping_s": steps_s, "deactivation_s": steps_s})


def topic_of(profile: TsoProfile, period: str, subject: str, peer: str) -> Topic:
    """What a prequalification conversation of the TSO is about."""
    return Topic(profile.name, stage.STAGE, period, subject, peer)


def tell_applicant(profile: TsoProfile, applicant: Applicant, key: str) -> tuple[Action, ...]:
    """Tell an applicant what it is qualified for, if anything."""
    application = applicant.application
    assert application is not None
    return (Say(key, told(application, applicant.verdicts, profile.calendar.end_us)),)
