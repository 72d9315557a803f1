"""What the DSOs' limits cost the TSO at an instant: the orders as they are against those that it would give without.

without limits   wanted of each offer ┐
with limits      given of each offer  ┴─▶ withheld MW, and (given − wanted) · price in EUR/h
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from immutables import Map

from ...protocols.information.offering import Offer
from ..profiles import TsoProfile
from . import control
from .state import TsoState


class Redispatch(NamedTuple):
    """MW that limits keep from being ordered, and what replacing them costs more per hour than they would have."""

    withheld_mw: float = 0.0
    eur_per_h: float = 0.0


def changes(profile: TsoProfile, state: TsoState, now_us: int) -> Iterable[tuple[Offer, float]]:
    """(offer, MW that it would have been ordered more without limits; negative: less) of what limits change now."""
    period = profile.calendar.at(now_us)
    if period is None or not state.activation.caps:
        return
    free = replace(state, activation=replace(state.activation, caps=Map()))
    wanted = control.shares(profile, free, period)
    given = control.shares(profile, state, period)
    for offer in control.accepted(profile, state, period):
        more_mw = wanted[offer.offer_id] - given[offer.offer_id]
        if more_mw:
            yield offer, more_mw


def redispatch(profile: TsoProfile, state: TsoState, now_us: int) -> Redispatch:
    """Withheld MW and cost per hour; for down offers the price is what the participant pays."""
    withheld_mw = eur_per_h = 0.0
    for offer, more_mw in changes(profile, state, now_us):
        withheld_mw += max(0.0, more_mw)
        eur_per_h -= more_mw * offer.price_eur_per_mwh * (1 if offer.direction == "up" else -1)
    return Redispatch(round(withheld_mw, 6) + 0.0, round(eur_per_h, 6) + 0.0)
