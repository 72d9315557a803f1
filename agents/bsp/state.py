"""What a participant has heard and promised; immutable and hashable."""

from dataclasses import dataclass
from typing import NamedTuple

from immutables import Map

from ...protocols.information.capacity import TestOrder, TestSample
from ...protocols.information.offering import CallForOffers, Offer
from ...protocols.information.reserve import AwardedReserve, CallForReserve, ReserveOffer
from ..delivery import OrderBook


class RunningTest(NamedTuple):
    """A prequalification test that is being followed."""

    conversation_id: str
    order: TestOrder
    samples: tuple[TestSample, ...] = ()


@dataclass(frozen=True)
class ReserveState:
    """Containment reserve: open calls, offers and awards by conversation, MW in force by resource.

    `kept` is what has been in force of each award until `turned_us`, W·µs.
    """

    calls: Map[str, CallForReserve] = Map()
    offered: Map[str, tuple[ReserveOffer, ...]] = Map()
    awarded: Map[str, tuple[AwardedReserve, ...]] = Map()
    armed: Map[str, float] = Map()
    kept: Map[str, int] = Map()
    turned_us: int = 0


@dataclass(frozen=True)
class BspState:
    """All a participant knows: qualified MW by `resource|direction`, open calls, offers made, orders, who listens.

    `subscriptions` are those to set-points, which it `misses` if they stay away, `acknowledged` is the last one heard,
    at `set_point_us`; `lost`: resources without supply from the grid.
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
    set_point_us: int = 0
    misses: bool = False
    set_points: Map[str, float] = Map()
    measured_mw: float = 0.0
    lost: frozenset[str] = frozenset()
    reserve: ReserveState = ReserveState()
