"""What a reading comes to, and every further one that shows the same: a participant that goes on as it is.

    reading ─▶ Standing: what is published, energy a reading, how long that holds ─▶ passed: the state after n of them

One reading is the case n = 1, so that a participant at which nothing happens need not be asked at every tick: what its
readings have come to is told by their number.
"""

from typing import NamedTuple

from ...protocols.information.activation import Measurement
from ..actions import Actuate
from ..changes import INFINITY_US, derived, replace
from ..energy import Rate, counted, rate
from ..profiles import BspProfile
from .outage import without_supply
from .reading import ParticipantReading
from .state import BspState


class Standing(NamedTuple):
    """What is published of a reading, the energy it counts, and what is moved at each.

    It holds for equal readings before `until_us`, and as long as a set-point has come within `hold_us`.
    """

    reading: ParticipantReading
    measurement: Measurement
    rate: Rate
    moves: tuple[Actuate, ...]
    until_us: int
    hold_us: int


def standing_at(profile: BspProfile, state: BspState, reading: ParticipantReading) -> Standing:
    """What this reading comes to, and those after it that show the same."""
    at_us, p_mw, q_mvar, activated_mw, baseline_mw, _, points = reading
    measurement = Measurement(
        participant=profile.name,
        measured_at=at_us,
        p_mw=p_mw,
        q_mvar=q_mvar,
        activated_mw=activated_mw,
        baseline_mw=baseline_mw,
        set_point_mw=derived(state, "~set point", (state.set_points,), lambda: _set_point_mw(state)),
        points=points,
    )
    counts = rate(state.book, activated_mw, at_us, at_us + profile.measurement_us)
    hold_us = profile.hold_set_point_us if state.book.wanted_mw else INFINITY_US
    return Standing(reading, measurement, counts, _dispatched(profile, state), counts.until_us, hold_us)


def passed(profile: BspProfile, state: BspState, standing: Standing, readings: int, last_us: int) -> BspState:
    """The state after so many readings of a standing, the last one at `last_us`."""
    book = counted(state.book, standing.rate, readings, last_us + profile.measurement_us)
    activated_mw = standing.measurement.activated_mw
    if book is state.book and activated_mw == state.measured_mw:
        return state
    return replace(state, book=book, measured_mw=activated_mw)


def goes_on(profile: BspProfile, state: BspState, reading: ParticipantReading) -> bool:
    """Whether a reading asks for no more than to be published and counted: supply and set-points are as they were."""
    if without_supply(reading.resources) != state.lost:
        return False
    book, at_us = state.book, reading.at_us
    if book.wanted_mw and at_us - state.set_point_us > profile.hold_set_point_us:
        return False
    return not book.counted_us or at_us - book.counted_us < profile.measurement_us


def _set_point_mw(state: BspState) -> float:
    return round(sum(state.set_points.values()), 6)


def _dispatched(profile: BspProfile, state: BspState) -> tuple[Actuate, ...]:
    """An aggregator splits its set-points over the DFRs anew at every reading, because storages fill and empty."""
    if profile.kind != "AGGREGATOR":
        return ()
    return tuple(Actuate(resource, power_mw) for resource, power_mw in sorted(state.set_points.items()) if power_mw)
