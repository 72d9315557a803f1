"""Containment reserve in a DSO's grid: nobody orders it, so the DSO knows it, allows for it, listens to it, limits it.

What is kept may be on in either direction at any time. It comes before all offers of energy, so that those are cut
first; what the grid cannot bear even without them is limited as any other resource is (limiting.py).
"""

from collections.abc import Iterator, Mapping

from ...grid.limits.allowing import Activation
from ...protocols.envelope import Topic
from ...protocols.information.activation import MeasurementSubscription
from ...protocols.information.offering import AcceptedOffer
from ...protocols.information.quantities import Direction
from ...protocols.information.reserve import ReserveNotice
from ...protocols.messages import Done
from ...protocols.stages import activation
from ..actions import Action, Open, Say
from ..agent import Reaction
from ..changes import derived, replace
from ..events import Heard
from ..profiles import DsoProfile
from .state import DsoState

WAYS: tuple[Direction, ...] = ("up", "down")


def noticed(profile: DsoProfile, state: DsoState, event: Heard) -> Reaction[DsoState]:
    """A participant keeps reserve in this grid, which will move with the frequency: know it, and listen to it."""
    notice = event.content
    assert isinstance(notice, ReserveNotice)
    reserves = state.reserves.update({award.offer_id: award for award in notice.awards})
    actions: tuple[Action, ...] = (Say(event.conversation.id, Done()),)
    if notice.participant not in state.subscribed:
        actions = (*actions, subscription(profile, notice.participant))
    return replace(state, reserves=reserves, subscribed=state.subscribed | {notice.participant}), actions


def subscription(profile: DsoProfile, participant: str) -> Open:
    """Ask a participant for its real-time information of all deliveries."""
    calendar = profile.calendar
    ask = MeasurementSubscription(per_point=True, start=calendar.first.start_us, end=calendar.end_us)
    topic = Topic(profile.name, activation.STAGE, "delivery", "measurements", participant)
    return Open(activation.MEASUREMENTS_FOR_DSO, topic, ask, calendar.first.start_us)


def reserved(state: DsoState, start_us: int, end_us: int) -> tuple[Activation, ...]:
    """The reserves that are kept at some time between two instants, fully up; resources that nobody knows left out."""
    return tuple(
        state.connected[award.resource].activation(offer_id, award.quantity_mw)
        for offer_id, award in sorted(state.reserves.items())
        if award.resource in state.connected and award.delivery_start < end_us and award.delivery_end > start_us
    )


def movements(state: DsoState, now_us: int, *, lift: bool) -> tuple[Activation, ...]:
    """The reserves of this moment, once up and once down, within the limits in force, or whole (`lift`)."""
    found = []
    for name, offer in offers(state).items():
        if offer.delivery_start <= now_us < offer.delivery_end:
            limits = [state.limits.get(f"{offer.participant}|{offer.resource}|{way}") for way in WAYS]
            room_mw = min((limit.max_mw for limit in limits if limit is not None), default=offer.quantity_mw)
            mw = offer.quantity_mw if lift else min(offer.quantity_mw, room_mw)
            if mw > 0:
                moved_mw = mw if offer.direction == "up" else -mw
                found.append(state.connected[offer.resource].activation(name, moved_mw))
    return tuple(found)


def offers(state: DsoState) -> Mapping[str, AcceptedOffer]:
    """Every reserve as two offers, one in each direction, by the names that studies know them by."""
    return derived(state, "~reserves", (state.reserves, state.connected), lambda: dict(_offers(state)))


def _offers(state: DsoState) -> Iterator[tuple[str, AcceptedOffer]]:
    for offer_id, award in sorted(state.reserves.items()):
        known = state.connected.get(award.resource)
        for way in WAYS if known is not None else ():
            assert known is not None
            yield (
                f"{offer_id}|{way}",
                AcceptedOffer(
                    offer_id=offer_id,
                    participant=known.participant,
                    product="FCR",
                    direction=way,
                    quantity_mw=award.quantity_mw,
                    min_quantity_mw=0.0,
                    delivery_start=award.delivery_start,
                    delivery_end=award.delivery_end,
                    resource=award.resource,
                    rank=1,
                ),
            )
