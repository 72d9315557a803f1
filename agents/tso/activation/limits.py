"""A DSO's limit at the TSO: agreed, put in force at once, passed on, and confirmed when it has been followed.

    DSO                TSO                          BSP
     │─ LimitRequest ─▶│ cap in force from here on
     │◀──── Agree ─────│─ LimitOrder ────────────▶│
     │                 │◀──────── OfferModified ──│
     │◀─ LimitFollowed │ or Failure, if a participant did not follow

Every limit is passed on, whether or not the offer is ordered now, so that TSO and participant always keep
the same caps: a participant that has not heard that a limit was lifted would refuse the next order. The
TSO may not refuse a security limit; it refuses a request in which it knows no offer, because there is
nothing it could do about it. A limit that its DSO has not renewed when its validity is over lapses.
"""

from collections.abc import Mapping

from immutables import Map

from ....protocols.envelope import Topic
from ....protocols.information.activation import (
    FollowedLimit,
    Limit,
    LimitFollowed,
    LimitOrder,
    LimitRequest,
    OfferModified,
)
from ....protocols.information.offering import Offer
from ....protocols.messages import Agree, Failure, Message, Refuse
from ....protocols.stages import activation as stage
from ...actions import Note, Open, Say
from ...agent import Reaction
from ...changes import derived
from ...events import Heard
from ...market.merit_order import Position, by_grid
from ...profiles import TsoProfile
from ..reserve import containment
from ..state import PassedLimit, TsoState, cap_key
from . import portfolio

ROUND = "limits/"


def requested(
    profile: TsoProfile, state: TsoState, event: Heard, request: LimitRequest, now_us: int
) -> Reaction[TsoState]:
    """A DSO limits: put the caps in force, and pass them on to the participants."""
    dso, conversation_id = event.envelope.sender, event.conversation.id
    offers = _offers(profile, state, request, dso)
    unknown = tuple(dict.fromkeys(limit.offer_id for limit in request.limits if limit.offer_id not in offers))
    if not offers:
        return state, (Say(conversation_id, Refuse(reason=_unknown(unknown))),)
    limits = _strictest(request, offers)
    number, orders = state.activation.limited + 1, state.activation.orders
    before = {one.offer_id: orders[one.offer_id] for one in limits if one.offer_id in orders}
    state = _in_force(state.with_activation(limited=number), limits, offers)
    passing = [limit for limit in limits if offers[limit.offer_id].participant != dso]
    own = {one.offer_id: OfferModified(offer=None, confirmed_mw=one.max_mw) for one in limits if one not in passing}
    ordered = Map({offer_id: (order.conversation_id, order.power_mw) for offer_id, order in before.items()})
    passed = state.activation.passed.set(conversation_id, PassedLimit(limits, Map(own), unknown, ordered))
    state = state.with_activation(passed=passed)
    actions = [_pass_on(profile, state, event, limit, offers[limit.offer_id], now_us=now_us) for limit in passing]
    if not actions:
        state, answer = followed(state, ROUND + conversation_id)
        return state, (Say(conversation_id, Agree()), *answer)
    return state, (Say(conversation_id, Agree()), *actions)


def _offers(profile: TsoProfile, state: TsoState, request: LimitRequest, dso: str) -> dict[str, Offer]:
    """The accepted offers in the DSO's grid that a request is about, by id."""
    inside = derived(state.offering, "~accepted", (state.offering.definitive,), lambda: _accepted(state))
    grids = [grid for grid, name in sorted(profile.dso_of_grid.items()) if name == dso]
    accepted = {position.offer.offer_id: position.offer for grid in grids for position in inside.get(grid, ())}
    found = {}
    for limit in request.limits:
        offer = accepted.get(limit.offer_id)
        if offer is not None and offer.direction == limit.direction and limit.resource in _units(state, offer):
            found[limit.offer_id] = offer
    return found | containment.limitable(state, request, grids)


def _accepted(state: TsoState) -> dict[str, list[Position]]:
    """What has been accepted in each grid, in all periods."""
    lists = [positions for _, positions in sorted(state.offering.definitive.items())]
    return by_grid(position for positions in lists for position in positions)


def _units(state: TsoState, offer: Offer) -> tuple[str, ...]:
    """The unit that an offer is made of, and those that give part of it."""
    return (offer.resource, *(resource for resource, _ in state.activation.moved.get(offer.offer_id, ())))


def _strictest(request: LimitRequest, offers: Mapping[str, Offer]) -> tuple[Limit, ...]:
    """One limit an offer; where a request limits a resource several times, the lowest counts for all of them."""
    known = {limit.offer_id: limit for limit in request.limits if limit.offer_id in offers}
    lowest: dict[str, Limit] = {}
    for name, limit in known.items():
        key = _key(offers[name], limit)
        lowest[key] = min(lowest.get(key, limit), limit, key=lambda one: one.max_mw)
    named = ((name, lowest[_key(offers[name], limit)]) for name, limit in known.items())
    return tuple(limit.model_copy(update={"offer_id": name}) for name, limit in named)


