"""What the DSOs' limits cost the TSO at an instant: the orders as they are against those that it would give without.

    without limits   wanted of each offer ┐
    with limits      given of each offer  ┴─▶ withheld MW, and (given − wanted) · price in EUR/h

Orders of mFRR are compared at the present target, set-points of aFRR at the present demand.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from immutables import Map

from ....protocols.information.offering import Offer
from ...calendar import MarketTimeUnit
from ...changes import derived, replace
from ...market.distribution import Walk, shares
from ...profiles import TsoProfile
from ..afrr import metering, set_points
from ..state import TsoState
from . import mfrr
from .caps import accepted


class Redispatch(NamedTuple):
    """MW that limits keep from being ordered, and what replacing them costs more per hour than they would have."""

    withheld_mw: float = 0.0
    eur_per_h: float = 0.0


def changes(profile: TsoProfile, state: TsoState, now_us: int) -> tuple[tuple[Offer, float], ...]:
    """(offer, MW that it would have been ordered more without limits; negative: less) of what limits change now."""
    period = profile.calendar.at(now_us)
    if period is None or not state.activation.caps:
        return ()
    sources = period, state.activation, state.regulation, state.offering
    return derived(state, "~redispatched", sources, lambda: tuple(_changes(profile, state, period)))


def _changes(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> Iterator[tuple[Offer, float]]:
    known, definitive = state.activation, state.offering.definitive
    free = replace(state, activation=replace(known, caps=Map()))
    sources = period, definitive, known.target_mw, known.caps, known.failed, known.derated, known.moved
    yield from derived(state, "~reordered", sources, lambda: tuple(_reordered(profile, state, free, period)))
    if profile.regulation is not None:
        without = _walk(state, "~free", period, lambda: set_points.walked(profile, free, period))
        within = _walk(state, "~bound", period, lambda: set_points.walked(profile, state, period))
        wanted, given = _regulated(profile, state, without), _regulated(profile, state, within)
        if wanted != given:
            yield from _changed(accepted(profile, state, period, metering.PRODUCT), wanted, given)


def _reordered(
    profile: TsoProfile, state: TsoState, free: TsoState, period: MarketTimeUnit
) -> Iterator[tuple[Offer, float]]:
    """What limits change of the orders."""
    wanted, given = mfrr.shares(profile, free, period), mfrr.shares(profile, state, period)
    return _changed(accepted(profile, state, period, mfrr.PRODUCT), wanted, given)


def _walk(state: TsoState, name: str, period: MarketTimeUnit, make: Callable[[], Walk]) -> Walk:
    """A walk is the same as long as nothing that it is made of changes, which few cycles do."""
    known, regulation = state.activation, state.regulation
    limited = known.caps, known.failed, known.derated, known.moved
    under_control = regulation.controls, regulation.subscribers, regulation.silent
    return derived(state, name, (period, state.offering.definitive, *limited, *under_control), make)


def _changed(
    offers: Iterable[Offer], wanted: dict[str, float], given: dict[str, float]
) -> Iterator[tuple[Offer, float]]:
    for offer in offers:
        more_mw = wanted.get(offer.offer_id, 0.0) - given.get(offer.offer_id, 0.0)
        if more_mw:
            yield offer, more_mw


def _regulated(profile: TsoProfile, state: TsoState, walk: Walk) -> dict[str, float]:
    """MW of the demand for aFRR that each offer would give."""
    assert profile.regulation is not None
    given = shares(walk, state.regulation.controller.demand_mw, profile.regulation.distribution)
    return {portion.offer_id: abs(mw) for portion, mw in given}


def redispatch(profile: TsoProfile, state: TsoState, now_us: int) -> Redispatch:
    """Withheld MW and cost per hour; for down offers the price is what the participant pays."""
    withheld_mw = eur_per_h = 0.0
    for offer, more_mw in changes(profile, state, now_us):
        withheld_mw += max(0.0, more_mw)
        eur_per_h -= more_mw * offer.price_eur_per_mwh * (1 if offer.direction == "up" else -1)
    return Redispatch(round(withheld_mw, 6) + 0.0, round(eur_per_h, 6) + 0.0)
