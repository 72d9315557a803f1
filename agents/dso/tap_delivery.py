"""Scenario II: the DSO delivers by stepping its tap changers (and its own units, if it has any), and publishes P and Q.

    Activate (block) ─▶ Activated, one more step     Cancel ─▶ one step back     readings ─▶ Measurement (INFO 7)

The part of the import that the taps free is computed against the same state with the taps where they
started, because the measured import also moves with everybody else's activations; what loads recover
of it with time is estimated beside it.
"""

import math
from collections import Counter
from collections.abc import Iterable

from ...protocols.information.activation import Activate, ActivateWhen, Measurement, MeasurementSubscription
from ...protocols.information.quantities import US_PER_S
from ...protocols.messages import Agree, Cancel, Cancelled, Refuse
from ...protocols.stages import activation as stage
from ..actions import Note, Publish, Say
from ..agent import Reaction
from ..bsp import outage
from ..delivery import Task
from ..energy import metered
from ..events import Heard
from ..ordering import END, START, Booked, cancel, over, take
from ..profiles import DsoProfile
from . import own_units
from .demand_response import resource_of
from .state import DsoState
from .studies import Watch
from .tap_trial import order

SMALLEST_MW = 1e-6


def hear(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """React to the TSO's orders and subscriptions."""
    conversation_id = event.conversation.id
    match event.content:
        case MeasurementSubscription():
            listeners = (*state.demand.listeners, conversation_id)
            return state.with_demand(listeners=listeners), (Say(conversation_id, Agree()),)
        case Activate() | ActivateWhen() as asked:
            return _ordered(profile, state, conversation_id, asked, now_us)
        case Cancel() if event.conversation.protocol.fipa == "fipa-subscribe":
            return _silenced(state, conversation_id), (Say(conversation_id, Cancelled()),)
        case Cancel():
            return _booked(profile, state, cancel(state.demand.book, conversation_id), now_us)
        case _:
            return state, ()


def _ordered(
    profile: DsoProfile, state: DsoState, conversation_id: str, asked: Activate | ActivateWhen, now_us: int
) -> Reaction[DsoState]:
    book = state.demand.book.lapsed(now_us) if profile.units else state.demand.book
    offer = book.offers.get(asked.offer_id)
    if offer is not None and offer.resource in state.demand.lost:
        return state, (Say(conversation_id, Refuse(reason=outage.reason(offer.resource))),)
    booked = take(book, conversation_id, asked, now_us=now_us, answer_us=profile.patience.answer_us)
    state, actions = _booked(profile, state, booked, now_us)
    taken = conversation_id in state.demand.book.tasks and offer is not None and own_units.owns(profile, offer.resource)
    evidence = {"name": "order taken", "offer_id": asked.offer_id, "power_mw": asked.power_mw}
    return state, (*actions, *((Note(stage.STAGE, "10.2", evidence),) if taken else ()))


def _booked(profile: DsoProfile, state: DsoState, booked: Booked, now_us: int) -> Reaction[DsoState]:
    """The book has changed: say so, and let the taps follow."""
    book, said = booked
    state, moves = moved(profile, state.with_demand(book=book), now_us)
    return state, (*said, *moves)


def moved(profile: DsoProfile, state: DsoState, now_us: int) -> Reaction[DsoState]:
    """Bring the taps in line with the blocks in force, and units with their orders; leave evidence of the taps."""
    state, of_units = own_units.moved(profile, state, now_us)
    demand = state.demand
    if demand.options is None:
        return state, of_units
    tasks = [
        task
        for task in demand.book.in_force(now_us)
        if not own_units.owns(profile, demand.book.offers[task.offer_id].resource)
    ]
    state, of_taps = _stepped(profile, state, tasks)
    return state, (*of_units, *of_taps)


def _stepped(profile: DsoProfile, state: DsoState, tasks: Iterable[Task]) -> Reaction[DsoState]:
    """The taps follow the blocks in force."""
    demand, tasks = state.demand, list(tasks)
    assert demand.options is not None
    offers = [demand.book.offers[task.offer_id] for task in tasks]
    signs = [1 if offer.direction == "up" else -1 for offer in offers]
    blocks_mw = sum(sign * task.power_mw for sign, task in zip(signs, tasks, strict=True))
    state = state.with_demand(applied_mw=round(blocks_mw + sum(demand.set_points.values()), 6))
    active = Counter[str]()
    for sign, offer in zip(signs, offers, strict=True):
        active[offer.resource] += sign
    orders = {
        t.name: order(state, t.name, active[resource_of(profile.grid, t.name)]) for t in demand.options.transformers
    }
    moves = tuple(move for name, move in sorted(orders.items()) if demand.positions.get(name) != move.value)
    if not moves:
        return state, ()
    wanted = {name: move.value for name, move in orders.items()}
    evidence = {"name": "taps stepped", "positions": wanted, "blocks": len(tasks)}
    note = Note(stage.STAGE, "10.2", evidence)
    return state.with_demand(positions=demand.positions.update(wanted)), (note, *moves)


def turned(profile: DsoProfile, state: DsoState, timer: str, now_us: int) -> Reaction[DsoState]:
    """An order's time has come, or is over."""
    if timer.startswith(START):
        return moved(profile, state, now_us)
    return _ended(profile, state, timer.removeprefix(END), now_us)


def _ended(profile: DsoProfile, state: DsoState, conversation_id: str, now_us: int) -> Reaction[DsoState]:
    """An order's time has come to its end."""
    return _booked(profile, state, over(state.demand.book, conversation_id), now_us)


def rejected(profile: DsoProfile, state: DsoState, conversation_id: str, now_us: int) -> Reaction[DsoState]:
    """The TSO has not understood us, which ends the branch: nothing is delivered or published in it any more."""
    state = _silenced(state, conversation_id)
    return _booked(profile, state, (state.demand.book.ended(conversation_id), ()), now_us)


def _silenced(state: DsoState, conversation_id: str) -> DsoState:
    return state.with_demand(listeners=tuple(one for one in state.demand.listeners if one != conversation_id))


def published(profile: DsoProfile, state: DsoState, watch: Watch, now_us: int) -> Reaction[DsoState]:
    """Real-time P and Q of the connection points (+ injection into transmission), what taps free and units give.

    Measured all the time; said, and counted for an order, as long as somebody listens.
    """
    readings, demand = state.readings, state.demand
    if readings is None:
        return state, ()
    import_mw = sum(p_mw for _, p_mw, _ in readings.interface)
    recovered_mw = _recovered(profile, demand.recovered_mw, watch.freed_mw)
    freed_mw = round(watch.freed_mw - recovered_mw + demand.units_mw, 6) + 0.0
    measurement = Measurement(
        participant=profile.name,
        measured_at=readings.at_us,
        p_mw=round(-import_mw, 6) + 0.0,
        q_mvar=round(-sum(q for _, _, q in readings.interface), 6) + 0.0,
        activated_mw=freed_mw,
        baseline_mw=round(-import_mw - freed_mw, 6),
        set_point_mw=demand.applied_mw,
    )
    state = state.with_demand(measured=measurement, recovered_mw=recovered_mw)
    if not demand.listeners:
        return state, ()
    book = metered(demand.book, freed_mw, profile.monitoring_us, readings.at_us)
    return state.with_demand(book=book), (Publish(demand.listeners, measurement),)


def _recovered(profile: DsoProfile, before_mw: float, freed_mw: float) -> float:
    """What loads have taken back of the power freed, one monitoring cycle on: a lag of first order towards its share.

    The DSO's own estimate; once the taps are back it is what the loads still draw too much.
    """
    response = profile.demand_response
    if response is None or response.recovered_share == 0:
        return 0.0
    decay = 1 - math.exp(-profile.monitoring_us / US_PER_S / response.recovery_s)
    after_mw = before_mw + decay * (response.recovered_share * freed_mw - before_mw)
    return after_mw if abs(after_mw) >= SMALLEST_MW or freed_mw else 0.0
