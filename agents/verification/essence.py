"""What of an agent's state can be left out when commitments are explored, because it decides nothing until settlement.

    TSO   energy requested, meters of aFRR, counts of the quality of service (its level and since when stay)
    DSO   archive of measurements, what was last shown      BSP   energy asked for and delivered, last measurement

Standings that differ only in this are one. Where energy is looked at, in settlement, nothing is left out.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from immutables import Map

from ..bsp.state import BspState
from ..delivery import OrderBook
from ..dso.state import Counting, DsoState
from ..tso.state import Activation, Service, TsoState


def commitments(state: Any) -> Hashable:
    """An agent's state without what decides nothing before settlement."""
    match state:
        case TsoState():
            regulation = state.regulation._replace(meters=Map(), counted=Map(), moving=())
            reserve = replace(state.reserve, known=Map(), offsets_hz=(), kept=Map())
            return replace(state, activation=_activation(state.activation), regulation=regulation, reserve=reserve)
        case DsoState():
            counted = replace(state, archive=Map(), samples=Map(), counting=Counting(), headroom_us=0, shown="")
            return counted.with_demand(book=_book(state.demand.book))
        case BspState():
            return replace(state, book=_book(state.book), measured_mw=0.0, set_point_us=0, acknowledged=None)
    raise TypeError(f"no agent's state is a {type(state).__name__}")


def _activation(known: Activation) -> Activation:
    orders, services = known.orders, known.services
    for offer_id, order in sorted(orders.items()):
        orders = orders.set(offer_id, order._replace(unconfirmed=0))
    for name, service in sorted(services.items()):
        services = services.set(name, Service(level=service.level, since_us=service.since_us))
    return replace(known, orders=orders, services=services, energy=Map(), counted_us=0)


def _book(book: OrderBook) -> OrderBook:
    return replace(book, requested=Map(), delivered=Map(), counted_us=0)
