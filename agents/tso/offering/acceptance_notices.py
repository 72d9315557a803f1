"""Each DSO learns of the accepted offers in its own grid, without prices, and the TSO knows that it knows.

    AcceptanceNotice ─▶ done          no answer in time ─▶ the same again, a bounded number of times

A DSO that does not know what may be activated could neither monitor nor limit it.
"""

from collections.abc import Sequence

from ....protocols.envelope import Topic
from ....protocols.information.offering import AcceptanceNotice, AcceptedOffer
from ....protocols.messages import kept
from ....protocols.stages import offering as stage
from ...actions import Open
from ...calendar import MarketTimeUnit
from ...events import Silence
from ...market.merit_order import Position, by_grid
from ...profiles import Need, TsoProfile
from ..state import TsoState

PROTOCOLS = (stage.ACCEPTANCE_NOTICE, stage.ACCEPTANCE_NOTICE_WITH_DSO)
ACCEPTED = "accepted-"
MOST_ATTEMPTS = 3


def tell(
    profile: TsoProfile, period: MarketTimeUnit, need: Need, accepted: Sequence[Position], listed: Sequence[Position]
) -> tuple[Open, ...]:
    """Tell every DSO whose grid has accepted offers of a need.

    A DSO whose offers were listed but not needed is told so, if it may validate another list on top of this one.
    """
    if not profile.coordination.dso_validates:
        return ()
    inside, offered = by_grid(accepted), by_grid(listed)
    others = any(one.direction == need.direction and one.product != need.product for one in profile.needs)
    told = others and profile.coordination.dso_in_offering
    found = ((dso, grid, inside.get(grid, ())) for grid, dso in sorted(profile.dso_of_grid.items()))
    subject = f"{ACCEPTED}{need.subject}"
    return tuple(
        _notice(profile, period, subject, dso, own) for dso, grid, own in found if own or (told and grid in offered)
    )


def again(profile: TsoProfile, state: TsoState, event: Silence) -> tuple[Open, ...]:
    """A DSO has not confirmed: tell it again, unless it has been told often enough or the period is over."""
    topic = event.conversation.topic
    subject, _, count = topic.subject.removeprefix(ACCEPTED).partition(".")
    attempt = int(count or 1) + 1
    if attempt > MOST_ATTEMPTS:
        return ()
    period = profile.calendar.period(topic.period)
    grids = [grid for grid, dso in sorted(profile.dso_of_grid.items()) if dso == topic.peer]
    accepted = state.offering.definitive.get(f"{period.id}/{subject}", ())
    inside = by_grid(accepted)
    own = tuple(position for grid in grids for position in inside.get(grid, ()))
    return (_notice(profile, period, f"{ACCEPTED}{subject}.{attempt}", topic.peer, own),)


def _notice(profile: TsoProfile, period: MarketTimeUnit, subject: str, dso: str, accepted: Sequence[Position]) -> Open:
    protocol = PROTOCOLS[profile.coordination.dso_in_offering]
    attempt = int(subject.partition(".")[2] or 1)
    patience = profile.patience
    until_us = period.gate_closure_us + patience.validation_us + attempt * patience.answer_us
    content = AcceptanceNotice(offers=tuple(_accepted_offer(position) for position in accepted))
    return Open(protocol, Topic(profile.name, stage.STAGE, period.id, subject, dso), content, until_us)


def _accepted_offer(position: Position) -> AcceptedOffer:
    offer = position.offer
    accepted = AcceptedOffer(
        offer_id=offer.offer_id,
        participant=offer.participant,
        product=offer.product,
        direction=offer.direction,
        quantity_mw=position.accepted_mw,
        min_quantity_mw=offer.min_quantity_mw,
        delivery_start=offer.delivery_start,
        delivery_end=offer.delivery_end,
        resource=offer.resource,
        rank=position.rank,
    )
    return kept(accepted)
