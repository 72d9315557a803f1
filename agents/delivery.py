"""A participant's order book: what it has promised, what it is asked to deliver, and what it may not exceed.

    Acceptance ─▶ awarded offers        Activate ─▶ orders        LimitOrder ─▶ caps on resources
                              set-point of a resource = Σ its orders in force, within its caps

Used by everybody who delivers: BSPs, aggregators, and in scenario II the DSO. Immutable. What is said
about orders stands in `ordering.py`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from immutables import Map

from ..protocols.information.activation import Activate, ActivateWhen
from ..protocols.information.offering import Offer
from .market.merit_order import merit
from .market.settlement import megawatt_hours, watt_us


class Task(NamedTuple):
    """One order: its conversation, offer, MW and time; if `controlled`, set-points say how much of it is wanted."""

    conversation_id: str
    offer_id: str
    power_mw: float
    start_us: int
    end_us: int
    controlled: bool = False


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Awarded offers by id, tasks by conversation, caps by `resource|direction`, energy asked for and delivered.

    `wanted_mw` is the last set-point for all offers under control together, + up.
    """

    offers: Map[str, Offer] = Map()
    tasks: Map[str, Task] = Map()
    caps: Map[str, float] = Map()
    requested: Map[str, int] = Map()
    delivered: Map[str, int] = Map()
    wanted_mw: float = 0.0

    def awarded(self, offers: tuple[Offer, ...]) -> "OrderBook":
        """The TSO has accepted these offers."""
        known = self.offers
        for offer in offers:
            known = known.set(offer.offer_id, offer)
        return replace(self, offers=known)

    def fault(self, order: Activate | ActivateWhen, now_us: int) -> str | None:
        """Why an order is refused, or None."""
        offer = self.offers.get(order.offer_id)
        if offer is None:
            return f"offer {order.offer_id} has not been accepted"
        if (order.product, order.direction) != (offer.product, offer.direction):
            return f"offer {order.offer_id} is {offer.product} {offer.direction}"
        if order.power_mw > offer.quantity_mw + 1e-6:
            return f"{order.power_mw:g} MW ordered of {offer.quantity_mw:g} MW accepted"
        if not offer.delivery_start <= order.start < order.end <= offer.delivery_end or order.end <= now_us:
            return "outside the offer's delivery period"
        if not offer.divisible and order.power_mw < offer.quantity_mw - 1e-6:
            return f"offer {order.offer_id} is indivisible: {offer.quantity_mw:g} MW or nothing"
        if order.kind == "activate" and order.power_mw > self.cap_mw(offer) + 1e-6:
            return f"{order.power_mw:g} MW ordered above the limit of {self.cap_mw(offer):g} MW"
        return None

    def cap_mw(self, offer: Offer) -> float:
        """The most that an offer's resource may deliver in its direction."""
        return self.caps.get(_bound(offer), float("inf"))

    def taken(self, conversation_id: str, order: Activate | ActivateWhen) -> "OrderBook":
        """An order is accepted."""
        controlled = order.kind == "set-point"
        task = Task(conversation_id, order.offer_id, order.power_mw, order.start, order.end, controlled)
        return replace(self, tasks=self.tasks.set(conversation_id, task))

    def wanted(self, power_mw: float) -> "OrderBook":
        """A set-point has come: so much is wanted of the offers under control, + up."""
        return self if power_mw == self.wanted_mw else replace(self, wanted_mw=power_mw)

    def ended(self, conversation_id: str) -> "OrderBook":
        """An order is over."""
        if conversation_id not in self.tasks:
            return self
        return replace(self, tasks=self.tasks.delete(conversation_id))

    def orders_of(self, offer_id: str) -> tuple[str, ...]:
        """The conversations in which an offer has been ordered and is not over."""
        return tuple(conversation_id for conversation_id, t in sorted(self.tasks.items()) if t.offer_id == offer_id)

    def capped(self, resource: str, direction: str, max_mw: float) -> "OrderBook":
        """A limit is in force."""
        return replace(self, caps=self.caps.set(f"{resource}|{direction}", max_mw))

    def in_force(self, now_us: int) -> list[Task]:
        """Tasks to deliver now, in the order of their conversations."""
        return [task for _, task in sorted(self.tasks.items()) if task.start_us <= now_us < task.end_us]

    def set_points(self, now_us: int) -> dict[str, float]:
        """Signed MW to deliver of each awarded resource now, caps kept; resources in the order of their names."""
        points = {offer.resource: 0.0 for _, offer in sorted(self.offers.items())}
        for task, power_mw in self._within_caps(now_us):
            offer = self.offers[task.offer_id]
            points[offer.resource] += power_mw if offer.direction == "up" else -power_mw
        return {resource: round(power_mw, 6) for resource, power_mw in sorted(points.items())}

    def metered(self, activated_mw: float, lasts_us: int, now_us: int) -> "OrderBook":
        """Count the energy asked for and delivered until the next reading, or the order's end if that is earlier.

        What is delivered in a direction is shared by what was asked for in it; what goes the wrong way is nothing.
        """
        asked = self._within_caps(now_us)
        requested, delivered = self.requested, self.delivered
        for task, power_mw in asked:
            counted_us = min(lasts_us, task.end_us - now_us)
            got_mw = self._got_mw(task, power_mw, asked, activated_mw)
            requested = requested.set(task.offer_id, requested.get(task.offer_id, 0) + watt_us(power_mw, counted_us))
            delivered = delivered.set(task.offer_id, delivered.get(task.offer_id, 0) + watt_us(got_mw, counted_us))
        return replace(self, requested=requested, delivered=delivered)

    def _got_mw(self, task: Task, power_mw: float, asked: list[tuple[Task, float]], activated_mw: float) -> float:
        """What is still delivered when nothing may be asked for any more is shared by what was ordered."""
        direction = self.offers[task.offer_id].direction
        same = [(other, mw) for other, mw in asked if self.offers[other.offer_id].direction == direction]
        together_mw = sum(mw for _, mw in same)
        if together_mw <= 0:
            power_mw, together_mw = task.power_mw, sum(other.power_mw for other, _ in same)
        delivered_mw = max(0.0, activated_mw if direction == "up" else -activated_mw)
        return delivered_mw * (power_mw / together_mw) if together_mw > 0 else 0.0

    def _within_caps(self, now_us: int) -> list[tuple[Task, float]]:
        """Tasks in force with the MW that caps leave of them; a cap is shared in merit order, as the TSO does."""
        left = dict(self.caps.items())
        wanted = {"up": max(0.0, self.wanted_mw), "down": max(0.0, -self.wanted_mw)}
        found = []
        for task in sorted(self.in_force(now_us), key=lambda task: merit(self.offers[task.offer_id])):
            bound, direction = _bound(self.offers[task.offer_id]), self.offers[task.offer_id].direction
            power_mw = min(task.power_mw, left.get(bound, task.power_mw))
            if task.controlled:
                power_mw = min(power_mw, wanted[direction])
                wanted[direction] = round(wanted[direction] - power_mw, 6)
            if bound in left:
                left[bound] = max(0.0, left[bound] - power_mw)
            found.append((task, power_mw))
        return found

    def requested_mwh(self, offer_id: str) -> float:
        """Energy asked for of an offer."""
        return megawatt_hours(self.requested.get(offer_id, 0))

    def delivered_mwh(self, offer_id: str) -> float:
        """Energy delivered of an offer."""
        return megawatt_hours(self.delivered.get(offer_id, 0))


def _bound(offer: Offer) -> str:
    """What a limit binds."""
    return f"{offer.resource}|{offer.direction}"
