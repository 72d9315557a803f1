"""A DSO answers what it has metered of the participants in its grid: its archive of INFO 7, added up."""

from ...protocols.information.settlement import MeteredEnergy, MeteredParticipant, MeteredQuery
from ..actions import Say
from ..agent import Reaction
from ..events import Heard
from ..market.settlement import megawatt_hours
from .state import DsoState


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
