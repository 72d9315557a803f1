"""What a DSO forgets when it hears of the next acceptance: periods that nobody can ask about any more."""

from ..changes import replace, without
from ..profiles import DsoProfile
from .state import DsoState


def forgotten(profile: DsoProfile, state: DsoState, now_us: int) -> DsoState:
    """Without what was accepted and metered in periods that are gone."""
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
