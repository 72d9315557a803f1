"""A DSO's limit at the TSO: agreed, put in force at once, passed on, and confirmed when it has been followed.

    DSO                TSO                          BSP
     │─ LimitRequest ─▶│ cap in force from here on
     │◀──── Agree ─────│─ LimitOrder ────────────▶│
     │                 │◀──────── OfferModified ──│
     │◀─ LimitFollowed │ or Failure, if a participant did not follow

The TSO may not refuse a security limit; it refuses one on an offer that it does not know or that lies in
another DSO's grid, because there is nothing it could do about it.
"""

from ...protocols.envelope import Topic
from ...protocols.information.activation import (
    FollowedLimit,
    Limit,
    LimitFollowed,
    LimitOrder,
    LimitRequest,
    OfferModified,
)
from ...protocols.information.offering import Offer
from ...protocols.messages import Agree, Failure, Message, Refuse
from ...protocols.stages import activation as stage
from ..actions import Action, Open, Say
from ..agent import Reaction
from ..events import Heard
from ..profiles import TsoProfile
from .state import PassedLimit, TsoState, cap_key

ROUND = "limits/"


def requested(
    profile: TsoProfile, state: TsoState, event: Heard, request: LimitRequest, now_us: int
) -> Reaction[TsoState]:
    """A DSO limits: put the caps in force, and pass them on to whoever has an order."""
    dso, conversation_id = event.envelope.sender, event.conversation.id
    offers = {limit.offer_id: _offer(profile, state, limit, dso) for limit in request.limits}
    unknown = sorted(offer_id for offer_id, offer in offers.items() if offer is None)
    if unknown:
        reason = f"not an accepted offer in your grid: {', '.join(unknown)}"
        return state, (Say(conversation_id, Refuse(reason=reason)),)
    state = _in_force(state, request, {key: offer for key, offer in offers.items() if offer is not None})
    actions: list[Action] = [Say(conversation_id, Agree())]
    confirmed = {}
    for limit in request.limits:
        offer = offers[limit.offer_id]
        assert offer is not None
        if limit.offer_id in state.activation.orders:
            actions.append(_pass_on(profile, event, limit, offer, now_us))
        else:
            confirmed[limit.offer_id] = 0.0
    passed = PassedLimit(conversation_id, request.limits, state.activation.caps.__class__(confirmed))
    state = state.with_activation(passed=state.activation.passed.set(conversation_id, passed))
    if len(actions) == 1:
        state, answer = followed(state, ROUND + conversation_id)
        actions += answer
    return state, tuple(actions)


def _offer(profile: TsoProfile, state: TsoState, limit: Limit, dso: str) -> Offer | None:
    for _, positions in sorted(state.offering.definitive.items()):
        for position in positions:
            if position.offer.offer_id == limit.offer_id:
                return position.offer if profile.dso_of_grid.get(position.offer.grid) == dso else None
    return None


def _in_force(state: TsoState, request: LimitRequest, offers: dict[str, Offer]) -> TsoState:
    """From now on nothing above the caps is sent; orders above them count as lowered."""
    caps, orders = state.activation.caps, state.activation.orders
    for limit in request.limits:
        offer = offers[limit.offer_id]
        caps = caps.set(cap_key(offer.participant, offer.resource, offer.direction), limit.max_mw)
        order = orders.get(limit.offer_id)
        if order is not None and order.power_mw > limit.max_mw:
            orders = orders.set(limit.offer_id, order._replace(power_mw=limit.max_mw))
    return state.with_activation(caps=caps, orders=orders, changed=True)


def _pass_on(profile: TsoProfile, event: Heard, limit: Limit, offer: Offer, now_us: int) -> Open:
    number = event.topic.subject.rpartition("-")[2]
    topic = Topic(profile.name, stage.STAGE, offer.session, f"limit-{number}.{limit.offer_id}", offer.participant)
    until_us = now_us + profile.patience.follow_us
    cause, round_id = event.envelope.id, ROUND + event.conversation.id
    return Open(stage.LIMIT_ORDER, topic, LimitOrder(limit=limit), until_us, cause, round_id)


def confirmed(state: TsoState, event: Heard, modified: OfferModified) -> TsoState:
    """A participant has followed a limit; what it confirms is kept until all have answered."""
    offer_id = event.topic.subject.partition(".")[2]
    passed = state.activation.passed
    for key, limit in passed.items():
        if any(one.offer_id == offer_id for one in limit.limits):
            passed = passed.set(key, limit._replace(confirmed=limit.confirmed.set(offer_id, modified.confirmed_mw)))
    return state.with_activation(passed=passed)


def followed(state: TsoState, round_id: str) -> Reaction[TsoState]:
    """All participants have answered, or their time is over: tell the DSO."""
    conversation_id = round_id.removeprefix(ROUND)
    limit = state.activation.passed.get(conversation_id)
    if limit is None:
        return state, ()
    state = state.with_activation(passed=state.activation.passed.delete(conversation_id))
    silent = [one.offer_id for one in limit.limits if one.offer_id not in limit.confirmed]
    answer: Message
    if silent:
        answer = Failure(reason=f"not confirmed in time: {', '.join(silent)}")
    else:
        done = tuple(
            FollowedLimit(offer_id=one.offer_id, confirmed_mw=limit.confirmed[one.offer_id]) for one in limit.limits
        )
        answer = LimitFollowed(followed=done)
    return state, (Say(conversation_id, answer),)
