"""A DSO watches its grid: own readings, what participants tell it (INFO 7), and limits where they are needed.

    readings ─▶ Monitor ─▶ no violation, now or when all orders are fully on  ─▶ nothing
                       └─▶ what may stay on, in merit order (the dearest is cut first) ─▶ LimitRequest

A limit binds a resource until it is lifted. It is tightened at once and lifted at most every few minutes
(`hold_limit_us`), so that limits do not flutter. One that the TSO has not confirmed is asked for again.
"""

from ...grid.limits import Activation, Allowed, Binding
from ...grid.readings import Readings
from ...protocols.envelope import Topic
from ...protocols.information.activation import GridReading, Limit, LimitFollowed, LimitRequest, Measurement
from ...protocols.information.offering import AcceptedOffer
from ...protocols.messages import Agree
from ...protocols.stages import activation as stage
from ..actions import Action, Compute, Note, Open
from ..agent import Reaction
from ..changes import replace
from ..events import Computed, Heard, Rejected, Silence
from ..market.merit_order import floor_to_step
from ..market.settlement import watt_us
from ..profiles import DsoProfile
from .state import DsoState, InForce, Told, limit_key
from .studies import Monitor, Watch
from .validation import binding_of, signed

WATCH = "watch"
STEP_MW = 0.01
LIFT_MW = 0.05
LOOK_US = 60_000_000


def told(state: DsoState, event: Heard) -> DsoState:
    """A participant's measurement has come in; it speaks for itself and its own connection points only."""
    measurement, name = event.content, event.conversation.peer
    assert isinstance(measurement, Measurement)
    own = {point for _, one in sorted(state.connected.items()) if one.participant == name for point, _ in one.points}
    points = tuple((point.point, point.p_mw) for point in measurement.points if point.point in own)
    known = Told(measurement.set_point_mw, measurement.activated_mw, points)
    return replace(state, told=state.told.set(name, known))


def read(profile: DsoProfile, state: DsoState, readings: Readings, now_us: int) -> Reaction[DsoState]:
    """Readings have been taken: ask what they mean for the grid, and archive what was told."""
    state = _archived(profile, state, now_us)
    look = bool(state.limits) and now_us - state.looked_us >= LOOK_US
    ordered = _ordered(profile, state, now_us, lift=look)
    measured = tuple(pair for _, known in sorted(state.told.items()) for pair in known.points)
    options = state.demand.options
    reference = tuple(t.position for t in options.transformers) if options else None
    job = Monitor(profile.grid, readings, measured, ordered, look, reference)
    looked_us = now_us if look else state.looked_us
    return replace(state, readings=readings, looked_us=looked_us, looking=look), (Compute(WATCH, job),)


def _archived(profile: DsoProfile, state: DsoState, now_us: int) -> DsoState:
    """Add up INFO 7 by participant, period and direction (left rectangle)."""
    period = profile.calendar.at(now_us)
    if period is None:
        return state
    archive, samples = state.archive, state.samples
    for name, known in sorted(state.told.items()):
        direction = "up" if known.activated_mw >= 0 else "down"
        key, counted = f"{period.id}/{name}/{direction}", f"{period.id}/{name}"
        energy = watt_us(abs(known.activated_mw), profile.monitoring_us)
        archive = archive.set(key, archive.get(key, 0) + energy)
        samples = samples.set(counted, samples.get(counted, 0) + 1)
    return replace(state, archive=archive, samples=samples)


def _ordered(profile: DsoProfile, state: DsoState, now_us: int, *, lift: bool) -> tuple[Activation, ...]:
    """Offers being activated, in merit order, at the MW that participants have been asked for.

    A participant's set-point is shared by its offers in merit order. When it is time to see whether limits
    can be lifted, limited offers count with all that was accepted.
    """
    left = {name: known.set_point_mw for name, known in state.told.items()}
    found = []
    for offer in _current(state, now_us):
        asked_mw = max(0.0, signed(left.get(offer.participant, 0.0), offer.direction))
        taken_mw = min(asked_mw, offer.quantity_mw)
        left[offer.participant] = left.get(offer.participant, 0.0) - signed(taken_mw, offer.direction)
        if lift and limit_key(offer) in state.limits:
            taken_mw = offer.quantity_mw
        if taken_mw > 0:
            points = state.connected[offer.resource].points
            found.append(Activation(offer.offer_id, points, signed(taken_mw, offer.direction)))
    return tuple(found)


def _current(state: DsoState, now_us: int) -> list[AcceptedOffer]:
    offers = [
        offer
        for _, offer in sorted(state.accepted.items())
        if offer.delivery_start <= now_us < offer.delivery_end and offer.resource in state.connected
    ]
    return sorted(offers, key=lambda offer: (offer.direction != "up", offer.rank, offer.offer_id))


def watched(profile: DsoProfile, state: DsoState, event: Computed, now_us: int) -> Reaction[DsoState]:
    """The state is known: limit, tighten or lift where it has changed."""
    watch = event.result
    if event.error is not None or not isinstance(watch, Watch):
        return state, (Note(stage.STAGE, "7.6", {"name": "monitoring failed", "reason": event.error}),)
    limits = _limits(profile, state, watch, now_us) if profile.coordination.dso_limits else ()
    state, note = _noted(profile, state, watch, bool(limits), now_us)
    if not limits:
        return state, note
    in_force = state.limits
    number = state.requests + 1
    request = _request(profile, state, limits, number, now_us)
    for limit in limits:
        key = limit_key(state.accepted[limit.offer_id])
        lifted = limit.binding is None and limit.max_mw >= state.accepted[limit.offer_id].quantity_mw - STEP_MW
        in_force = in_force.set(key, InForce(limit.max_mw, now_us, request.topic.conversation_id, lifted=lifted))
    return replace(state, limits=in_force, requests=number, looked_us=now_us), (*note, request)


