"""The TSO's orders at the participants: how they are said, and what becomes of them.

    order ─▶ Activated        confirmed: what it superseded is over there
         └─▶ Refuse, silence  not followed: what it superseded may still run there, so it is cancelled; the
                              energy requested in it was never asked for; the offer is not ordered any more

So TSO and participant agree on what is in force after every ending, whichever message was lost.
"""

from typing import Literal

from ....protocols.conversation import Conversation
from ....protocols.envelope import Topic
from ....protocols.information.activation import Activate, ActivateWhen
from ....protocols.information.offering import Offer
from ....protocols.messages import Cancel
from ....protocols.stages import activation as stage
from ....protocols.tables import Protocol
from ...actions import Action, Note, Open, Say
from ...agent import Reaction
from ...changes import derived
from ...events import Heard, Rejected, Silence
from ...profiles import TsoProfile
from ..state import Order, TsoState


def by_offer(state: TsoState) -> tuple[tuple[str, Order], ...]:
    """The orders by offer, in the order of the offers' names."""
    orders = state.activation.orders
    return derived(state, "~by offer", (orders,), lambda: tuple(sorted(orders.items())))


def order_id(offer_id: str, number: int) -> str:
    """The subject of the conversation that orders, or puts under control, an offer."""
    return f"{offer_id}.{number}"


def opening_of(
    profile: TsoProfile,
    offer: Offer,
    number: int,
    now_us: int,
    *,
    power_mw: float,
    kind: Literal["activate", "set-point"] = "activate",
    supersedes: str | None = None,
) -> Open:
    """The message that orders an offer, or puts it under control: direct in its own period, scheduled before."""
    scheduled = now_us < offer.delivery_start
    peer, protocol = _way(profile, offer, scheduled=scheduled)
    content = (ActivateWhen if scheduled else Activate)(
        offer_id=offer.offer_id,
        product=offer.product,
        direction=offer.direction,
        kind=kind,
        power_mw=power_mw,
        start=max(now_us, offer.delivery_start),
        end=offer.delivery_end,
        supersedes=supersedes,
    )
    topic = Topic(profile.name, stage.STAGE, offer.session, order_id(offer.offer_id, number), peer)
    return Open(protocol, topic, content, now_us + profile.patience.answer_us)


def _way(profile: TsoProfile, offer: Offer, *, scheduled: bool) -> tuple[str, Protocol]:
    """To whom an order is said, and in which protocol: to its participant, or to the DSO that passes it on."""
    dso = profile.dso_of_grid.get(offer.grid)
    if offer.participant in profile.dsos:
        return offer.participant, stage.DSO_SCHEDULED_ACTIVATION if scheduled else stage.DSO_ACTIVATION
    if profile.coordination.signal_route == "via_dso" and dso is not None:
        return dso, stage.SCHEDULED_ACTIVATION_VIA_DSO if scheduled else stage.ACTIVATION_VIA_DSO
    return offer.participant, stage.SCHEDULED_ACTIVATION if scheduled else stage.ACTIVATION


def offer_of(conversation: Conversation) -> str:
    """The offer that such a conversation is about."""
    return conversation.topic.subject.rpartition(".")[0]


def in_force(state: TsoState, conversation: Conversation) -> bool:
    """Whether it is the last order of its offer: nothing that was ordered has taken its place."""
    return _find(state, conversation) is not None


def confirmed(state: TsoState, conversation: Conversation) -> TsoState:
    """The participant has taken an order."""
    found = _find(state, conversation)
    if found is None:
        return state
    offer_id, order = found
    order = order._replace(confirmed=True, supersedes=(), unconfirmed=0)
    return state.with_activation(orders=state.activation.orders.set(offer_id, order))


def ended(state: TsoState, conversation: Conversation) -> TsoState:
    """An order is over at the participant: there is nothing left of it to cancel."""
    orders, offer_id = state.activation.orders, offer_of(conversation)
    order = orders.get(offer_id)
    if order is None or conversation.id not in order.supersedes:
        return state
    left = tuple(one for one in order.supersedes if one != conversation.id)
    return state.with_activation(orders=orders.set(offer_id, order._replace(supersedes=left)))


def failed(
    profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected, reason: str, now_us: int
) -> Reaction[TsoState]:
    """An order is not followed: take the offer as unavailable, so that the next cycle replaces it."""
    conversation_id = event.conversation.id
    state = ended(state, event.conversation)
    found = _find(state, event.conversation)
    cancels: tuple[Action, ...] = ()
    if found is not None:
        offer_id, order = found
        state = _given_up(state, offer_id, order)
        cancels = cancelled(profile, order.supersedes, "the order that took its place was not followed", now_us)
    lost = [found[0]] if found else []
    evidence = {"name": "order not followed", "conversation_id": conversation_id, "reason": reason, "offer_ids": lost}
    return state, (Note(stage.STAGE, "7.5", evidence), *cancels)


def cancelled(profile: TsoProfile, conversation_ids: tuple[str, ...], reason: str, now_us: int) -> tuple[Action, ...]:
    """A cancel for each of these orders."""
    until_us = now_us + profile.patience.answer_us
    return tuple(Say(conversation_id, Cancel(reason=reason), until_us) for conversation_id in conversation_ids)


def _find(state: TsoState, conversation: Conversation) -> tuple[str, Order] | None:
    offer_id = offer_of(conversation)
    order = state.activation.orders.get(offer_id)
    return (offer_id, order) if order is not None and order.conversation_id == conversation.id else None


def _given_up(state: TsoState, offer_id: str, order: Order) -> TsoState:
    activation = state.activation
    energy = activation.energy
    if order.unconfirmed:
        energy = energy.set(offer_id, energy.get(offer_id, 0) - order.unconfirmed)
    return state.with_activation(
        orders=activation.orders.delete(offer_id),
        failed=activation.failed | {offer_id},
        energy=energy,
        changed=True,
    )
