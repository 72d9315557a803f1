"""A DSO validates capacity against its planning cases.

    CapacityRequest ─▶ Prequalify ─▶ agree, CapacityVerdict          merit order lists: merit_lists.py

The DSO agrees when the study has shown that it can evaluate what is asked; where a connection point is not its
own it refuses, which it could not do any more once it had agreed.

Where the DSO takes part in the offering, prequalification looks at each capacity separately; where it does
not, at everything qualified in its grid together, because nobody asks it again.
"""

from immutables import Map

from ...grid.limits.allowing import Activation, Allowed
from ...protocols.information.capacity import (
    BindingConstraint,
    CapacityRequest,
    CapacityVerdict,
    ResourceVerdict,
)
from ...protocols.information.quantities import Direction, Verdict
from ...protocols.messages import Agree, Failure, Message, Refuse, kept
from ...protocols.stages import prequalification
from ..actions import Action, Compute, Forget, Note, Say, Wake
from ..agent import Reaction
from ..changes import replace
from ..events import Computed, Heard
from ..profiles import DsoProfile
from . import terms
from .state import Connected, DsoState
from .studies import Prequalify, UnknownPoint

Judged = tuple[tuple[str, CapacityRequest], ...]

CAPACITY = "capacity/"
JOINT = "capacity/gathered"
GATHER_US = 60_000_000
DIRECTIONS: tuple[Direction, ...] = ("up", "down")


def signed(power_mw: float, direction: str) -> float:
    """MW with the sign of a direction: + up."""
    return power_mw if direction == "up" else -power_mw


