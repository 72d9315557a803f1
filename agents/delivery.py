"""A participant's order book: what it has promised, what it is asked to deliver, and what it may not exceed.

    Acceptance ─▶ awarded offers        Activate ─▶ orders        LimitOrder ─▶ caps on resources
                              set-point of a resource = Σ its orders in force, within its caps

Used by everybody who delivers: BSPs, aggregators, and in scenario II the DSO. Immutable.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from immutables import Map

from ..protocols.information.activation import Activate, ActivateWhen
from ..protocols.information.offering import Offer
from .market.settlement import megawatt_hours, watt_us


class Task(NamedTuple):
    """One order: its conversation, offer, MW and time."""

    conversation_id: str
    offer_id: str
    power_mw: float
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Awarded offers by id, tasks by conversation, caps by `resource|direction`, and energy asked for and delivered."""

    offers: Map[str, Offer] = Map()
    tasks: Map[str, Task] = Map()
    caps: Map[str, float] = Map()
    requested: Map[str, int] = Map()
    delivered: Map[str, int] = Map()

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
        if order.power_mw > offer.quantity_mw + 1e-6:
            return f"{order.power_mw:g} MW ordered of {offer.quantity_mw:g} MW accepted"
        if order.end <= now_us or order.end > offer.delivery_end or order.start < offer.delivery_start:
            return "outside the offer's delivery period"
        if not offer.divisible and order.power_mw < offer.quantity_mw - 1e-6:
            return f"offer {order.offer_id} is indivisible: {offer.quantity_mw:g} MW or nothing"
        if order.power_mw > self.cap_mw(offer) + 1e-6:
            return f"{order.power_mw:g} MW ordered above the limit of {self.cap_mw(offer):g} MW"
        return None

    def cap_mw(self, offer: Offer) -> float:
        """The most that an offer's resource may deliver in its direction."""
        return self.caps.get(f"{offer.resource}|{offer.direction}", float("inf"))

    def taken(self, conversation_id: str, order: Activate | ActivateWhen) -> "OrderBook":
        """An order is accepted."""
        task = Task(conversation_id, order.offer_id, order.power_mw, order.start, order.end)
        return replace(self, tasks=self.tasks.set(conversation_id, task))

    def ended(self, conversation_id: str) -> "OrderBook":
        """An order is over."""
        if conversation_id not in self.tasks:
            return self
        return replace(self, tasks=self.tasks.delete(conversation_id))

    def capped(self, resource: str, direction: str, max_mw: float) -> "OrderBook":
        """A limit is in force."""
        return replace(self, caps=self.caps.set(f"{resource}|{direction}", max_mw))

    def in_force(self, now_us: int) -> list[Task]:
        """Tasks to deliver now, in the order of their conversations."""
        return [task for _, task in sorted(self.tasks.items()) if task.start_us <= now_us < task.end_us]

    def set_points(self, now_us: int) -> dict[str, float]:
        """Signed MW to deliver of each awarded resource now, caps kept; resources in the order of their names."""
        wanted: dict[tuple[str, str], float] = {}
        for offer in self.offers.values():
            wanted[offer.resource, offer.direction] = 0.0
        for task in self.in_force(now_us):
            offer = self.offers[task.offer_id]
            wanted[offer.resource, offer.direction] += task.power_mw
        points: dict[str, float] = {}
        for (resource, direction), power_mw in sorted(wanted.items()):
            capped_mw = min(power_mw, self.caps.get(f"{resource}|{direction}", power_mw))
            points[resource] = round(points.get(resource, 0.0) + (capped_mw if direction == "up" else -capped_mw), 6)
        return points

    def metered(self, activated_mw: float, lasts_us: int, now_us: int) -> "OrderBook":
        """Count the energy asked for and delivered until the next reading, delivery shared by what was asked."""
        tasks = self.in_force(now_us)
        asked_mw = sum(task.power_mw for task in tasks)
        requested, delivered = self.requested, self.delivered
        for task in tasks:
            share = task.power_mw / asked_mw if asked_mw > 0 else 0.0
            got = watt_us(abs(activated_mw) * share, lasts_us)
            requested = requested.set(task.offer_id, requested.get(task.offer_id, 0) + self._asked(task, lasts_us))
            delivered = delivered.set(task.offer_id, delivered.get(task.offer_id, 0) + got)
        return replace(self, requested=requested, delivered=delivered)

    def _asked(self, task: Task, lasts_us: int) -> int:
        offer = self.offers[task.offer_id]
        return watt_us(min(task.power_mw, self.cap_mw(offer)), lasts_us)

    def requested_mwh(self, offer_id: str) -> float:
        """Energy asked for of an offer."""
        return megawatt_hours(self.requested.get(offer_id, 0))

    def delivered_mwh(self, offer_id: str) -> float:
        """Energy delivered of an offer."""
        return megawatt_hours(self.delivered.get(offer_id, 0))