def _key(offer: Offer, limit: Limit) -> str:
    return cap_key(offer.participant, limit.resource, offer.direction)


def _unknown(offer_ids: tuple[str, ...]) -> str:
    return f"not an accepted offer in your grid: {', '.join(sorted(offer_ids))}"


def _in_force(state: TsoState, limits: tuple[Limit, ...], offers: Mapping[str, Offer]) -> TsoState:
    """From now on nothing above the caps is sent; orders above them, and what other units give, count as lowered."""
    caps, ends, orders = state.activation.caps, state.activation.cap_ends, state.activation.orders
    for limit in limits:
        offer, order = offers[limit.offer_id], orders.get(limit.offer_id)
        caps, ends = caps.set(_key(offer, limit), limit.max_mw), ends.set(_key(offer, limit), limit.valid_until)
        moved_mw = sum(mw for _, mw in state.activation.moved.get(limit.offer_id, ()))
        if order is not None and limit.resource == offer.resource:
            lowered_mw = min(order.power_mw, round(limit.max_mw + moved_mw, 6))
            orders = orders.set(limit.offer_id, order._replace(power_mw=lowered_mw))
    return state.with_activation(caps=caps, cap_ends=ends, orders=orders, changed=True)


def _pass_on(profile: TsoProfile, state: TsoState, event: Heard, limit: Limit, offer: Offer, *, now_us: int) -> Open:
    subject = f"limit-{state.activation.limited}.{limit.offer_id}"
    topic = Topic(profile.name, stage.STAGE, offer.session, subject, offer.participant)
    until_us = now_us + profile.patience.follow_us
    cause, round_id = event.envelope.id, ROUND + event.conversation.id
    content = LimitOrder(limit=limit, other_units=portfolio.other_units(state, offer, limit))
    return Open(stage.LIMIT_ORDER, topic, content, until_us, cause, round_id)


def confirmed(state: TsoState, event: Heard, modified: OfferModified) -> Reaction[TsoState]:
    """A participant has followed a limit; what it confirms is kept until all of that request have answered.

    What contradicts the limit is no confirmation, so that the DSO hears of a failure.
    """
    conversation_id = str(event.conversation.round).removeprefix(ROUND)
    passed = state.activation.passed.get(conversation_id)
    if passed is None:
        return state, ()
    offer_id = event.topic.subject.partition(".")[2]
    limit = next(one for one in passed.limits if one.offer_id == offer_id)
    wrong = portfolio.contradiction(state, event.conversation.peer, limit, modified)
    if wrong:
        return state, (Note(stage.STAGE, None, {"name": "limit not followed", "offer_id": offer_id, "reason": wrong}),)
    state = portfolio.moved(state, limit, modified, passed.ordered.get(offer_id))
    passed = passed._replace(confirmed=passed.confirmed.set(offer_id, modified))
    return state.with_activation(passed=state.activation.passed.set(conversation_id, passed)), ()


def dropped(state: TsoState, conversation_id: str) -> TsoState:
    """The DSO has not understood us: it is not told any more, but its limits stay in force."""
    passed = state.activation.passed
    return state.with_activation(passed=passed.delete(conversation_id)) if conversation_id in passed else state


def followed(state: TsoState, round_id: str) -> Reaction[TsoState]:
    """All participants have answered, or their time is over: tell the DSO."""
    conversation_id = round_id.removeprefix(ROUND)
    passed = state.activation.passed.get(conversation_id)
    if passed is None:
        return state, ()
    silent = [limit.offer_id for limit in passed.limits if limit.offer_id not in passed.confirmed]
    answer: Message
    if silent or passed.unknown:
        missing = [f"not confirmed in time: {', '.join(silent)}"] if silent else []
        answer = Failure(reason="; ".join(missing + ([_unknown(passed.unknown)] if passed.unknown else [])))
    else:
        done = tuple(
            FollowedLimit(offer_id=name, confirmed_mw=modified.confirmed_mw, moved=modified.moved)
            for name, modified in ((one.offer_id, passed.confirmed[one.offer_id]) for one in passed.limits)
        )
        answer = LimitFollowed(followed=done)
    return dropped(state, conversation_id), (Say(conversation_id, answer),)


def lapsed(profile: TsoProfile, state: TsoState, now_us: int) -> Reaction[TsoState]:
    """Limits whose validity is over and that have not been renewed: their DSO is silent, and the policy decides.

    `release` drops them, `keep` leaves them in force until the DSO is heard again, `terminate` orders nothing more of
    the resources that they bind.
    """
    over = [key for key, end_us in sorted(state.activation.cap_ends.items()) if end_us <= now_us]
    if not over:
        return state, ()
    policy = profile.coordination.lapsed_limits
    caps, ends = state.activation.caps, state.activation.cap_ends
    for key in over:
        ends = ends.delete(key)
        caps = caps.delete(key) if policy == "release" else caps.set(key, caps[key] if policy == "keep" else 0.0)
    note = Note(stage.STAGE, None, {"name": "limits lapsed", "limited": over, "policy": policy})
    return state.with_activation(caps=caps, cap_ends=ends, changed=True), (note,)
