"""Compensation of limits: what they withhold is counted in every control cycle, and paid with a period's books."""

from ...calendar import MarketTimeUnit
from ...market.compensation import owed_eur, payment
from ...market.settlement import Payment, watt_us
from ...profiles import TsoProfile
from ..activation import redispatch
from ..state import TsoState


def counted(profile: TsoProfile, state: TsoState, now_us: int) -> TsoState:
    """Add what limits withhold until the next cycle, where that is compensated."""
    if profile.coordination.limit_compensation == "none" or not state.activation.caps:
        return state
    withheld = state.activation.withheld
    for offer, more_mw in redispatch.changes(profile, state, now_us):
        if more_mw > 0:
            lasts_us = min(profile.control_us, offer.delivery_end - now_us)
            withheld = withheld.set(offer.offer_id, withheld.get(offer.offer_id, 0) + watt_us(more_mw, lasts_us))
    return state.with_activation(withheld=withheld)


def payments(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> tuple[Payment, ...]:
    """What the DSOs owe for a period, offer by offer."""
    coordination, found = profile.coordination, []
    for need in profile.needs:
        for position in state.offering.definitive.get(f"{period.id}/{need.subject}", ()):
            offer, energy = position.offer, state.activation.withheld.get(position.offer.offer_id, 0)
            owed = owed_eur(offer, energy, coordination.limit_compensation, coordination.limit_margin)
            dso = profile.dso_of_grid.get(offer.grid)
            if owed and dso is not None:
                found.append(payment(period.id, dso, offer, energy, owed))
    return tuple(found)
