"""What limits, failures and poor service leave of the accepted offers; used by orders and by set-points."""

from collections.abc import Mapping

from ..market.merit_order import Position
from . import portfolio
from .state import TsoState, cap_key


def caps(state: TsoState, positions: tuple[Position, ...]) -> Mapping[str, float]:
    """The most that may be ordered of each offer that a limit binds, that delivers less, or that has failed.

    A limit binds a resource, so it is shared in merit order by the offers that use the resource.
    """
    activation = state.activation
    left = dict(activation.caps.items())
    most: dict[str, float] = {}
    for position in positions:
        offer = position.offer
        key = cap_key(offer.participant, offer.resource, offer.direction)
        deliverable_mw = 0.0 if offer.offer_id in activation.failed else activation.derated.get(offer.offer_id)
        if deliverable_mw is None and key not in left:
            continue
        wanted_mw = min(position.accepted_mw, position.accepted_mw if deliverable_mw is None else deliverable_mw)
        most[offer.offer_id] = portfolio.most_mw(state, offer, wanted_mw, left)
    return most
