"""The TSO's second remedy: what a limit takes from one unit, another unit of the same portfolio may give.

    limit on unit 1 ─▶ LimitOrder names units 2, 3 … that are qualified and free ─▶ the BSP moves what it can
                       OfferModified says what was moved: the offer may be ordered up to its cap and that

The order of remedies is: lower the set-point, another unit, terminate. What none of them gives is ordered from the
merit order list in the same control cycle.
"""

from ....protocols.information.activation import Limit, OfferModified, OtherUnit
from ....protocols.information.offering import Offer
from ...changes import derived
from ...market.merit_order import WATT_MW, Position, by_participant
from ..state import TsoState, cap_key

LEAST_MW = 0.01


def other_units(state: TsoState, offer: Offer, limit: Limit) -> tuple[OtherUnit, ...]:
    """Units of the participant that are qualified in the offer's direction, with the MW that nothing else has taken."""
    if limit.max_mw >= offer.quantity_mw or limit.resource != offer.resource or offer.product == "FCR":
        return ()
    accepted = _accepted(state, offer.participant)
    found = []
    for verdict in state.prequalification.qualified.get(offer.participant, ()):
        if verdict.direction != offer.direction or verdict.resource == offer.resource:
            continue
        taken_mw = sum(position.accepted_mw for position in accepted if _uses(position.offer, offer, verdict.resource))
        key = cap_key(offer.participant, verdict.resource, offer.direction)
        free_mw = round(min(verdict.max_mw, state.activation.caps.get(key, verdict.max_mw)) - taken_mw, 6)
        if free_mw >= LEAST_MW:
            found.append(OtherUnit(resource=verdict.resource, max_mw=free_mw))
    return tuple(sorted(found, key=lambda unit: unit.resource))


def contradiction(state: TsoState, participant: str, limit: Limit, modified: OfferModified) -> str:
    """Why what a participant says about a limit cannot be so, or may not be; empty if it can.

    Above the limit nothing is confirmed; what is moved goes to units of its own that are qualified, and not beyond the
    limit of one that is limited itself.
    """
    if modified.confirmed_mw > limit.max_mw + WATT_MW:
        return f"{modified.confirmed_mw:g} MW confirmed, where {limit.max_mw:g} MW are allowed"
    verdicts = state.prequalification.qualified.get(participant, ())
    most = {one.resource: one.max_mw for one in verdicts if one.direction == limit.direction}
    most[limit.resource] = min(limit.max_mw, most.get(limit.resource, 0.0))
    offers = {position.offer.offer_id: position.offer for position in _accepted(state, participant)}
    if limit.offer_id in offers:
        most.pop(offers[limit.offer_id].resource, None)  # what it gives itself is not moved
    wrong = [
        f"{one.max_mw:g} MW by {one.resource}"
        for one in modified.moved
        if one.max_mw > most.get(one.resource, 0.0) + WATT_MW
    ]
    return f"moved to what may not give it: {', '.join(wrong)}" if wrong else ""


def _accepted(state: TsoState, participant: str) -> list[Position]:
    own = derived(state.offering, "~portfolios", (state.offering.definitive,), lambda: _portfolios(state))
    return own.get(participant, [])


def _portfolios(state: TsoState) -> dict[str, list[Position]]:
    """What has been accepted of each participant, in all periods."""
    lists = [positions for _, positions in sorted(state.offering.definitive.items())]
    return by_participant(position for positions in lists for position in positions)


def _uses(other: Offer, offer: Offer, resource: str) -> bool:
    same = (other.participant, other.direction, other.session) == (offer.participant, offer.direction, offer.session)
    return same and other.resource == resource


def moved(state: TsoState, limit: Limit, modified: OfferModified, before: tuple[str, float] | None) -> TsoState:
    """A participant gives part of an offer with other units: it may be ordered, and what was ordered is in force.

    `before`: conversation and MW of the order that the limit has lowered; unchanged if another has taken its place.
    """
    offer_id, activation = limit.offer_id, state.activation
    known = activation.moved.get(offer_id, ())
    shares = tuple((one.resource, one.max_mw) for one in modified.moved)
    if shares == known:
        return state
    found = activation.moved.set(offer_id, shares) if shares else activation.moved.delete(offer_id)
    orders, order = activation.orders, activation.orders.get(offer_id)
    if order is not None and before is not None and order.conversation_id == before[0]:
        given_mw = round(limit.max_mw + sum(mw for _, mw in shares), 6)
        orders = orders.set(offer_id, order._replace(power_mw=min(before[1], given_mw)))
    return state.with_activation(moved=found, orders=orders, changed=True)


def most_mw(state: TsoState, offer: Offer, accepted_mw: float, left: dict[str, float]) -> float:
    """The most that may be ordered of an offer: within the cap on its unit, and what was moved to others within theirs.

    `left` holds what is left of each cap; what this offer takes is taken off it.
    """
    most = 0.0
    for resource, share_mw in ((offer.resource, accepted_mw), *state.activation.moved.get(offer.offer_id, ())):
        key = cap_key(offer.participant, resource, offer.direction)
        taken_mw = min(share_mw, left.get(key, share_mw), accepted_mw - most)
        if key in left:
            left[key] = max(0.0, round(left[key] - taken_mw, 6))
        most = round(most + taken_mw, 6)
    return most