def capacity_requested(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """The TSO asks what may be qualified: judged by itself, or when all that belong to it have come."""
    request = event.content
    assert isinstance(request, CapacityRequest)
    foreign = [resource.id for resource in request.resources if resource.grid != profile.grid]
    if foreign:
        return state, (Say(event.conversation.id, Refuse(reason=f"not in {profile.grid}: {', '.join(foreign)}")),)
    connected = state.connected
    for resource in request.resources:
        connected = connected.set(resource.id, Connected.of(request.applicant, resource))
    waiting = state.waiting.set(event.conversation.id, request)
    state = replace(state, connected=connected, waiting=waiting)
    if len(waiting) < request.judged_with:
        return state, (Wake(JOINT, now_us + GATHER_US),)
    return capacity_gathered(profile, state)


def capacity_gathered(profile: DsoProfile, state: DsoState) -> Reaction[DsoState]:
    """Judge what has come."""
    if not state.waiting:
        return state, ()
    state, study = _judge(profile, replace(state, waiting=Map()), tuple(sorted(state.waiting.items())))
    return state, (study, Forget(JOINT))


def _judge(profile: DsoProfile, state: DsoState, requests: Judged) -> tuple[DsoState, Compute]:
    """One study of all these requests, under the name of the first."""
    joint = max(request.judged_with for _, request in requests) > 1
    wanted = asked(requests)
    on = terms.of_capacity(profile, state, wanted)
    job = Prequalify(profile.grid, wanted, on.scope, state.qualified, joint, on.margin)
    first = requests[0][0]
    return replace(state, judging=state.judging.set(first, requests)), Compute(CAPACITY + first, job)


def asked(requests: Judged) -> tuple[Activation, ...]:
    """One activation per resource and direction, named `resource|direction`."""
    resources = (resource for _, request in requests for resource in request.resources)
    return tuple(
        Activation(
            f"{resource.id}|{direction}",
            resource.points(),
            signed(resource.maximum_mw(direction), direction),
            resource.min_mw,
            resource.q_mvar_per_mw,
        )
        for resource in resources
        for direction in DIRECTIONS
        if resource.maximum_mw(direction) > 0
    )


def capacity_computed(profile: DsoProfile, state: DsoState, event: Computed) -> Reaction[DsoState]:
    """The planning cases have been computed: give each applicant its verdict."""
    key = event.key.removeprefix(CAPACITY)
    requests = state.judging[key]
    state = replace(state, judging=state.judging.delete(key))
    if isinstance(event.result, UnknownPoint):
        return _without_unknown(profile, state, requests, event.result)
    if event.error is not None:
        failure = Failure(reason=f"the study failed: {event.error}")
        return state, tuple(Say(conversation_id, failure) for conversation_id, _ in requests)
    allowed: tuple[Allowed, ...] = event.result  # type: ignore[assignment]
    actions: list[Action] = []
    apart = terms.of_capacity(profile, state, asked(requests)).scope == "single"
    for conversation_id, request in requests:
        own = [each for each in allowed if state.connected[resource_of(each)].participant == request.applicant]
        actions += (
            Say(conversation_id, Agree()),
            *_capacity_verdict(profile, conversation_id, request, own, apart=apart),
        )
    kept = tuple(state.connected[resource_of(each)].activation(each.id, each.p_mw) for each in allowed if each.p_mw)
    return replace(state, qualified=(*state.qualified, *kept)), tuple(actions)


def _without_unknown(
    profile: DsoProfile, state: DsoState, requests: Judged, unknown: UnknownPoint
) -> Reaction[DsoState]:
    """Refuse what names points that are not here, and judge the rest without it."""
    actions: list[Action] = []
    rest: list[tuple[str, CapacityRequest]] = []
    for conversation_id, request in requests:
        points = [point for resource in request.resources for point, _ in resource.points()]
        missing = [name for name in unknown.names if name in points]
        if missing:
            reason = f"unknown connection points: {', '.join(missing)}"
            actions.append(Say(conversation_id, Refuse(reason=reason)))
        else:
            rest.append((conversation_id, request))
    if rest:
        state, study = _judge(profile, state, tuple(rest))
        actions.append(study)
    return state, tuple(actions)


def resource_of(allowed: Allowed) -> str:
    """The resource of an activation named `resource|direction`."""
    return allowed.id.rpartition("|")[0]


def _capacity_verdict(
    profile: DsoProfile, conversation_id: str, request: CapacityRequest, allowed: list[Allowed], *, apart: bool
) -> tuple[Action, ...]:
    verdicts = tuple(_resource_verdict(each) for each in allowed)
    verdict = CapacityVerdict(
        applicant=request.applicant,
        product=request.product,
        mode="separately" if apart else "all_together",
        verdicts=verdicts,
        valid_until=profile.calendar.end_us,
    )
    shown = [v.model_dump(mode="json") for v in verdicts]
    evidence = {"name": "capacity validated", "applicant": request.applicant, "mode": verdict.mode, "verdicts": shown}
    return Note(prequalification.STAGE, "4.3", evidence), Say(conversation_id, verdict)


def no_study(event: Computed) -> Message:
    """Refuse what cannot be evaluated; failure if the study itself failed."""
    if isinstance(event.result, UnknownPoint):
        return Refuse(reason=f"unknown connection points: {', '.join(event.result.names)}")
    return Failure(reason=f"the study failed: {event.error}")


def _resource_verdict(allowed: Allowed) -> ResourceVerdict:
    direction = allowed.id.rpartition("|")[2]
    verdict = ResourceVerdict(
        resource=resource_of(allowed),
        direction="up" if direction == "up" else "down",
        verdict=verdict_of(allowed, "rejected"),
        max_mw=abs(allowed.p_mw),
        binding=binding_of(allowed),
    )
    return kept(verdict)


def verdict_of(allowed: Allowed, nothing: Verdict) -> Verdict:
    """The verdict on what is allowed; `nothing`: what it is called if nothing is."""
    if allowed.binding is None:
        return "ok"
    return "limited" if abs(allowed.p_mw) > 0 else nothing


def binding_of(allowed: Allowed) -> BindingConstraint | None:
    """The binding constraint as a message carries it; a state without a solution has no finite value."""
    found = allowed.binding
    if found is None:
        return None
    finite = (
        {"value": found.value, "limit": found.limit} if found.kind != "no_solution" else {"value": 0.0, "limit": 0.0}
    )
    return BindingConstraint(element=found.element, kind=found.kind, case=found.case, **finite)
