"""A DSO answers what it has metered of the participants in its grid: its archive of INFO 7, added up.

What nobody can ask about any more it forgets when it hears of the next acceptance.
"""

from ...protocols.information.settlement import MeteredEnergy, MeteredParticipant, MeteredQuery
from ..actions import Say
from ..agent import Reaction
from ..changes import replace, without
from ..events import Heard
from ..market.settlement import megawatt_hours
from ..profiles import DsoProfile
from .state import DsoState


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


def asked(state: DsoState, event: Heard) -> Reaction[DsoState]:
    """The TSO asks for metered energy of a period."""
    query = event.content
    assert isinstance(query, MeteredQuery)
    period = event.topic.period
    entries = tuple(
        MeteredParticipant(
            participant=name,
            up_mwh=megawatt_hours(state.archive.get(f"{period}/{name}/up", 0)),
            down_mwh=megawatt_hours(state.archive.get(f"{period}/{name}/down", 0)),
            samples=state.samples.get(f"{period}/{name}", 0),
        )
        for name in query.participants
    )
    return state, (Say(event.conversation.id, MeteredEnergy(entries=entries)),)
