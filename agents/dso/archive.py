"""A DSO's archive of INFO 7: energy by participant, period and direction, and how many readings have counted it.

every reading ─▶ one more counts        what a participant has told changes ─▶ so many times the old goes in
MeteredQuery  ─▶ MeteredEnergy, added up to now

What nobody can ask about any more it forgets when it hears of the next acceptance.
"""

from collections.abc import Iterable

from ...protocols.information.settlement import MeteredEnergy, MeteredParticipant, MeteredQuery
from ..actions import Say
from ..agent import Reaction
from ..changes import replace, without
from ..events import Heard
from ..market.settlement import megawatt_hours, watt_us
from ..profiles import DsoProfile
from .state import Counting, DsoState


def archived(profile: DsoProfile, state: DsoState, now_us: int) -> DsoState:
    """One more reading counts what participants have told (left rectangle)."""
    period, counting = profile.calendar.at(now_us), state.counting
    if period is None or period.id != counting.period:
        state = settled(profile, state, state.told)
        if period is None:
            return replace(state, counting=Counting()) if counting.period else state
        counting = Counting(period.id)
    return replace(state, counting=counting._replace(readings=counting.readings + 1))


def settled(profile: DsoProfile, state: DsoState, names: Iterable[str]) -> DsoState:
    """What these have told so far is in the archive, because they tell something else from now on."""
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
        return state
    counting = state.counting._replace(since=since.update(begun))
    archive = state.archive.update(energy) if energy else state.archive
    return replace(state, archive=archive, samples=state.samples.update(samples), counting=counting)


def forgotten(profile: DsoProfile, state: DsoState, now_us: int) -> DsoState:
    """Without what was accepted and metered in periods that nobody asks about any more."""
    calendar = profile.calendar
    gone = calendar.gone(now_us)
    if not gone:
        return state
    periods = {key: calendar.at(offer.delivery_start) for key, offer in state.accepted.items()}
    over = [key for key, period in periods.items() if period is not None and period.id in gone]
    book = state.demand.book.forgotten(gone)
    return replace(
        state if book is state.demand.book else state.with_demand(book=book),
        accepted=without(state.accepted, over),
        moved=without(state.moved, over),
        unknown=without(state.unknown, [key for key in state.unknown if key.split("/")[2] in gone]),
        archive=without(state.archive, [key for key in state.archive if key.partition("/")[0] in gone]),
        samples=without(state.samples, [key for key in state.samples if key.partition("/")[0] in gone]),
    )


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
