"""Scenario II: the short-term consumption forecast of every TSO-DSO connection point (INFO 10), the baseline."""

from ...protocols.information.offering import BaselineForecast, ForecastQuery, PointForecast, ZoneForecast
from ...protocols.information.quantities import US_PER_S
from ...protocols.messages import Agree, Failure, Refuse
from ..actions import Compute, Say
from ..agent import Reaction
from ..events import Computed, Heard
from ..profiles import DsoProfile
from .state import DsoState
from .studies import Forecast, InterfaceForecast

FORECAST = "forecast/"
UNRATED_MVA = 1e6  # the most that a message says: where nothing is rated, nothing limits
MOST_INTERVALS = 1000


def asked(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """The TSO asks for the forecast of a period."""
    query = event.content
    assert isinstance(query, ForecastQuery)
    instants = range(query.start, query.end, query.resolution_s * US_PER_S)
    if len(instants) > MOST_INTERVALS:
        reason = f"{len(instants)} intervals asked for, at most {MOST_INTERVALS} are given"
        return state, (Say(event.conversation.id, Refuse(reason=reason)),)
    job = Forecast(profile.grid, tuple(instants), now_us)
    return state, (Say(event.conversation.id, Agree()), Compute(f"{FORECAST}{query.end}/{event.conversation.id}", job))


def computed(profile: DsoProfile, state: DsoState, event: Computed) -> Reaction[DsoState]:
    """The forecast is known: per connection point, and added up over the balancing zone."""
    end, _, conversation_id = event.key.removeprefix(FORECAST).partition("/")
    if event.error is not None or not isinstance(event.result, tuple):
        return state, (Say(conversation_id, Failure(reason=f"the study failed: {event.error}")),)
    rows: tuple[InterfaceForecast, ...] = event.result
    starts = sorted({row.at_us for row in rows})
    ends = dict(zip(starts, [*starts[1:], int(end)], strict=True))
    points = tuple(
        PointForecast(
            connection_point=row.name,
            start=row.at_us,
            end=ends[row.at_us],
            p_mw=row.import_mw,
            limit_mva=min(row.limit_mw, UNRATED_MVA),
        )
        for row in rows
    )
    zones = tuple(
        ZoneForecast(
            zone=profile.grid,
            start=start,
            end=ends[start],
            p_mw=round(sum(row.import_mw for row in rows if row.at_us == start), 6),
        )
        for start in starts
    )
    return state, (Say(conversation_id, BaselineForecast(kind="baseline", points=points, zones=zones)),)