def _limits(profile: DsoProfile, state: DsoState, watch: Watch, now_us: int) -> tuple[Limit, ...]:
    """One limit a resource: what all its offers may use together, in the name of the first of them."""
    by_resource: dict[str, list[Allowed]] = {}
    for allowed in watch.allowed or ():
        by_resource.setdefault(limit_key(state.accepted[allowed.id]), []).append(allowed)
    limits = []
    for key, together in by_resource.items():
        offer = state.accepted[together[0].id]
        max_mw = floor_to_step(abs(sum(allowed.p_mw for allowed in together)), STEP_MW)
        if max_mw < max(offer.min_quantity_mw, STEP_MW):
            max_mw = 0.0
        binding = next((allowed for allowed in together if allowed.binding is not None), together[0])
        before = state.limits.get(key)
        lasted_us = now_us - before.since_us if before else 0
        bound = binding.binding is not None
        if _is_news(profile, before, max_mw, tighter=bound and not state.looking, lasted_us=lasted_us):
            limits.append(_limit(profile, offer, binding, max_mw))
    return tuple(limits)


def _is_news(profile: DsoProfile, before: InForce | None, max_mw: float, *, tighter: bool, lasted_us: int) -> bool:
    """Tighten at once; lift only by a margin and not before the last change has been held; repeat if unconfirmed.

    A look at whether limits can be lifted supposes more than is ordered, so nothing is tightened on it.
    """
    if before is None:
        return tighter
    if tighter and max_mw < before.max_mw - STEP_MW / 2:
        return True
    if before.status == "unconfirmed":
        return lasted_us >= LOOK_US
    return lasted_us >= profile.hold_limit_us and max_mw > before.max_mw + LIFT_MW


def _limit(profile: DsoProfile, offer: AcceptedOffer, allowed: Allowed, max_mw: float) -> Limit:
    return Limit(
        offer_id=offer.offer_id,
        resource=offer.resource,
        direction=offer.direction,
        kind="cap" if max_mw > 0 else "terminate",
        max_mw=max_mw,
        binding=binding_of(allowed),
        valid_until=profile.calendar.end_us,
    )


def _request(profile: DsoProfile, state: DsoState, limits: tuple[Limit, ...], number: int, now_us: int) -> Open:
    assert state.readings is not None
    readings = state.readings
    shown = tuple(
        GridReading(element=name, p_mw=p_mw, q_mvar=q_mvar, measured_at=readings.at_us)
        for name, p_mw, q_mvar in (*readings.interface, *readings.p_mw)
    )
    period = profile.calendar.at(now_us)
    topic = Topic(profile.name, stage.STAGE, period.id if period else "delivery", f"limit-{number}", profile.tso)
    until_us = now_us + 2 * profile.patience.follow_us
    return Open(stage.LIMIT, topic, LimitRequest(limits=limits, readings=shown), until_us)


def _noted(
    profile: DsoProfile, state: DsoState, watch: Watch, limited: bool, now_us: int
) -> tuple[DsoState, tuple[Action, ...]]:
    """Leave evidence of monitoring once a period, and whenever violations appear, vanish or are answered."""
    period = profile.calendar.at(now_us)
    worst = _worst(watch)
    show = f"{period.id if period else '-'}/{bool(watch.now.violations)}"
    if show == state.shown and not limited:
        return state, ()
    evidence = {
        "name": "grid monitored",
        "period": period.id if period else None,
        "worst_element": watch.now.worst_element,
        "worst_loading_percent": watch.now.worst_loading_percent,
        "ahead_element": watch.ahead.worst_element,
        "ahead_loading_percent": watch.ahead.worst_loading_percent,
        "vm_min_pu": watch.now.vm_min_pu,
        "vm_max_pu": watch.now.vm_max_pu,
        "violation": f"{worst.element} {worst.kind}" if worst else None,
        "value": worst.value if worst else None,
        "limit": worst.limit if worst else None,
    }
    return replace(state, shown=show), (Note(stage.STAGE, "7.6", evidence),)


def _worst(watch: Watch) -> Binding | None:
    found = watch.now.violations or watch.ahead.violations
    return found[0] if found else None


def answered(state: DsoState, event: Heard | Silence | Rejected) -> Reaction[DsoState]:
    """The TSO has confirmed the limits of a request, late or not; or it has not: then they are asked for again.

    A limit that is not confirmed is kept, because the TSO and the participant may have it in force nevertheless.
    """
    content = event.content if isinstance(event, Heard) else None
    if isinstance(content, Agree):
        return state, ()
    limits, confirmed = state.limits, isinstance(content, LimitFollowed)
    for key, limit in sorted(state.limits.items()):
        if limit.request != event.conversation.id:
            continue
        if confirmed and limit.lifted:
            limits = limits.delete(key)
        else:
            limits = limits.set(key, limit._replace(status="confirmed" if confirmed else "unconfirmed"))
    if confirmed:
        return replace(state, limits=limits), ()
    evidence = {"name": "limit not confirmed", "conversation_id": event.conversation.id}
    return replace(state, limits=limits), (Note(stage.STAGE, None, evidence),)
