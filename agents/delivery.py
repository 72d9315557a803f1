"""A participant's order book: what it has promised, what it is asked to deliver, and what it may not exceed.

    Acceptance ─▶ awarded offers        Activate ─▶ orders        LimitOrder ─▶ caps on resources
                              set-point of a resource = Σ its orders in force, within its caps

Used by everybody who delivers: BSPs, aggregators, and in scenario II the DSO. Immutable. What is said
about orders stands in `ordering.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from immutables import Map

from ..protocols.information.activation import Activate, ActivateWhen
from ..protocols.information.offering import Offer
from .changes import replace
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


@dataclass(frozen=True)
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
        Of offers under control each is filled in merit order, and the last takes what is left.
        """
        asked = self._within_caps(now_us)
        requested, delivered = self.requested, self.delivered
        for (task, power_mw), got_mw in zip(asked, self._got_mw(asked, activated_mw), strict=True):
            counted_us = min(lasts_us, task.end_us - now_us)
            requested = _added(requested, task.offer_id, watt_us(power_mw, counted_us))
            delivered = _added(delivered, task.offer_id, watt_us(got_mw, counted_us))
        if requested is self.requested and delivered is self.delivered:
            return self
        return replace(self, requested=requested, delivered=delivered)

    def _got_mw(self, asked: list[tuple[Task, float]], activated_mw: float) -> list[float]:
        """MW delivered of each task; what is still delivered when nothing may be asked for is shared by the orders."""
        got = [0.0] * len(asked)
        left = {"up": max(0.0, activated_mw), "down": max(0.0, -activated_mw)}
        for direction, delivered_mw in left.items():
            same = [n for n, (task, _) in enumerate(asked) if self.offers[task.offer_id].direction == direction]
            shares = [asked[n][1] for n in same]
            if sum(shares) <= 0:
                shares = [asked[n][0].power_mw for n in same]
            for n, share_mw in zip(same, shares, strict=True):
                got[n] = delivered_mw * share_mw / sum(shares) if sum(shares) > 0 else 0.0
            if any(asked[n][0].controlled for n in same):
                self._fill(asked, got, same, delivered_mw)
        return got

    @staticmethod
    def _fill(asked: list[tuple[Task, float]], got: list[float], same: list[int], delivered_mw: float) -> None:
        for n in same:
            got[n] = delivered_mw if n == same[-1] else min(delivered_mw, asked[n][0].power_mw)
            delivered_mw -= got[n]

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


def _added(energy: Map[str, int], offer_id: str, more: int) -> Map[str, int]:
    return energy.set(offer_id, energy.get(offer_id, 0) + more) if more else energy


def _bound(offer: Offer) -> str:
    """What a limit binds."""
    return f"{offer.resource}|{offer.direction}"
