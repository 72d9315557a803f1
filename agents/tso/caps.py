"""What limits, failures and poor service leave of the accepted offers; used by orders and by set-points."""

from collections.abc import Mapping

from ..market.merit_order import Position
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
        most_mw = min(position.accepted_mw, position.accepted_mw if deliverable_mw is None else deliverable_mw)
        if key in left:
            most_mw = min(most_mw, left[key])
            left[key] = max(0.0, round(left[key] - most_mw, 6))
        most[offer.offer_id] = most_mw
    return most
