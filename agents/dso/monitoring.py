"""A DSO watches its grid: own readings, what participants tell it (INFO 7), and limits where they are needed.

    readings, INFO 7 ─▶ Monitor ─▶ no violation, now or when all orders are fully on  ─▶ nothing
                               └─▶ what may stay on, in merit order (the dearest is cut first) ─▶ LimitRequest

Which limits, and until when, is in `limiting.py`; what counts for whom INFO 7 is missing, in `hearing.py`.
"""

from ...grid.limits.allowing import Binding
from ...grid.readings import Readings
from ...protocols.envelope import Topic
from ...protocols.information.activation import GridReading, Limit, LimitFollowed, LimitRequest
from ...protocols.messages import Agree
from ...protocols.stages import activation as stage
from ..actions import Action, Compute, Note, Open
from ..agent import Reaction
from ..changes import replace
from ..events import Computed, Heard, Rejected, Silence
from ..profiles import DsoProfile
from . import archive, hearing, limiting, reserves, short_time, terms
from .state import DsoState
from .studies import Monitor, Watch

WATCH = "watch"


def read(profile: DsoProfile, state: DsoState, readings: Readings, now_us: int) -> Reaction[DsoState]:
    """Readings have been taken: archive what was told and, every so many readings, ask what they mean for the grid."""
    idle = state.idle_readings
    changes = {"readings": readings, "idle_readings": (idle + 1) % profile.state_every}
    state = archive.archived(profile, state, now_us, **changes)
    if idle:
        return state, ()
    state, notes = hearing.missed(profile, state, now_us)
    look = bool(state.limits) and now_us - state.looked_us >= limiting.LOOK_US
    ordered = hearing.ordered(profile, state, now_us, lift=look)
    measured = hearing.measured(profile, state, now_us)
    options = state.demand.options
    reference = tuple(t.position for t in options.transformers) if options else None
    moving = reserves.movements(state, now_us, lift=look)
    named = ((each, hearing.unit_of(state, each.id)[0].participant) for each in ordered)  # where the policy looks
    margin = terms.of_orders(profile, named).margin
    job = Monitor(
        profile.grid,
        readings,
        measured,
        ordered,
        look,
        reference,
        limited=bool(state.limits),
        reserves=moving,
        margin=margin,
        rating=short_time.rating(profile, look=look),
        spent=state.spent,
        spared=now_us - state.headroom_us < limiting.LOOK_US,
    )
    if look or state.looking:
        state = replace(state, looked_us=now_us if look else state.looked_us, looking=look)
    return state, (*notes, Compute(WATCH, job))


def watched(profile: DsoProfile, state: DsoState, event: Computed, now_us: int) -> Reaction[DsoState]:
    """The state is known: limit, tighten, lift or renew."""
    watch = event.result
    if event.error is not None or not isinstance(watch, Watch):
        return state, (Note(stage.STAGE, "7.6", {"name": "monitoring failed", "reason": event.error}),)
    if watch.headroom:
        state = replace(state, headroom_us=now_us)
    if state.looking:
        state = replace(state, limits=state.limits.update(limiting.looked(profile, state, watch, now_us)))
    state, used = short_time.counted(profile, state, watch)
    limits = limiting.due(profile, state, watch, now_us) if profile.coordination.dso_limits else ()
    state, note = _noted(profile, state, watch, bool(limits), now_us)
    if not limits:
        return state, (*used, *note)
    number, in_force = state.requests + 1, state.limits
    request = _request(profile, state, tuple(limit for _, limit in limits), number, now_us)
    for key, limit in limits:
        in_force = in_force.set(key, limiting.asked(limit, in_force.get(key), request.topic.conversation_id, now_us))
    return replace(state, limits=in_force, requests=number, looked_us=now_us), (*used, *note, request)


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
    if isinstance(content, LimitFollowed):
        return replace(hearing.moved(state, content.followed), limits=limits), ()
    evidence = {"name": "limit not confirmed", "conversation_id": event.conversation.id}
    return replace(state, limits=limits), (Note(stage.STAGE, None, evidence),)
