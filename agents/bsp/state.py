"""What a participant has heard and promised; immutable and hashable."""

from dataclasses import dataclass
from typing import NamedTuple

from immutables import Map

from ...protocols.information.capacity import TestOrder, TestSample
from ...protocols.information.offering import CallForOffers, Offer
from ..delivery import OrderBook


class RunningTest(NamedTuple):
    """A prequalification test that is being followed."""

    conversation_id: str
    order: TestOrder
    samples: tuple[TestSample, ...] = ()


@dataclass(frozen=True)
class BspState:
    """All a participant knows: qualified MW by `resource|direction`, open calls, offers made, orders, who listens.

    `subscriptions` are those to set-points, `acknowledged` is the last set-point heard.
    """

    qualified: Map[str, float] = Map()
    test: RunningTest | None = None
    calls: Map[str, CallForOffers] = Map()
    offered: Map[str, tuple[Offer, ...]] = Map()
    available: Map[str, tuple[float, float]] = Map()
    book: OrderBook = OrderBook()
    listeners: tuple[str, ...] = ()
    metering: bool = False
    subscriptions: tuple[str, ...] = ()
    acknowledged: str | None = None
    set_points: Map[str, float] = Map()
    measured_mw: float = 0.0
