"""A resource that has lost its supply delivers nothing: its orders fail at once, and it offers nothing more.

reading: nothing available in either direction ─▶ Failure of each order, no further order is taken
reading: available again                       ─▶ back; what was ordered before is over
"""

from typing import Protocol, TypeVar

from immutables import Map

from ...protocols.messages import Failure
from ...protocols.stages import activation as stage
from ..actions import Action, Note, Say
from ..agent import Reaction
from ..changes import replace
from ..delivery import OrderBook
from .reading import ResourceReading


class Supplied(Protocol):
    """Whoever delivers with resources of its own: its orders, set-points, what is available, what is without supply."""

    @property
    def book(self) -> OrderBook:
        """Its orders."""

    @property
    def lost(self) -> frozenset[str]:
        """Resources without supply."""

    @property
    def available(self) -> Map[str, tuple[float, float]]:
        """MW up and down by resource."""

    @property
    def set_points(self) -> Map[str, float]:
        """MW by resource."""


S = TypeVar("S", bound=Supplied)


def without_supply(resources: tuple[ResourceReading, ...]) -> frozenset[str]:
    """Of which nothing is available in either direction."""
    return frozenset([one.resource for one in resources if not one.available_up_mw and not one.available_down_mw])


def seen(state: S, resources: tuple[ResourceReading, ...]) -> Reaction[S]:
    """Compare a reading with what is known to be without supply; end the orders of what is newly lost."""
    lost = without_supply(resources)
    if lost == state.lost:
        return state, ()
    book, actions = state.book, list[Action]()
    for resource in sorted(lost - state.lost):
        for conversation_id, task in sorted(book.tasks.items()):
            if book.offers[task.offer_id].resource == resource:
                book = book.ended(conversation_id)
                actions.append(Say(conversation_id, Failure(reason=reason(resource))))
        actions.append(Note(stage.STAGE, None, {"name": "supply lost", "resource": resource}))
    for resource in sorted(state.lost - lost):
        actions.append(Note(stage.STAGE, None, {"name": "supply restored", "resource": resource}))
    available = state.available.update(dict.fromkeys(sorted(lost), (0.0, 0.0)))
    for resource in sorted(state.lost - lost):
        available = available.delete(resource) if resource in available else available
    points = state.set_points.update({resource: 0.0 for resource in sorted(lost) if resource in state.set_points})
    return replace(state, book=book, lost=lost, available=available, set_points=points), tuple(actions)


def reason(resource: str) -> str:
    """Why an order of a resource without supply fails."""
    return f"{resource} has no supply from the grid"
