"""A DSO's archive of INFO 7: energy by participant, period and direction, and how many readings have counted it.

every reading ─▶ one more counts        what a participant has told changes ─▶ so many times the old goes in
MeteredQuery  ─▶ MeteredEnergy, added up to now
"""

from collections.abc import Iterable
from typing import Any

from ...protocols.information.settlement import MeteredEnergy, MeteredParticipant, MeteredQuery
from ..actions import Say
from ..agent import Reaction
from ..changes import replace
from ..events import Heard
from ..market.settlement import megawatt_hours, watt_us
from ..profiles import DsoProfile
from .state import Counting, DsoState


def archived(profile: DsoProfile, state: DsoState, now_us: int, **changes: Any) -> DsoState:
    """One more reading counts what participants have told (left rectangle); the state with other `changes` too."""
    period, counting = profile.calendar.at(now_us), state.counting
    if period is None or period.id != counting.period:
        state = settled(profile, state, state.told)
        if period is None:
            return replace(state, counting=Counting() if counting.period else counting, **changes)
        counting = Counting(period.id)
    return replace(state, counting=Counting(counting.period, counting.readings + 1, counting.since), **changes)


def settled(profile: DsoProfile, state: DsoState, names: Iterable[str], **changes: Any) -> DsoState:
    """What these have told so far is in the archive, because they tell something else from now on: the `changes`."""
    period, readings, since = state.counting
    energy, samples, begun = dict[str, int](), dict[str, int](), dict[str, int]()
    for name in sorted(names):
        lasted, told = readings - since.get(name, 0), state.told.get(name)
        begun[name] = readings
        if lasted and told is not None and name not in state.missing:
            key = f"{period}/{name}"
            way = f"{key}/up" if told.activated_mw >= 0 else f"{key}/down"
            energy[way] = state.archive.get(way, 0) + lasted * watt_us(abs(told.activated_mw), profile.monitoring_us)
            samples[key] = state.samples.get(key, 0) + lasted
    if not begun:
        return replace(state, **changes) if changes else state
    counting = state.counting._replace(since=since.update(begun))
    archive = state.archive.update(energy) if energy else state.archive
    return replace(state, archive=archive, samples=state.samples.update(samples), counting=counting, **changes)


def asked(profile: DsoProfile, state: DsoState, event: Heard) -> Reaction[DsoState]:
    """The TSO asks for metered energy of a period."""
    query, known = event.content, settled(profile, state, state.told)
    assert isinstance(query, MeteredQuery)
    period = event.topic.period
    entries = tuple(
        MeteredParticipant(
            participant=name,
            up_mwh=megawatt_hours(known.archive.get(f"{period}/{name}/up", 0)),
            down_mwh=megawatt_hours(known.archive.get(f"{period}/{name}/down", 0)),
            samples=known.samples.get(f"{period}/{name}", 0),
        )
        for name in query.participants
    )
    return state, (Say(event.conversation.id, MeteredEnergy(entries=entries)),)
