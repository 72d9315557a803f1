"""A participant's order book: what it has promised, what it is asked to deliver, and what it may not exceed.

    Acceptance ─▶ awarded offers        Activate ─▶ orders        LimitOrder ─▶ caps on resources
                              set-point of a resource = Σ its orders in force, within its caps

Used by everybody who delivers: BSPs, aggregators, and in scenario II the DSO. Immutable. What is said
about orders stands in `ordering.py`, how their energy is counted in `energy.py`.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from immutables import Map

from ..protocols.information.activation import Activate, ActivateWhen
from ..protocols.information.offering import Offer
from .changes import INFINITY_US, Span, derived, derived_span, replace, span, without
from .market.merit_order import merit
from .market.settlement import megawatt_hours


class Task(NamedTuple):
    """One order: its conversation, offer, MW and time; if `controlled`, set-points say how much of it is wanted."""

    conversation_id: str
    offer_id: str
    power_mw: float
    start_us: int
    end_us: int
    controlled: bool = False


Placed = list[tuple[Task, list[tuple[str, float]]]]


class InPlace(NamedTuple):
    """Tasks in force by resource, as MW of each, whether they ask for anything, and which are up and which down."""

    placed: Placed
    asked: list[tuple[Task, float]]
    anything: bool
    ways: dict[str, list[int]]


@dataclass(frozen=True)
class OrderBook:
    """Awarded offers by id, tasks by conversation, caps by `resource|direction`, energy asked for and delivered.

    `cap_ends`: until when each cap is valid; `moved`: (resource, MW) that other resources give of an offer;
    `wanted_mw` is the last set-point for all offers under control together, + up; energy is counted until
    `counted_us`, which is 0 if there is nothing to count.
    """

    offers: Map[str, Offer] = Map()
    tasks: Map[str, Task] = Map()
    caps: Map[str, float] = Map()
    cap_ends: Map[str, int] = Map()
    moved: Map[str, tuple[tuple[str, float], ...]] = Map()
    requested: Map[str, int] = Map()
    delivered: Map[str, int] = Map()
    wanted_mw: float = 0.0
    counted_us: int = 0

    def awarded(self, offers: tuple[Offer, ...]) -> "OrderBook":
        """The TSO has accepted these offers."""
        known = self.offers
        for offer in offers:
            known = known.set(offer.offer_id, offer)
        return replace(self, offers=known)

    def forgotten(self, gone: Set[str]) -> "OrderBook":
        """Without the offers of periods that are gone, unless one of them is still ordered."""
        ordered = {task.offer_id for task in self.tasks.values()} if gone else ()
        over = [name for name, offer in self.offers.items() if offer.session in gone and name not in ordered]
        if not over:
            return self
        maps = {name: without(getattr(self, name), over) for name in ("offers", "moved", "requested", "delivered")}
        return replace(self, **maps)

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
        """The most that may be delivered of an offer: what the cap on its resource leaves, and what others give."""
        moved_mw = sum(mw for _, mw in self.moved.get(offer.offer_id, ()))
        return self.caps.get(_bound(offer), float("inf")) + moved_mw

    def moving(self, offer_id: str, shares: tuple[tuple[str, float], ...]) -> "OrderBook":
        """Other resources give so many MW of an offer, beyond what its own may."""
        moved = self.moved.set(offer_id, shares) if shares else self.moved
        if not shares and offer_id in moved:
            moved = moved.delete(offer_id)
        return replace(self, moved=moved)

    def committed_mw(self, resource: str, like: Offer) -> float:
        """MW of a resource that other offers of the same period and direction may ask for."""
        same = [o for _, o in sorted(self.offers.items()) if (o.session, o.direction) == (like.session, like.direction)]
        own = sum(offer.quantity_mw for offer in same if offer.resource == resource)
        others = [offer.offer_id for offer in same if offer.offer_id != like.offer_id]
        return own + sum(mw for name in others for other, mw in self.moved.get(name, ()) if other == resource)

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

    def capped(
        self, resource: str, direction: str, max_mw: float, *, until_us: int = INFINITY_US, now_us: int = 0
    ) -> "OrderBook":
        """A limit is in force until its validity is over; it takes the place of an earlier one."""
        key = f"{resource}|{direction}"
        book = self._lowered(key, now_us)
        return replace(book, caps=book.caps.set(key, max_mw), cap_ends=book.cap_ends.set(key, until_us))

    def lapsed(self, now_us: int) -> "OrderBook":
        """Limits whose validity is over are dropped; what they have lowered stays so until it is ordered anew."""
        book = self
        for key, end_us in sorted(self.cap_ends.items()):
            if end_us <= now_us:
                book = book._lowered(key, now_us)
                book = replace(book, caps=book.caps.delete(key), cap_ends=book.cap_ends.delete(key))
        return book

    def _lowered(self, key: str, now_us: int) -> "OrderBook":
        """Orders as low as the cap in force has made them, so that nothing rises by itself when it goes."""
        if key not in self.caps:
            return self
        left = {task.conversation_id: power_mw for task, power_mw in self._within_caps(now_us)}
        tasks = self.tasks
        for conversation_id, task in sorted(self.tasks.items()):
            if _bound(self.offers[task.offer_id]) == key and not task.controlled:
                most_mw = left.get(conversation_id, min(task.power_mw, self.caps[key]))
                tasks = tasks.set(conversation_id, task._replace(power_mw=most_mw))
        return replace(self, tasks=tasks)

    def in_force(self, now_us: int) -> list[Task]:
        """Tasks to deliver now, in the order of their conversations."""
        return [task for _, task in sorted(self.tasks.items()) if task.start_us <= now_us < task.end_us]

    def set_points(self, now_us: int) -> dict[str, float]:
        """Signed MW to deliver of each awarded resource now, caps kept; resources in the order of their names."""
        points = dict.fromkeys(derived(self, "~resources", (self.offers, self.moved), self._resources), 0.0)
        for task, shares in self._placed(now_us):
            for resource, power_mw in shares:
                points[resource] += power_mw if self.offers[task.offer_id].direction == "up" else -power_mw
        return {resource: round(power_mw, 6) for resource, power_mw in sorted(points.items())}

    def _resources(self) -> tuple[str, ...]:
        """Who may have to deliver: the resources of awarded offers, and those that parts of them were moved to."""
        own = {offer.resource for _, offer in sorted(self.offers.items())}
        return tuple(sorted(own | {resource for _, shares in sorted(self.moved.items()) for resource, _ in shares}))

    def orders(self) -> bool:
        """Whether there are tasks that ask for something without set-points."""
        return derived(self, "~orders", (self.tasks,), lambda: any(not task.controlled for task in self.tasks.values()))

    def _within_caps(self, now_us: int) -> list[tuple[Task, float]]:
        """Tasks in force with the MW that caps leave of them, given by whatever unit."""
        asked: list[tuple[Task, float]] = self.in_place(now_us).value.asked
        return asked

    def _placed(self, now_us: int) -> Placed:
        """Tasks in force and which resource gives how much: its own, then those that part of the offer was moved to.

        A cap is shared in merit order, as the TSO does.
        """
        placed: Placed = self.in_place(now_us).value.placed
        return placed

    def in_place(self, now_us: int) -> Span:
        """What is asked for now (`InPlace`), and from when until when that is so if nothing else happens."""
        sources = self.tasks, self.caps, self.moved, self.offers, self.wanted_mw
        return derived_span(self, "~placed", sources, now_us, lambda: self._placing(now_us))

    def _placing(self, now_us: int) -> Span:
        tasks = derived_span(self, "~merit", (self.tasks, self.offers), now_us, lambda: self._in_merit_order(now_us))
        placed = self._place(tasks.value)
        asked = [(task, sum([power_mw for _, power_mw in shares])) for task, shares in placed]
        ways: dict[str, list[int]] = {"up": [], "down": []}
        for number, (task, _) in enumerate(placed):
            ways[self.offers[task.offer_id].direction].append(number)
        return tasks._replace(value=InPlace(placed, asked, any(power_mw for _, power_mw in asked), ways))

    def _in_merit_order(self, now_us: int) -> Span:
        intervals = ((task.start_us, task.end_us) for _, task in sorted(self.tasks.items()))
        tasks = sorted(self.in_force(now_us), key=lambda task: merit(self.offers[task.offer_id]))
        return span(now_us, intervals, tasks)

    def _place(self, tasks: list[Task]) -> Placed:
        left = dict(self.caps.items())
        wanted = {"up": max(0.0, self.wanted_mw), "down": max(0.0, -self.wanted_mw)}
        found = []
        for task in tasks:
            offer, shares = self.offers[task.offer_id], list[tuple[str, float]]()
            room_mw = min(task.power_mw, wanted[offer.direction]) if task.controlled else task.power_mw
            for resource, share_mw in ((offer.resource, task.power_mw), *self.moved.get(task.offer_id, ())):
                key = f"{resource}|{offer.direction}"
                power_mw = min(share_mw, room_mw, left.get(key, share_mw))
                if key in left:
                    left[key] = max(0.0, left[key] - power_mw)
                room_mw = max(0.0, room_mw - power_mw)
                shares.append((resource, power_mw))
            if task.controlled:
                taken_mw = sum(power_mw for _, power_mw in shares)
                wanted[offer.direction] = round(wanted[offer.direction] - taken_mw, 6)
            found.append((task, shares))
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
